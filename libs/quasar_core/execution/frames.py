"""What comes out of a sandbox that has read hostile bytes: few, counted blobs.

A tag, a kind, a count, and each blob after its length. Whoever takes them in
believes no length and no count beyond small bounds.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

from quasar_core.errors import (
    Evidence,
    RejectionCode,
    Stage,
    SubmissionFault,
)

TAG = b"QRF1"
HEAD = struct.Struct(">4scH")
LENGTH = struct.Struct(">I")
MAX_BLOBS = 40
MAX_BLOB_BYTES = 256 * 1024
MAX_FAULT_BYTES = 16 * 1024
MAX_TEXT = 600
MAX_EVIDENCE = 12
STAGES = frozenset({Stage.FETCH, Stage.SCREEN})


class BrokenFrames(ValueError):
    """Not what a reader of ours would write."""


class Kind(Enum):
    """What the blobs are."""

    FILES = b"F"
    """The identity, then name and content of each file."""
    FAULT = b"X"
    """The submission's fault, as JSON."""
    WORLD = b"W"
    """The world's fault, in words."""
    LATE = b"T"
    """There was not time enough, in words."""
    WELL = b"S"
    """Nothing was found; no blobs."""


@dataclass(frozen=True)
class Answer:
    """A kind and its blobs."""

    kind: Kind
    blobs: tuple[bytes, ...] = ()


def encode(kind: Kind, blobs: Sequence[bytes] = ()) -> bytes:
    """The bytes of an answer."""
    parts = [HEAD.pack(TAG, kind.value, len(blobs))]
    for each in blobs:
        parts += (LENGTH.pack(len(each)), each)
    return b"".join(parts)


def decode(raw: bytes) -> Answer:
    """The answer in these bytes; raises BrokenFrames for anything else."""
    try:
        tag, letter, count = HEAD.unpack_from(raw)
        kind = Kind(letter)
    except (struct.error, ValueError) as error:
        raise BrokenFrames("no answer begins like this") from error
    if tag != TAG or count > MAX_BLOBS:
        raise BrokenFrames("another tag, or too many blobs")
    blobs, position = [], HEAD.size
    for _ in range(count):
        start = position + LENGTH.size
        if start > len(raw):
            raise BrokenFrames("cut off before a length")
        (length,) = LENGTH.unpack_from(raw, position)
        position = start + length
        if length > MAX_BLOB_BYTES or position > len(raw):
            raise BrokenFrames("a length beyond its bounds")
        blobs.append(raw[start:position])
    if position != len(raw):
        raise BrokenFrames("bytes after the last blob")
    return Answer(kind, tuple(blobs))


def encode_fault(fault: SubmissionFault) -> bytes:
    """The bytes of an answer that tells of a fault."""
    facts = {
        "code": fault.code.value,
        "stage": fault.stage.value,
        "detail": fault.detail[:MAX_TEXT],
        "evidence": dict(fault.evidence),
    }
    return encode(Kind.FAULT, (json.dumps(facts).encode(),))


def decode_fault(answer: Answer) -> SubmissionFault:
    """The fault that an answer tells of; raises BrokenFrames."""
    try:
        (raw,) = answer.blobs
        if len(raw) > MAX_FAULT_BYTES:
            raise BrokenFrames("too long for a fault")
        facts = json.loads(raw)
        code, stage = RejectionCode(facts["code"]), Stage(facts["stage"])
        evidence = _checked(facts["evidence"])
        detail = text(str(facts["detail"]).encode())
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise BrokenFrames("not a fault") from error
    if stage not in STAGES:
        raise BrokenFrames("a fault of a later stage")
    return SubmissionFault(code, stage, detail, evidence)


def text(raw: bytes) -> str:
    """Words out of the sandbox: short and inert."""
    said = raw.decode("utf-8", "replace")[:MAX_TEXT]
    return "".join(each if each.isprintable() else "?" for each in said)


def _checked(evidence: object) -> Evidence:
    if not isinstance(evidence, dict) or len(evidence) > MAX_EVIDENCE:
        raise BrokenFrames("too much evidence")
    found: dict[str, str | int | float | bool | None] = {}
    for name, value in evidence.items():
        if isinstance(value, str):
            found[text(str(name).encode())] = text(value.encode())
        elif value is None or isinstance(value, bool | int | float):
            found[text(str(name).encode())] = value
        else:
            raise BrokenFrames("evidence that is no plain value")
    return found
