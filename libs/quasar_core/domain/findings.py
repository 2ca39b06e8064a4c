"""Findings: one place in a kernel file that breaks a rule, and why."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from quasar_core.errors import Evidence, RejectionCode

EXPLANATIONS: Mapping[str, str] = MappingProxyType(
    {
        "call_in_annotation": "a quoted annotation holds a call",
        "computed_attribute": (
            "an attribute is asked for by a computed name; write it out"
        ),
        "dangerous_attribute": "leads out of what a kernel needs",
        "dataclass_use": (
            "stands as the innermost decorator of a class without bases"
        ),
        "dunder": "is one of Python's own internals",
        "forbidden_name": "is a builtin that kernels may not use",
        "import_in_class": "imports belong outside of classes",
        "module_as_value": (
            "a module may be named, not passed about as a value"
        ),
        "not_allowed": "is not on the list of what kernels may import",
        "private_name": "is private to a library",
        "relative_import_leaves_package": (
            "relative imports stay inside fla.ops.quasar"
        ),
        "standard_module": "reaches a module that a library imports",
        "star_import": "import names one by one from outside the package",
        "tangled_names": "has more meanings than can be followed",
        "type_call": "classes are written out, not made by a call of type",
    }
)


@dataclass(frozen=True)
class Finding:
    """What is refused: code, file, line, rule, and the name at fault."""

    code: RejectionCode
    file: str
    line: int
    column: int
    rule: str
    name: str

    @property
    def position(self) -> tuple[int, int, str, str]:
        """What findings in one file are sorted by."""
        return (self.line, self.column, self.rule, self.name)

    @property
    def sentence(self) -> str:
        """Where and why, in plain words."""
        return (
            f"{self.file}:{self.line}: {self.name}:"
            f" {EXPLANATIONS[self.rule]}"
        )

    @property
    def evidence(self) -> Evidence:
        """File, line, rule and name."""
        return {
            "file": self.file,
            "line": self.line,
            "rule": self.rule,
            "name": self.name,
        }


def finding(
    code: RejectionCode,
    file: str,
    node: ast.stmt | ast.expr | ast.pattern,
    rule: str,
    name: str,
) -> Finding:
    """A finding at a node; the name is cut and shown in ASCII."""
    return Finding(
        code,
        file,
        node.lineno,
        node.col_offset,
        rule,
        ascii(name[:100])[1:-1],
    )
