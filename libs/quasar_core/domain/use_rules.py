"""Use rules: what the names and attributes of a kernel file may reach."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass, field

from quasar_core.domain.aliases import (
    Aliases,
    TangledNames,
    chain_of,
)
from quasar_core.domain.findings import Finding, finding
from quasar_core.domain.import_policy import (
    attribute_rule,
    is_dunder,
    path_rule,
)
from quasar_core.domain.import_tables import MODULES, PACKAGE
from quasar_core.domain.syntax import (
    Syntax,
    class_statements,
    parse_annotation,
)
from quasar_core.domain.use_tables import (
    ALLOWED_DUNDERS,
    ATTRIBUTE_BUILTINS,
    FORBIDDEN_NAMES,
)
from quasar_core.errors import RejectionCode

_CODE = RejectionCode.FORBIDDEN_CALL
_ASKERS = ATTRIBUTE_BUILTINS | {"hasattr"}
_CALLS = (ast.Call, ast.Lambda, ast.NamedExpr, ast.comprehension)


@dataclass(frozen=True)
class _File:
    """One file, with what its nodes' parents allow them."""

    name: str
    aliases: Aliases
    inner: set[ast.AST] = field(default_factory=set[ast.AST])
    """Bases of attributes: judged with the whole of their chain."""
    called: set[ast.AST] = field(default_factory=set[ast.AST])
    may_be_module: set[ast.AST] = field(default_factory=set[ast.AST])
    decorates: set[ast.AST] = field(default_factory=set[ast.AST])
    """Innermost decorators of classes that are all their own."""

    def finding(
        self, node: ast.stmt | ast.expr | ast.pattern, rule: str, name: str
    ) -> Finding:
        return finding(_CODE, self.name, node, rule, name)


def use_findings(
    file: str, syntax: Syntax, aliases: Aliases
) -> Iterator[Finding]:
    """What the policy refuses of the expressions in one file."""
    noted = _File(file, aliases)
    for node in syntax.nodes:
        _note(noted, node)
    for node in syntax.nodes:
        if isinstance(node, ast.ClassDef):
            # `A.t` is not followed, so a class may not hold a module.
            noted.may_be_module.difference_update(
                inner.value
                for inner in class_statements(node)
                if isinstance(inner, ast.Assign | ast.AnnAssign)
                and inner.value is not None
            )
    for node in syntax.nodes:
        yield from _node_findings(noted, node)


def _note(file: _File, node: ast.AST) -> None:
    """Remember what a node says about the nodes below it."""
    match node:
        case ast.Attribute(value=value):
            file.inner.add(value)
        case ast.Call(func=func, args=args):
            file.called.add(func)
            if isinstance(func, ast.Name) and func.id in _ASKERS:
                file.may_be_module.update(args[:1])
        case ast.Assign(targets=targets, value=value):
            if all(isinstance(target, ast.Name) for target in targets):
                file.may_be_module.add(value)
        case ast.AnnAssign(target=ast.Name(), value=ast.expr() as value):
            file.may_be_module.add(value)
        case ast.ClassDef(bases=[], keywords=[], decorator_list=[*_, last]):
            match last:
                case ast.Call(func=func, args=[]):
                    file.decorates.add(func)
                case _:
                    file.decorates.add(last)
        case _:
            pass


def _node_findings(file: _File, node: ast.AST) -> Iterator[Finding]:
    match node:
        case ast.Name():
            yield from _name_findings(file, node)
        case ast.Attribute():
            yield from _attribute_findings(file, node)
        case ast.Call():
            yield from _call_findings(file, node)
        case ast.MatchClass(kwd_attrs=attributes):
            for attribute in attributes:
                rule = attribute_rule(attribute)
                if rule is not None:
                    yield file.finding(node, rule, attribute)
        case (
            ast.arg(annotation=ast.expr() as annotation)
            | ast.AnnAssign(annotation=annotation)
            | ast.FunctionDef(returns=ast.expr() as annotation)
            | ast.AsyncFunctionDef(returns=ast.expr() as annotation)
        ):
            yield from _annotation_findings(file, annotation)
        case _:
            pass


def _name_findings(file: _File, node: ast.Name) -> Iterator[Finding]:
    if is_dunder(node.id) and node.id not in ALLOWED_DUNDERS:
        yield file.finding(node, "dunder", node.id)
    if not isinstance(node.ctx, ast.Load):
        return
    if node.id in FORBIDDEN_NAMES:
        yield file.finding(node, "forbidden_name", node.id)
    if node.id in ATTRIBUTE_BUILTINS and node not in file.called:
        yield file.finding(node, "computed_attribute", node.id)
    yield from _chain_findings(file, node)


def _attribute_findings(file: _File, node: ast.Attribute) -> Iterator[Finding]:
    rule = attribute_rule(node.attr)
    if rule is not None:
        yield file.finding(node, rule, _written(node))
    else:
        yield from _chain_findings(file, node)


def _chain_findings(
    file: _File, node: ast.expr, *attributes: str
) -> Iterator[Finding]:
    """Judge a whole chain by everything that it may stand for."""
    chain = None if node in file.inner else chain_of(node)
    if chain is None:
        return
    name, parts = chain
    try:
        paths = file.aliases.meanings(file.name, name, parts + attributes)
    except TangledNames:
        yield file.finding(node, "tangled_names", _written(node))
        return
    for path in sorted(paths):
        rule = path_rule(path)
        if rule is not None:
            yield file.finding(node, rule, path)
        elif path in MODULES and node not in file.may_be_module:
            yield file.finding(node, "module_as_value", path)
        elif _compiles_names(path) and node not in file.decorates:
            yield file.finding(node, "dataclass_use", path)


def _compiles_names(path: str) -> bool:
    """Whether it is the decorator that compiles the names of fields.

    A metaclass, or a class made by a call, may give it any text for a name;
    a class statement without bases cannot.
    """
    return path.endswith(".dataclass") and not path.startswith(PACKAGE)


def _written(node: ast.expr) -> str:
    """A chain as it is written, for the miner to find."""
    chain = chain_of(node)
    if chain is None:
        return node.attr if isinstance(node, ast.Attribute) else ""
    return ".".join((chain[0].id, *chain[1]))


def _call_findings(file: _File, node: ast.Call) -> Iterator[Finding]:
    if not isinstance(node.func, ast.Name):
        return
    if node.func.id == "type" and (len(node.args) != 1 or node.keywords):
        yield file.finding(node, "type_call", "type")
    if node.func.id not in ATTRIBUTE_BUILTINS:
        return
    match node.args:
        case [ast.expr() as base, ast.Constant(value=str(attribute)), *_]:
            rule = attribute_rule(attribute)
            if rule is not None:
                yield file.finding(node, rule, attribute)
            else:
                yield from _chain_findings(file, base, attribute)
        case _:
            yield file.finding(node, "computed_attribute", node.func.id)


def _annotation_findings(
    file: _File, annotation: ast.expr
) -> Iterator[Finding]:
    """Quoted annotations are code to whoever evaluates them.

    Libraries do (`torch.library.custom_op`), so none may hold a call.
    """
    for node in ast.walk(annotation):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            quoted = parse_annotation(node.value)
            if quoted is not None and any(
                isinstance(inner, _CALLS) for inner in ast.walk(quoted)
            ):
                yield file.finding(node, "call_in_annotation", node.value)
