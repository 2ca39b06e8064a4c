"""Screening: the import and call policy over the syntax of a submission.

It is a trip-wire that saves device time: every rule has a dynamic twin in
the judge, and no verdict of cheating rests on it alone.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from quasar_core.domain.aliases import Aliases
from quasar_core.domain.entry_point import exported_names
from quasar_core.domain.findings import Finding
from quasar_core.domain.identity import identity
from quasar_core.domain.import_rules import import_findings
from quasar_core.domain.sources import (
    check_mode,
    check_names_and_sizes,
    read_text,
    to_bytes,
    tree_hash,
)
from quasar_core.domain.syntax import Syntax, parse
from quasar_core.domain.use_rules import use_findings
from quasar_core.errors import RejectionCode, Stage, SubmissionFault

__all__ = [
    "ENTRY_POINT",
    "MAX_NODES",
    "check_mode",
    "check_names_and_sizes",
    "findings",
    "identity",
    "read_text",
    "screen",
    "tree_hash",
]

ENTRY_POINT = "chunk_quasar"

MAX_NODES = 400_000
"""Of the syntax of all files; 1 MiB of written code has fewer."""


def screen(files: Mapping[str, str | bytes]) -> None:
    """Reject a submission that breaks the policy, before anything runs.

    `files` are the kernel files by name. Raises SubmissionFault at stage
    screen with file, line and rule as evidence: not_text, too_large,
    files_missing, syntax_error, forbidden_import, forbidden_call or
    missing_entry_point. The first finding by file and line is told.
    """
    trees = _parse_all(files)
    first = next(_findings(trees), None)
    if first is not None:
        raise SubmissionFault(
            first.code, Stage.SCREEN, first.sentence, first.evidence
        )
    if ENTRY_POINT not in exported_names(trees):
        raise SubmissionFault(
            RejectionCode.MISSING_ENTRY_POINT,
            Stage.SCREEN,
            f"__init__.py does not define or import {ENTRY_POINT}",
            {"file": "__init__.py", "line": 1, "rule": "entry_point"},
        )


def findings(files: Mapping[str, str | bytes]) -> tuple[Finding, ...]:
    """Everything that the policy refuses, by file and line.

    Raises SubmissionFault for files that cannot be read at all.
    """
    return tuple(_findings(_parse_all(files)))


def _parse_all(files: Mapping[str, str | bytes]) -> dict[str, Syntax]:
    contents = {name: to_bytes(text) for name, text in files.items()}
    check_names_and_sizes(
        {name: len(content) for name, content in contents.items()},
        Stage.SCREEN,
    )
    trees = {
        name: parse(name, content)
        for name, content in sorted(contents.items())
    }
    nodes = sum(len(syntax.nodes) for syntax in trees.values())
    if nodes > MAX_NODES:
        raise SubmissionFault(
            RejectionCode.TOO_LARGE,
            Stage.SCREEN,
            f"the syntax has {nodes} nodes, at most {MAX_NODES}",
            {"rule": "nodes", "size": nodes, "limit": MAX_NODES},
        )
    return trees


def _findings(trees: Mapping[str, Syntax]) -> Iterator[Finding]:
    aliases = Aliases(trees)
    for file, syntax in trees.items():
        yield from sorted(
            (
                *import_findings(file, syntax),
                *use_findings(file, syntax, aliases),
            ),
            key=lambda finding: finding.position,
        )
