"""The entry point: what the package of a submission exports."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping

from quasar_core.domain.aliases import import_target, module_of
from quasar_core.domain.syntax import Syntax

PACKAGE_FILE = "__init__.py"

_SCOPES = (
    ast.FunctionDef,
    ast.AsyncFunctionDef,
    ast.ClassDef,
    ast.Lambda,
)


def exported_names(trees: Mapping[str, Syntax]) -> frozenset[str]:
    """The names that `__init__.py` binds when it is imported.

    Star imports are followed into the submission's own files. A binding
    under a condition counts: whether it is met shows when it runs.
    """
    files = {module_of(file): file for file in trees}
    names: set[str] = set()
    seen: set[str] = set()
    stack = [PACKAGE_FILE] if PACKAGE_FILE in trees else []
    while stack:
        file = stack.pop()
        seen.add(file)
        bound, starred = _bindings(trees[file].tree)
        public = {name for name in bound if not name.startswith("_")}
        names |= bound if file == PACKAGE_FILE else public
        stack.extend(
            files[module]
            for module in starred
            if module in files and files[module] not in seen
        )
    return frozenset(names)


def _bindings(tree: ast.Module) -> tuple[set[str], set[str]]:
    """The names bound at a module's top level, and its star imports."""
    bound: set[str] = set()
    starred: set[str] = set()
    for node in _top_level(tree):
        match node:
            case ast.FunctionDef(name=name) | ast.ClassDef(name=name):
                bound.add(name)
            case ast.Name(id=name, ctx=ast.Store()):
                bound.add(name)
            case ast.Import(names=names):
                bound |= {alias.asname or alias.name for alias in names}
            case ast.ImportFrom(names=names):
                for alias in names:
                    if alias.name == "*":
                        starred.add(import_target(node) or "")
                    else:
                        bound.add(alias.asname or alias.name)
            case _:
                pass
    return bound, starred


def _top_level(tree: ast.Module) -> Iterator[ast.AST]:
    """Everything below a module that is in no scope of its own."""
    stack: list[ast.AST] = list(tree.body)
    while stack:
        node = stack.pop()
        yield node
        if not isinstance(node, _SCOPES):
            stack.extend(ast.iter_child_nodes(node))
