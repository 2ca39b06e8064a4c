"""The page `docs/configuration.md`: every setting, with what it means."""

from __future__ import annotations

from collections.abc import Iterable

from quasar_core.judge.settings import JudgeSettings

from deploy.reference.variables import (
    READERS,
    Section,
    Variable,
    keys_of,
    sections,
)

OPENING = """\
# Configuration

Everything that a process reads from its environment, or from a file `.env`
in its working directory; the environment wins. A list or an object is
written as JSON. What cannot be read is refused at the start, by name.

Whatever is secret can lie in a file instead: `<NAME>_FILE` names it, as in
`QUASAR_REDIS_URL_FILE=/run/secrets/redis_url`. `<NAME>` itself wins.

This page and [`.env.example`](../.env.example) are written by
`make configuration` from the settings classes, where the descriptions stand;
a test holds them together.
`quasar admin config` shows what an API runs with, without its passwords.
"""

KEYS = """\
## The keys of `QUASAR_JUDGE`

The object may name some of them only; a dot leads into an object of its own:
`QUASAR_JUDGE={"samples": 10, "limits": {"smoke_seconds": 30}}`. All but the
lock and the model's folder are part of a round: what was measured under
others does not count there.
"""

HEAD = """\
| variable | takes | default | meaning | secret |
| --- | --- | --- | --- | --- |
"""
KEYS_HEAD = """\
| key | takes | default | meaning |
| --- | --- | --- | --- |
"""


def page() -> str:
    """The whole page, as it stands in the repository."""
    parts = [OPENING, *map(section, sections()), judge_keys()]
    return "\n".join(parts)


def section(each: Section) -> str:
    """One class of settings: what they are, who reads them, a table."""
    rows = "".join(map(row, each.variables))
    return f"## {title_of(each)}\n\nRead by {who(each)}.\n\n{HEAD}{rows}"


def title_of(each: Section) -> str:
    """What these settings are: the first sentence of their class."""
    sentence = (each.holder.__doc__ or "").split("\n\n")[0]
    return " ".join(sentence.split()).removesuffix(".")


def who(each: Section) -> str:
    """Who reads them, as the end of a sentence."""
    if len(each.readers) == len(READERS):
        return "everybody"
    return listed(each.readers)


def listed(names: tuple[str, ...]) -> str:
    """`a, b and c`."""
    *others, last = names
    return f"{', '.join(others)} and {last}" if others else last


def row(each: Variable) -> str:
    """One variable's line."""
    names = "<br>".join(f"`{name}`" for name in (each.name, *each.also))
    cells = (names, each.kind, default(each), each.meaning)
    return f"| {' | '.join(map(escaped, cells))} | {each.secret or 'no'} |\n"


def default(each: Variable) -> str:
    """A default, or that there is none."""
    if each.default is None:
        return "**must be given**"
    return f"`{each.default}`" if each.default else "unset"


def escaped(cell: str) -> str:
    """A cell's text, with no bar that would end it."""
    return cell.replace("|", "\\|")


def judge_keys() -> str:
    """What the judge's settings hold."""
    return f"{KEYS}\n{KEYS_HEAD}{''.join(key_rows(keys_of(JudgeSettings)))}"


def key_rows(keys: Iterable[Variable]) -> Iterable[str]:
    """A line for each key."""
    for each in keys:
        cells = (f"`{each.name}`", each.kind, default(each), each.meaning)
        yield f"| {' | '.join(map(escaped, cells))} |\n"
