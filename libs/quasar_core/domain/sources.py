"""Sources: which files of a commit count, and what is text."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping

from quasar_core.errors import RejectionCode, Stage, SubmissionFault

KERNEL_FOLDER = "fla/ops/quasar"
MAX_FILES = 16
MAX_FILE_BYTES = 256 * 1024
MAX_TOTAL_BYTES = 1024 * 1024
REGULAR_MODES = frozenset({"100644", "100755"})

_TREE_TAG = b"quasar/tree/v1"
_FILE_NAME = re.compile(r"[a-z_][a-z0-9_]*\.py")
_COOKIE = re.compile(rb"coding[:=][ \t]*([-\w.]+)", re.ASCII)
_COMMENT = re.compile(rb"[ \t\f]*#")
_BARE_CR = re.compile(rb"\r(?!\n)")
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_UTF_8 = frozenset({b"utf-8", b"utf8"})


def fault(
    code: RejectionCode,
    stage: Stage,
    file: str,
    rule: str,
    detail: str,
) -> SubmissionFault:
    """A fault of one file, with the rule it breaks as evidence."""
    shown = ascii(file[:64])[1:-1]
    return SubmissionFault(
        code, stage, f"{shown}: {detail}", {"file": shown, "rule": rule}
    )


def check_mode(name: str, mode: str, stage: Stage = Stage.FETCH) -> None:
    """Refuse what is no regular file: links, submodules, folders.

    `mode` is git's, in octal. Raises SubmissionFault (not_text).
    """
    if mode not in REGULAR_MODES:
        raise fault(
            RejectionCode.NOT_TEXT,
            stage,
            name,
            "regular_file",
            "is not a regular file",
        )


def check_names_and_sizes(
    sizes: Mapping[str, int], stage: Stage = Stage.FETCH
) -> None:
    """Check the kernel files by name and size (bytes), before reading any.

    Raises SubmissionFault: files_missing, too_large, or not_text for a
    name that is no module's.
    """
    if not sizes:
        raise SubmissionFault(
            RejectionCode.FILES_MISSING,
            stage,
            f"{KERNEL_FOLDER} holds no .py file",
            {"folder": KERNEL_FOLDER, "rule": "files"},
        )
    if len(sizes) > MAX_FILES:
        raise _too_large("files", len(sizes), MAX_FILES, stage)
    for name, size in sorted(sizes.items()):
        if not _FILE_NAME.fullmatch(name):
            raise fault(
                RejectionCode.NOT_TEXT,
                stage,
                name,
                "file_name",
                "is not named like [a-z_][a-z0-9_]*.py",
            )
        if size > MAX_FILE_BYTES:
            raise _too_large("file_bytes", size, MAX_FILE_BYTES, stage, name)
    total = sum(sizes.values())
    if total > MAX_TOTAL_BYTES:
        raise _too_large("total_bytes", total, MAX_TOTAL_BYTES, stage)


def read_text(name: str, content: bytes, stage: Stage = Stage.FETCH) -> str:
    """The text of a kernel file, exactly as Python would read it.

    What a reader could see otherwise than Python runs it is refused: bytes
    that are not UTF-8, a byte order mark, NUL, a carriage return that ends
    a line by itself, and another coding cookie. Raises SubmissionFault
    (not_text).
    """
    broken = _broken_rule(content)
    if broken is None:
        try:
            return content.decode("utf-8")
        except UnicodeDecodeError:
            broken = ("utf_8", "is not UTF-8")
    raise fault(RejectionCode.NOT_TEXT, stage, name, *broken)


def tree_hash(files: Mapping[str, str | bytes]) -> str:
    """SHA-256 over the sorted (name, raw bytes) pairs, in hexadecimal.

    A tag, then each name and content, all as 4-byte big-endian length and
    bytes.
    """
    digest = hashlib.sha256(framed(_TREE_TAG))
    for name, content in sorted(files.items()):
        digest.update(framed(name.encode("utf-8", "surrogatepass")))
        digest.update(framed(to_bytes(content)))
    return digest.hexdigest()


def framed(content: bytes) -> bytes:
    """`content` after its length in 4 bytes, big-endian."""
    return len(content).to_bytes(4, "big") + content


def to_bytes(content: str | bytes) -> bytes:
    """A file's bytes; a text that is not Unicode stays recognisably so."""
    if isinstance(content, bytes):
        return content
    return content.encode("utf-8", "surrogatepass")


def _broken_rule(content: bytes) -> tuple[str, str] | None:
    if content.startswith(_BYTE_ORDER_MARK):
        return "byte_order_mark", "begins with a byte order mark"
    if b"\0" in content:
        return "nul", "holds a NUL byte"
    if _BARE_CR.search(content):
        return "bare_cr", "holds a carriage return without a line feed"
    for line in content.split(b"\n", 2)[:2]:
        if not _COMMENT.match(line):
            continue
        for cookie in _COOKIE.findall(line):
            if cookie.lower() not in _UTF_8:
                return "coding_cookie", "declares a coding other than UTF-8"
    return None


def _too_large(
    rule: str, size: int, limit: int, stage: Stage, name: str | None = None
) -> SubmissionFault:
    return SubmissionFault(
        RejectionCode.TOO_LARGE,
        stage,
        f"{name or KERNEL_FOLDER}: {rule} is {size}, at most {limit}",
        {"file": name, "rule": rule, "size": size, "limit": limit},
    )
