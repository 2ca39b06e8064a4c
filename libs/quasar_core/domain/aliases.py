"""Aliases: what a name in a kernel file may stand for.

Names are followed through imports and plain assignments, across scopes and
the files of a submission, without regard to order: a name stands for
everything that any of its bindings could make it.
"""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Iterator, Mapping

from quasar_core.domain.import_tables import KNOWN_AS, PACKAGE
from quasar_core.domain.scopes import Scopes
from quasar_core.domain.syntax import Syntax

MAX_EXPANSIONS = 256
MAX_PATH_PARTS = 32
MAX_BINDINGS = 20_000
MAX_DETOURS = 20_000
"""Steps beyond the few that honest names need, over all look-ups."""

_USUAL_STEPS = 8


class TangledNames(ValueError):
    """A name has more meanings than anybody would write."""


def module_of(file: str) -> str:
    """The dotted path of a kernel file's module."""
    name = file.removesuffix(".py")
    return PACKAGE if name == "__init__" else f"{PACKAGE}.{name}"


def import_target(node: ast.ImportFrom) -> str | None:
    """The module that `from ... import` reads, or None outside the package.

    All files lie in one folder, so one dot is the package and two leave it.
    """
    if node.level > 1:
        return None
    if node.level == 0:
        return node.module or ""
    return f"{PACKAGE}.{node.module}" if node.module else PACKAGE


def chain_of(node: ast.expr) -> tuple[ast.Name, tuple[str, ...]] | None:
    """The name and the attributes of `a.b.c`, or None for anything else."""
    parts: list[str] = []
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    if not isinstance(node, ast.Name):
        return None
    return node, tuple(reversed(parts))


class Aliases:
    """The bindings of all kernel files, as a graph of dotted paths."""

    def __init__(self, trees: Mapping[str, Syntax]) -> None:
        self._edges: dict[str, set[str]] = defaultdict(set)
        self._names: dict[str, set[str]] = defaultdict(set)
        self._stars: set[tuple[str, str]] = set()
        self._bindings = 0
        self._detours = 0
        for alias, path in KNOWN_AS.items():
            self._edges[alias].add(path)
        self._scopes = {
            file: Scopes(module_of(file), syntax.tree)
            for file, syntax in trees.items()
        }
        for file, syntax in trees.items():
            self._read(file, syntax)
        self._spread_stars()
        self._prune()

    def meanings(
        self, file: str, name: ast.Name, attributes: tuple[str, ...]
    ) -> frozenset[str]:
        """The paths that a chain, written in `file`, may stand for.

        A path that begins with the package is a name of its own, with no
        module behind it. Raises TangledNames.
        """
        return self._expand(self._path(file, name, attributes))

    def _path(
        self, file: str, name: ast.Name, attributes: tuple[str, ...] = ()
    ) -> str:
        base = self._scopes[file].path_of(name, name.id)
        return ".".join((base, *attributes))

    def _expand(self, path: str) -> frozenset[str]:
        """The paths at the ends of all ways from `path`."""
        if self._bindings > MAX_BINDINGS or self._detours > MAX_DETOURS:
            raise TangledNames(path)
        ends: set[str] = set()
        seen = {path}
        stack = [path]
        while stack:
            current = stack.pop()
            nexts = set(self._steps(current))
            if not nexts:
                ends.add(current)
            stack.extend(nexts - seen)
            seen |= nexts
            if len(seen) > MAX_EXPANSIONS:
                self._detours += len(seen)
                raise TangledNames(path)
        self._detours += max(0, len(seen) - _USUAL_STEPS)
        return frozenset(ends)

    def _steps(self, path: str) -> Iterator[str]:
        """Where a path leads when one binding in it is followed."""
        parts = path.split(".")
        if len(parts) > MAX_PATH_PARTS:
            raise TangledNames(path)
        for start in _starts(path):
            for target in self._edges.get(start, ()):
                yield target + path[len(start) :]

    def _read(self, file: str, syntax: Syntax) -> None:
        for node in syntax.nodes:
            match node:
                case ast.Import():
                    self._read_import(file, node)
                case ast.ImportFrom():
                    self._read_from(file, node)
                case ast.Assign(targets=targets, value=value):
                    for target in targets:
                        self._assign(file, target, value)
                case ast.AnnAssign(target=target, value=ast.expr() as value):
                    self._assign(file, target, value)
                case _:
                    pass

    def _read_import(self, file: str, node: ast.Import) -> None:
        for alias in node.names:
            root = alias.name.partition(".")[0]
            bound = self._scopes[file].path_of(node, alias.asname or root)
            self._bind(bound, alias.name if alias.asname else root)

    def _read_from(self, file: str, node: ast.ImportFrom) -> None:
        source = import_target(node)
        if source is None:
            return
        for alias in node.names:
            if alias.name == "*":
                self._stars.add((module_of(file), source))
            else:
                name = alias.asname or alias.name
                bound = self._scopes[file].path_of(node, name)
                self._bind(bound, f"{source}.{alias.name}")

    def _assign(self, file: str, target: ast.expr, value: ast.expr) -> None:
        chain = chain_of(value)
        if isinstance(target, ast.Name) and chain is not None:
            self._bind(self._path(file, target), self._path(file, *chain))

    def _bind(self, alias: str, path: str) -> bool:
        """Add a binding, unless it is known or there are too many."""
        # `x = x.T` says nothing new about x.
        if f"{path}.".startswith(f"{alias}."):
            return False
        if path in self._edges[alias] or self._bindings > MAX_BINDINGS:
            return False
        self._edges[alias].add(path)
        module, _, name = alias.rpartition(".")
        self._names[module].add(name)
        self._bindings += 1
        return True

    def _spread_stars(self) -> None:
        """Bind what `from .module import *` brings, through all files."""
        found = True
        while found:
            found = False
            for module, source in self._stars:
                for name in tuple(self._names.get(source, ())):
                    found |= self._bind(f"{module}.{name}", f"{source}.{name}")

    def _is_module(self, path: str) -> bool:
        """Whether it is outside the package, or one of its own files."""
        return path in self._names or not path.startswith(f"{PACKAGE}.")

    def _prune(self) -> None:
        """Forget the names that lead to no module outside the package.

        Honest kernels rebind local names in long chains; only what may
        reach a module has to be followed.
        """
        sources: dict[str, set[str]] = defaultdict(set)
        stack: list[str] = []
        for alias, paths in self._edges.items():
            if any(self._is_module(path) for path in paths):
                stack.append(alias)
            for path in paths:
                for start in _starts(path):
                    sources[start].add(alias)
        reaching = set(stack)
        while stack:
            found = sources[stack.pop()] - reaching
            reaching |= found
            stack.extend(found)
        self._edges = {
            alias: paths
            for alias, paths in self._edges.items()
            if alias in reaching
        }


def _starts(path: str) -> Iterator[str]:
    parts = path.split(".")
    for end in range(1, len(parts) + 1):
        yield ".".join(parts[:end])
