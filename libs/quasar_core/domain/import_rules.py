"""Import rules: what the import statements of a kernel file may say."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from quasar_core.domain.aliases import import_target
from quasar_core.domain.findings import Finding, finding
from quasar_core.domain.import_policy import import_rule
from quasar_core.domain.import_tables import PACKAGE
from quasar_core.domain.syntax import Syntax, class_statements
from quasar_core.errors import RejectionCode

_CODE = RejectionCode.FORBIDDEN_IMPORT


def import_findings(file: str, syntax: Syntax) -> Iterator[Finding]:
    """What the policy refuses of the imports in one file."""
    for node in syntax.nodes:
        match node:
            case ast.Import(names=names):
                for alias in names:
                    rule = import_rule(alias.name)
                    if rule is not None:
                        yield finding(_CODE, file, node, rule, alias.name)
            case ast.ImportFrom():
                yield from _from_findings(file, node)
            case ast.ClassDef():
                yield from _class_findings(file, node)
            case _:
                pass


def _from_findings(file: str, node: ast.ImportFrom) -> Iterator[Finding]:
    source = import_target(node)
    if source is None:
        name = "." * node.level + (node.module or "")
        yield finding(
            _CODE, file, node, "relative_import_leaves_package", name
        )
        return
    for alias in node.names:
        if alias.name == "*":
            rule = import_rule(source)
            if rule is None and not _is_own(source):
                rule = "star_import"
        else:
            rule = import_rule(f"{source}.{alias.name}")
        if rule is not None:
            name = f"{source}.{alias.name}"
            yield finding(_CODE, file, node, rule, name)


def _class_findings(file: str, node: ast.ClassDef) -> Iterator[Finding]:
    for inner in class_statements(node):
        if isinstance(inner, ast.Import | ast.ImportFrom):
            yield finding(_CODE, file, inner, "import_in_class", node.name)


def _is_own(module: str) -> bool:
    return f"{module}.".startswith(f"{PACKAGE}.")
