"""Scopes: which binding of a name an expression means.

Functions and lambdas have scopes, as in Python. The bodies of classes and
comprehensions count as part of what they stand in, but bind nothing there:
a name in doubt is taken for the outer one, which may be a module.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable
from dataclasses import dataclass, field

_Function = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda


@dataclass(frozen=True)
class _Scope:
    """A module's or function's own names; `path` is where they lie."""

    path: str
    parent: _Scope | None
    bound: set[str] = field(default_factory=set[str])
    declared_global: set[str] = field(default_factory=set[str])
    declared_outer: set[str] = field(default_factory=set[str])

    def path_of(self, name: str) -> str:
        scope = self
        while scope.parent is not None:
            if name in scope.declared_global:
                return f"{scope.root}.{name}"
            if name in scope.bound and name not in scope.declared_outer:
                break
            scope = scope.parent
        return f"{scope.path}.{name}"

    @property
    def root(self) -> str:
        """The path of the module."""
        return self.path.partition(".<")[0]


@dataclass(frozen=True)
class _Visit:
    """A node to be looked at, and whether a name bound there is one."""

    node: ast.AST
    scope: _Scope
    binds: bool


class Scopes:
    """The scopes of one file."""

    def __init__(self, module: str, tree: ast.Module) -> None:
        self._scope_of: dict[ast.AST, _Scope] = {}
        self._count = 0
        self._stack = [_Visit(tree, _Scope(module, None), binds=True)]
        while self._stack:
            self._look(self._stack.pop())

    def path_of(self, node: ast.AST, name: str) -> str:
        """The dotted path of `name` as `node` (a name, an import) means it.

        A local name's path holds its function's number in angle brackets,
        which no name of Python can.
        """
        return self._scope_of[node].path_of(name)

    def _look(self, visit: _Visit) -> None:
        node, scope = visit.node, visit.scope
        match node:
            case ast.Name(id=name, ctx=context):
                self._scope_of[node] = scope
                if visit.binds and not isinstance(context, ast.Load):
                    scope.bound.add(name)
            case ast.Import(names=aliases) | ast.ImportFrom(names=aliases):
                self._scope_of[node] = scope
                if visit.binds:
                    scope.bound.update(
                        alias.asname or alias.name.partition(".")[0]
                        for alias in aliases
                    )
            case ast.Global(names=names):
                scope.declared_global.update(names)
            case ast.Nonlocal(names=names):
                scope.declared_outer.update(names)
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.Lambda():
                self._enter(node, visit)
            case ast.ClassDef():
                self._pass_class(node, visit)
            case ast.comprehension(target=target):
                self._push([target], scope, binds=False)
                self._push((node.iter, *node.ifs), scope, binds=visit.binds)
            case _:
                self._pass_through(visit)

    def _pass_through(self, visit: _Visit) -> None:
        name = getattr(visit.node, "name", None)
        # An exception's name, a pattern's capture.
        if visit.binds and isinstance(name, str):
            visit.scope.bound.add(name)
        self._push(
            ast.iter_child_nodes(visit.node), visit.scope, binds=visit.binds
        )

    def _pass_class(self, node: ast.ClassDef, visit: _Visit) -> None:
        if visit.binds:
            visit.scope.bound.add(node.name)
        self._push(node.body, visit.scope, binds=False)
        self._push(
            (*node.bases, *node.keywords, *node.decorator_list),
            visit.scope,
            binds=visit.binds,
        )

    def _enter(self, node: _Function, visit: _Visit) -> None:
        """Open a function's scope for its parameters and body.

        Its decorators, defaults and annotations belong to the outer one.
        """
        self._count += 1
        outer, arguments = visit.scope, node.args
        inner = _Scope(f"{outer.root}.<{self._count}>", outer)
        parameters = [
            *arguments.posonlyargs,
            *arguments.args,
            *arguments.kwonlyargs,
            *filter(None, (arguments.vararg, arguments.kwarg)),
        ]
        inner.bound.update(parameter.arg for parameter in parameters)
        outside: list[ast.AST | None] = [
            *arguments.defaults,
            *arguments.kw_defaults,
            *(parameter.annotation for parameter in parameters),
        ]
        if isinstance(node, ast.Lambda):
            self._push([node.body], inner, binds=True)
        else:
            outside += [*node.decorator_list, node.returns]
            self._push(node.body, inner, binds=True)
            if visit.binds:
                outer.bound.add(node.name)
        self._push(filter(None, outside), outer, binds=visit.binds)

    def _push(
        self, nodes: Iterable[ast.AST], scope: _Scope, *, binds: bool
    ) -> None:
        self._stack.extend(_Visit(node, scope, binds) for node in nodes)
