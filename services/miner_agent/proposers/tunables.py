"""Tunables: the whole numbers that a kernel's files declare, by syntax.

Nothing is run or imported: a file is parsed, and a number is replaced where
it stands in the text.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

LARGEST = 1 << 20
MOST_WARPS = 32
MOST_STAGES = 8

_CONSTANT = re.compile(r"_?[A-Z][A-Z0-9_]*")
_WARPS = re.compile(r"(?:num_)?warps")
_STAGES = re.compile(r"(?:num_)?stages")


@dataclass(frozen=True)
class Tunable:
    """A number that may be another: where it stands, and what it is now.

    `key` names it for as long as the file keeps its shape: the file, the
    name, and for a name that occurs more than once its number. Columns are
    in bytes of the line, as Python's parser counts them.
    """

    key: str
    name: str
    value: int
    line: int
    column: int
    end_column: int

    def neighbours(self) -> tuple[int, ...]:
        """The next values up and down.

        Twice and half, as block sizes go, then four times and a quarter:
        a small step may drown in noise. Stages by one and two.
        """
        if _STAGES.fullmatch(self.name):
            most, steps = MOST_STAGES, [self.value + n for n in (1, -1, 2, -2)]
        else:
            most = MOST_WARPS if _WARPS.fullmatch(self.name) else LARGEST
            doubled, halved = self.value * 2, self.value // 2
            steps = [doubled, halved, doubled * 2, halved // 2]
        return tuple(each for each in steps if 1 <= each <= most)


def find_tunables(files: Mapping[str, str]) -> tuple[Tunable, ...]:
    """The tunables of all files, in order of file and place.

    Constants of a module (`BLOCK = 64`); whole numbers given by name in
    calls: warps, stages, and names in capitals (`kernel[grid](..., BT=64,
    num_warps=4)`, `triton.Config({"BT": 64})`); and those given in order to
    a class of the same file (`Tile(16, 4, 3)`). A file that does not parse
    has none.
    """
    return tuple(
        tunable
        for name in sorted(files)
        for tunable in _of_file(name, files[name])
    )


def with_values(
    files: Mapping[str, str], values: Mapping[str, int]
) -> dict[str, str]:
    """The files that change when tunables take these values, by key."""
    changed: dict[str, list[bytes]] = {}
    for tunable in reversed(find_tunables(files)):
        value = values.get(tunable.key, tunable.value)
        if value == tunable.value:
            continue
        name = tunable.key.partition(":")[0]
        lines = changed.setdefault(
            name, files[name].encode().splitlines(keepends=True)
        )
        line = lines[tunable.line - 1]
        lines[tunable.line - 1] = (
            line[: tunable.column]
            + str(value).encode()
            + line[tunable.end_column :]
        )
    return {name: b"".join(lines).decode() for name, lines in changed.items()}


def _of_file(file: str, text: str) -> Iterator[Tunable]:
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return
    found = sorted(
        {*_constants(tree), *_arguments(tree)},
        key=lambda each: (each[1].lineno, each[1].col_offset),
    )
    seen: dict[str, int] = {}
    for name, node in found:
        seen[name] = seen.get(name, 0) + 1
        number = f"#{seen[name]}" if seen[name] > 1 else ""
        assert isinstance(node.value, int)  # noqa: S101 -- `_is_number`
        yield Tunable(
            key=f"{file}:{name}{number}",
            name=name,
            value=node.value,
            line=node.lineno,
            column=node.col_offset,
            end_column=node.end_col_offset or node.col_offset,
        )


def _constants(tree: ast.Module) -> Iterator[tuple[str, ast.Constant]]:
    for statement in tree.body:
        if isinstance(statement, ast.Assign) and len(statement.targets) == 1:
            target, value = statement.targets[0], statement.value
        elif isinstance(statement, ast.AnnAssign):
            target, value = statement.target, statement.value
        else:
            continue
        if isinstance(target, ast.Name) and _CONSTANT.fullmatch(target.id):
            yield from _number(target.id, value)


def _arguments(tree: ast.Module) -> Iterator[tuple[str, ast.Constant]]:
    fields = _fields(tree)
    for call in ast.walk(tree):
        if not isinstance(call, ast.Call):
            continue
        for keyword in call.keywords:
            if keyword.arg and _is_telling(keyword.arg):
                yield from _number(keyword.arg, keyword.value)
        called = call.func.id if isinstance(call.func, ast.Name) else ""
        for field, argument in zip(
            fields.get(called, ()), call.args, strict=False
        ):
            yield from _number(field, argument)
        for argument in call.args:
            if isinstance(argument, ast.Dict):
                yield from _entries(argument)


def _fields(tree: ast.Module) -> dict[str, list[str]]:
    """The fields of each class that the file declares with annotations."""
    return {
        found.name: [
            each.target.id
            for each in found.body
            if isinstance(each, ast.AnnAssign)
            and isinstance(each.target, ast.Name)
        ]
        for found in tree.body
        if isinstance(found, ast.ClassDef)
    }


def _entries(found: ast.Dict) -> Iterator[tuple[str, ast.Constant]]:
    for key, value in zip(found.keys, found.values, strict=True):
        if isinstance(key, ast.Constant) and _is_telling(str(key.value)):
            yield from _number(str(key.value), value)


def _is_telling(name: str) -> bool:
    return any(
        pattern.fullmatch(name) for pattern in (_CONSTANT, _WARPS, _STAGES)
    )


def _number(
    name: str, value: ast.expr | None
) -> Iterator[tuple[str, ast.Constant]]:
    if isinstance(value, ast.IfExp):
        yield from _number(name, value.body)
        yield from _number(name, value.orelse)
    elif (
        isinstance(value, ast.Constant)
        and type(value.value) is int
        and 1 <= value.value <= LARGEST
    ):
        yield name, value
