"""The catalogue: each attack and look-alike as files and a record.

A fixture is a folder that holds `record.toml` and kernel files. Beside them
lies `honest.py`, a right kernel, perhaps changed by the record's patches; a
folder without `__init__.py` exports that one.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from quasar_core.contracts.reports import Source
from quasar_core.judge.pinned import source_of

from tests.support.kernel_sources import changed

HERE = Path(__file__).parent
ATTACKS, LOOK_ALIKES = HERE / "attacks", HERE / "look_alikes"
FAMILIES = {"A": "against the clock", "B": "against the comparison"}
FAMILIES |= {"C": "against the worker"}
EXPORT = b"from .honest import chunk_quasar as chunk_quasar\n"
SHORT = (64, 128, 192)


@dataclass(frozen=True)
class Fixture:
    """What a kernel does, and what must become of it.

    `screen` is the code by which the screen turns it down, empty where the
    screen lets it pass. Whatever the screen says, the kernel is also run:
    then `verdict` is caught (by one of `codes` at one of `stages`),
    neutralised (it runs, and gains nothing) or passed (it is honest).
    `quick` ones are run by `make test`, all by `make redteam`; `gpu` ones
    need a device.
    """

    name: str
    id: str
    family: str
    does: str
    screen: str
    verdict: str
    files: dict[str, bytes]
    codes: tuple[str, ...] = ()
    stages: tuple[str, ...] = ()
    or_neutralised: bool = False
    quick: bool = False
    gpu: bool = False
    lengths: tuple[int, ...] = SHORT
    memory_mib: int = 768

    @property
    def source(self) -> Source:
        """Its kernel files as they would be submitted."""
        return source_of(self.files)

    @property
    def expected(self) -> str:
        """The verdict in a few words."""
        if not self.codes:
            return self.verdict
        codes, stages = "|".join(self.codes), "|".join(self.stages)
        more = " or neutralised" if self.or_neutralised else ""
        return f"{self.verdict}: {codes} at {stages}{more}"


def read(folder: Path) -> Fixture:
    """The fixture of a folder."""
    record: dict[str, Any] = tomllib.loads(
        (folder / "record.toml").read_text(encoding="utf-8")
    )
    patches = [(one["old"], one["new"]) for one in record.pop("patch", ())]
    files = {"honest.py": changed(*patches).encode(), "__init__.py": EXPORT}
    files |= {path.name: path.read_bytes() for path in folder.glob("*.py")}
    for name in ("codes", "stages", "lengths"):
        if name in record:
            record[name] = tuple(record[name])
    return Fixture(name=folder.name, files=files, **record)


def catalogue(root: Path) -> tuple[Fixture, ...]:
    """All fixtures below a folder, in the order of their ids."""
    found = [read(path.parent) for path in root.glob("*/record.toml")]
    return tuple(sorted(found, key=_place))


def _place(fixture: Fixture) -> tuple[str, int, str]:
    number = fixture.id[1:]
    return (
        fixture.family,
        int(number) if number.isdigit() else 0,
        fixture.name,
    )


def quick_attacks(family: str) -> list[Fixture]:
    """Those of a family that `make test` runs, too."""
    return [
        one
        for one in catalogue(ATTACKS)
        if one.family == family and one.quick and not one.gpu
    ]


def name_of(fixture: Fixture) -> str:
    """How a test is called that runs it."""
    return fixture.name
