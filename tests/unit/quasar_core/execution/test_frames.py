import json
import struct

import pytest
from quasar_core.errors import RejectionCode, Stage, SubmissionFault
from quasar_core.execution import frames
from quasar_core.execution.frames import (
    Answer,
    BrokenFrames,
    Kind,
    decode,
    decode_fault,
    encode,
    encode_fault,
    text,
)

FILES = (b"a" * 64, b"chunk.py", b"x = 1\n")
FAULT = SubmissionFault(
    RejectionCode.NOT_TEXT, Stage.FETCH, "a.py: no", {"rule": "nul", "n": 1}
)


@pytest.mark.parametrize(
    ("kind", "blobs"),
    [(Kind.FILES, FILES), (Kind.WELL, ()), (Kind.LATE, (b"",))],
)
def test_an_answer_comes_back_as_it_was(kind, blobs):
    assert decode(encode(kind, blobs)) == Answer(kind, blobs)


def test_a_fault_comes_back_as_it_was():
    found = decode_fault(decode(encode_fault(FAULT)))
    assert (found.code, found.stage, found.detail, dict(found.evidence)) == (
        FAULT.code,
        FAULT.stage,
        FAULT.detail,
        dict(FAULT.evidence),
    )


WHOLE = encode(Kind.FILES, FILES)


@pytest.mark.parametrize(
    "raw",
    [
        *(WHOLE[:each] for each in range(len(WHOLE))),
        WHOLE + b"x",
        b"XXXX" + WHOLE[4:],
        b"QRF1?" + WHOLE[5:],
        b"QRF1F" + struct.pack(">H", frames.MAX_BLOBS + 1),
        b"QRF1F" + struct.pack(">HI", 1, 0xFFFFFFFF) + b"x",
        encode(Kind.FILES, [b"x" * (frames.MAX_BLOB_BYTES + 1)]),
    ],
)
def test_anything_else_is_broken(raw):
    with pytest.raises(BrokenFrames):
        decode(raw)


def changed(**facts):
    whole = json.loads(decode(encode_fault(FAULT)).blobs[0])
    return Answer(Kind.FAULT, (json.dumps({**whole, **facts}).encode(),))


@pytest.mark.parametrize(
    "answer",
    [
        Answer(Kind.FAULT),
        Answer(Kind.FAULT, (b"",)),
        Answer(Kind.FAULT, (b"[" * 10_000,)),
        Answer(Kind.FAULT, (b"x" * 20_000,)),
        Answer(Kind.FAULT, (b"{}",)),
        Answer(Kind.FAULT, (b"[]",)),
        changed(code="paid_in_full"),
        changed(stage="timed"),
        changed(evidence=[]),
        changed(evidence={"a": {}}),
        changed(evidence={str(each): 1 for each in range(50)}),
    ],
)
def test_a_fault_that_a_reader_would_not_find_is_broken(answer):
    with pytest.raises(BrokenFrames):
        decode_fault(answer)


def test_words_from_inside_are_short_and_inert():
    assert text(b"\x1b[2J\n\xff" + b"x" * 10_000).startswith("?[2J?")
    assert len(text(b"x" * 10_000)) == frames.MAX_TEXT
    found = decode_fault(changed(detail="\x1b[0m", evidence={"\n": "\r"}))
    assert (found.detail, dict(found.evidence)) == ("?[0m", {"?": "?"})
