"""A challenge: two kernels are run once more in one job, in turns."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from quasar_core.contracts.events import Contender
from quasar_core.contracts.reports import (
    ChallengeFault,
    ChallengeReport,
    ChallengeSide,
    ChallengeTiming,
)
from quasar_core.domain.workload import judged_length
from quasar_core.errors import QuasarError, Stage
from quasar_core.execution.sandbox import Sandbox
from quasar_core.judge.draws import proved_dtype
from quasar_core.judge.faults import Patience
from quasar_core.judge.ground import Ground
from quasar_core.judge.grounds import ground_of
from quasar_core.judge.health import healthy
from quasar_core.judge.inputs import draw_inputs
from quasar_core.judge.manifest import make_manifest
from quasar_core.judge.pinned import source_files
from quasar_core.judge.progress import Listener, told
from quasar_core.judge.rejections import RejectedError, blamed
from quasar_core.judge.rest import measure_rest
from quasar_core.judge.room import SMOKE_TOKENS, Room
from quasar_core.judge.rules import rule_of
from quasar_core.judge.seeds import Seeds
from quasar_core.judge.settings import JudgeSettings
from quasar_core.judge.shapes import CallShape, Extent
from quasar_core.judge.stillness import Stillness
from quasar_core.judge.table import Table
from quasar_core.judge.timing import Race, charged
from quasar_core.judge.turns import own_turn

Name = Literal["challenger", "defender"]

TURNS: tuple[Name, ...] = ("challenger", "defender", "defender", "challenger")
"""A B B A, again and again: a machine that slows down slows both."""


class SideAtFaultError(QuasarError):
    """One of the two did what rejects a submission."""

    def __init__(self, fault: ChallengeFault) -> None:
        super().__init__(f"the {fault.side}: {fault.rejection.code.value}")
        self.fault = fault


def challenge(
    challenger: Contender,
    defender: Contender,
    *,
    run_id: str,
    settings: JudgeSettings,
    sandbox: Sandbox,
    progress: Listener,
    seed: str | None = None,
    scratch: Path | None = None,
    ground: Ground | None = None,
) -> ChallengeReport:
    """Time both, block by block, each call on fresh inputs and in full.

    Each plays at its own length, in its own sandbox, and while one runs
    the other is frozen. Raises TransientError for the world's faults. Sets
    torch's threads for this process.
    """
    ground = ground or ground_of(settings)
    ground.prepare(settings)
    seeds = Seeds.of(run_id, seed)
    timing = fault = None
    with (
        own_turn(settings, ground.lock_name),
        healthy(ground),
        tempfile.TemporaryDirectory(
            prefix="quasar-judge-", dir=scratch
        ) as folder,
    ):
        isolation = sandbox.preflight()
        room = Room(sandbox, seeds, settings, Path(folder), ground)
        duel = Duel(
            room, {"challenger": challenger, "defender": defender}, progress
        )
        try:
            timing = duel.run()
        except SideAtFaultError as found:
            fault = found.fault
    manifest = make_manifest(
        seeds, settings, isolation, challenger.source, ground.facts()
    )
    return ChallengeReport(manifest=manifest, timing=timing, fault=fault)


@dataclass(frozen=True)
class Duel:
    """Both sides of a challenge, from their seats to their times."""

    room: Room
    sides: dict[Name, Contender]
    progress: Listener

    def run(self) -> ChallengeTiming:
        """Smoke, warm-up and the timed blocks; raises SideAtFaultError."""
        overheads = {
            name: self.room.exchange_cost(self._shape(name))
            for name in self.sides
        }
        still = self.room.stillness()
        with ExitStack() as seats:
            races = self._races(seats, still)
            samples, long_runs = self._times(races)
        return ChallengeTiming(
            blocks=self.room.settings.challenge_blocks,
            **{
                name: self._side(
                    name, races[name], overheads[name], samples, long_runs
                )
                for name in self.sides
            },
        )

    def _races(self, seats: ExitStack, still: Stillness) -> dict[Name, Race]:
        """Both kernels warm, each as the other's baseline."""
        extent = Extent.of(*map(self._shape, self.sides))
        memory = self.room.ground.memory(extent.output_bytes)
        rule = rule_of(self.room.settings)
        tables: dict[Name, Table] = {}
        with told(Stage.SMOKE, self.progress):
            # one after the other: what is found then is the last one's
            for name, side in self.sides.items():
                files = source_files(side.source)
                seat = self.room.seat(seats, name, files, extent)
                tables[name] = Table(seat, self.room.seeds, memory, rule)
                self._get_ready(name, tables[name], still)
        races: dict[Name, Race] = {
            name: self._race(name, tables, still) for name in self.sides
        }
        with told(Stage.WARM_UP, self.progress) as detail:
            for name, race in races.items():
                with at_fault(name, Stage.WARM_UP):
                    detail[name] = race.warm_up_alone()
        return races

    def _get_ready(self, name: Name, table: Table, still: Stillness) -> None:
        """Import it and call it once, small, as every judging begins."""
        patience = self._patience(Stage.SMOKE)
        shape = self.room.settings.shape(SMOKE_TOKENS)
        with at_fault(name, Stage.SMOKE):
            table.seat.ready(patience)
            table.fresh_call(f"smoke of {name}", 0, shape, patience)
            still.freeze(table.seat)

    def _race(
        self, name: Name, tables: dict[Name, Table], still: Stillness
    ) -> Race:
        other: Name = "defender" if name == "challenger" else "challenger"
        shape = self._shape(name)
        first = draw_inputs(
            self.room.seeds,
            f"{Stage.WARM_UP.value} of {name}",
            0,
            shape,
            device=self.room.ground.device,
        )
        return Race(
            candidate=tables[name],
            baseline=tables[other],
            shape=shape,
            settings=self.room.settings,
            patience=self._patience(Stage.WARM_UP),
            baseline_patience=self._patience(Stage.WARM_UP),
            dtype=proved_dtype(first),
            ground=self.room.ground,
            still=still,
            label=name,
        )

    def _times(
        self, races: dict[Name, Race]
    ) -> tuple[dict[Name, list[float]], dict[Name, float]]:
        """Raw seconds: single calls in blocks, then one long run of each."""
        settings = self.room.settings
        samples: dict[Name, list[float]] = {name: [] for name in races}
        with told(Stage.TIMED, self.progress) as detail:
            for race in races.values():
                race.patience = self._patience(Stage.TIMED)
            for block in range(settings.challenge_blocks):
                name = TURNS[block % len(TURNS)]
                calls = range(
                    block * settings.block_samples,
                    (block + 1) * settings.block_samples,
                )
                with at_fault(name, Stage.TIMED):
                    samples[name] += races[name].block(calls)
            long_runs: dict[Name, float] = {
                name: self._long_run(name, race)
                for name, race in races.items()
            }
            detail["samples"] = sum(map(len, samples.values()))
        return samples, long_runs

    def _long_run(self, name: Name, race: Race) -> float:
        with at_fault(name, Stage.TIMED):
            return race.back_to_back()

    def _side(
        self,
        name: Name,
        race: Race,
        overhead: float,
        samples: dict[Name, list[float]],
        long_runs: dict[Name, float],
    ) -> ChallengeSide:
        return ChallengeSide(
            sequence_length=race.shape.tokens,
            samples=tuple(charged(raw, overhead) for raw in samples[name]),
            back_to_back=charged(long_runs[name], overhead),
            back_to_back_calls=race.back_to_back_calls,
            rest=measure_rest(
                race.shape.tokens, self.room.settings, self.room.ground
            ),
            overhead=overhead,
        )

    def _shape(self, name: Name) -> CallShape:
        tokens = judged_length(self.sides[name].sequence_length)
        return self.room.settings.shape(tokens)

    def _patience(self, stage: Stage) -> Patience:
        return Patience(self.room.settings.limits.seconds(stage))


@contextmanager
def at_fault(name: Name, stage: Stage) -> Iterator[None]:
    """What a kernel does wrong in here is this side's fault."""
    try:
        with blamed(stage):
            yield
    except RejectedError as found:
        raise SideAtFaultError(
            ChallengeFault(side=name, rejection=found.rejection)
        ) from found
