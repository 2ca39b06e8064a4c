"""The file `.env.example`: every setting once, to copy and change."""

from __future__ import annotations

from textwrap import wrap

from deploy.reference.page import listed, title_of
from deploy.reference.variables import Section, Variable, sections

OPENING = """\
# Every setting of every process, with its default. Copy to .env and change
# what differs; a name that is commented out keeps its default.
# docs/configuration.md says more of each. Written by `make configuration`.
"""
WIDTH = 79


def example() -> str:
    """The whole file, as it stands in the repository."""
    seen: set[str] = set()
    parts = [OPENING]
    for each in sections():
        new = [v for v in each.variables if v.name not in seen]
        seen |= {variable.name for variable in new}
        if new:
            parts += [heading(each), *map(lines_of, new)]
    return "\n".join(parts)


def heading(each: Section) -> str:
    """A line that says who reads what follows."""
    return f"# --- {title_of(each)} ".ljust(WIDTH, "-") + "\n"


def lines_of(each: Variable) -> str:
    """What a setting means, and the line that sets it."""
    words = each.meaning
    if each.also:
        words += f" Also read from {listed(each.also)}."
    if each.secret:
        words += f" Secret: {each.secret}."
    told = wrap(words, WIDTH, initial_indent="# ", subsequent_indent="# ")
    given = each.default is None
    line = f"{'' if given else '#'}{each.name}={each.default or ''}"
    return "\n".join([*told, line]) + "\n"
