"""Identity: what makes two submissions the same code."""

from __future__ import annotations

import ast
import hashlib
from collections.abc import Iterator, Mapping
from typing import cast

from quasar_core.domain.sources import framed, to_bytes
from quasar_core.domain.syntax import parse
from quasar_core.errors import SubmissionFault

_TAG = b"quasar/identity/v1"
_UNSEEN_FIELDS = frozenset({"ctx", "kind", "type_comment", "type_ignores"})


def identity(files: Mapping[str, str | bytes]) -> str:
    """SHA-256 over the sorted (name, normalised syntax tree), in hex.

    Layout, comments, docstrings and other statements that are mere
    constants do not count. A file that does not parse stands for its own
    bytes, so that every submission has an identity.
    """
    digest = hashlib.sha256(framed(_TAG))
    for name, content in sorted(files.items()):
        digest.update(framed(name.encode("utf-8", "surrogatepass")))
        digest.update(_file_digest(name, to_bytes(content)))
    return digest.hexdigest()


def _file_digest(name: str, content: bytes) -> bytes:
    try:
        tree = parse(name, content).tree
    except SubmissionFault:
        return hashlib.sha256(framed(b"bytes") + content).digest()
    digest = hashlib.sha256(framed(b"tree"))
    for token in _tokens(tree):
        digest.update(framed(token))
    return digest.digest()


def _tokens(tree: ast.AST) -> Iterator[bytes]:
    """The tree in a form that has one reading; never recurses.

    Fields that are empty are left out, so that an identity stays when a
    release of Python adds one.
    """
    stack: list[object] = [tree]
    while stack:
        item = stack.pop()
        if isinstance(item, bytes):
            yield item
        elif isinstance(item, ast.AST):
            yield type(item).__name__.encode()
            stack.append(b")")
            for field, value in reversed(list(ast.iter_fields(item))):
                if field not in _UNSEEN_FIELDS and value not in (None, []):
                    stack.extend((value, b"." + field.encode()))
        elif isinstance(item, list):
            parts = cast("list[object]", item)
            kept = [part for part in parts if not _is_idle(part)]
            yield b"[%d" % len(kept)
            stack.extend(reversed(kept))
        else:
            yield _scalar(item)


def _is_idle(item: object) -> bool:
    """Whether it is a statement that does nothing, such as a docstring."""
    return isinstance(item, ast.Expr) and isinstance(item.value, ast.Constant)


def _scalar(value: object) -> bytes:
    """A name or constant with its type: 1, 1.0 and True are three."""
    if isinstance(value, int) and not isinstance(value, bool):
        # Decimal digits of a huge number are refused by the interpreter.
        return b"int " + format(value, "x").encode()
    return f"{type(value).__name__} {value!a}".encode()
