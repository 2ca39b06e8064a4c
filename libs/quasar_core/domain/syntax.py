"""Syntax: hostile bytes to a syntax tree of bounded depth, or a fault."""

from __future__ import annotations

import ast
import warnings
from collections.abc import Iterator
from dataclasses import dataclass

from quasar_core.domain.sources import fault, read_text
from quasar_core.errors import RejectionCode, Stage, SubmissionFault

MAX_DEPTH = 300
"""Written code stays below 50; a walk that recurses survives this."""

_BEYOND_THE_PARSER = (
    RecursionError,
    MemoryError,
    ValueError,
    OverflowError,
)


@dataclass(frozen=True)
class Syntax:
    """A file's syntax tree, and all of its nodes from the top down."""

    tree: ast.Module
    nodes: tuple[ast.AST, ...]


def parse(name: str, content: bytes, stage: Stage = Stage.SCREEN) -> Syntax:
    """The syntax of a kernel file.

    Raises SubmissionFault: not_text, or syntax_error for whatever the
    parser cannot bear, endless nesting included.
    """
    text = read_text(name, content, stage)
    try:
        tree = _quietly_parsed(text)
    except SyntaxError as error:
        raise _syntax_error(
            name, stage, error.msg, error.lineno or 0
        ) from error
    except _BEYOND_THE_PARSER as error:
        raise _syntax_error(
            name, stage, "cannot be parsed: nested too deeply or malformed"
        ) from error
    nodes = _nodes(tree)
    if nodes is None:
        raise _syntax_error(name, stage, f"nested deeper than {MAX_DEPTH}")
    return Syntax(tree, nodes)


def parse_annotation(text: str) -> ast.Expression | None:
    """The syntax tree of a quoted annotation, or None where it is none.

    An annotation that the parser cannot bear cannot be evaluated either.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return ast.parse(text.strip(), mode="eval")
    except (SyntaxError, *_BEYOND_THE_PARSER):
        return None


def _quietly_parsed(text: str) -> ast.Module:
    with warnings.catch_warnings():
        # "\d" in a stranger's docstring is not our warning to show.
        warnings.simplefilter("ignore")
        return ast.parse(text)


def _nodes(tree: ast.Module) -> tuple[ast.AST, ...] | None:
    """All nodes, or None where they lie too deep; never recurses."""
    found: list[ast.AST] = []
    level: list[ast.AST] = [tree]
    for _ in range(MAX_DEPTH):
        found += level
        level = [
            child for node in level for child in ast.iter_child_nodes(node)
        ]
        if not level:
            return tuple(found)
    return None


def class_statements(node: ast.ClassDef) -> Iterator[ast.AST]:
    """The statements that run in a class's own body, however nested."""
    stack: list[ast.AST] = list(node.body)
    while stack:
        inner = stack.pop()
        yield inner
        if not isinstance(
            inner,
            ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.expr,
        ):
            stack.extend(ast.iter_child_nodes(inner))


def _syntax_error(
    name: str, stage: Stage, reason: str, line: int = 0
) -> SubmissionFault:
    error = fault(
        RejectionCode.SYNTAX_ERROR,
        stage,
        name,
        "syntax",
        f"line {line}: {reason}"[:200],
    )
    return SubmissionFault(
        error.code, stage, error.detail, {**error.evidence, "line": line}
    )
