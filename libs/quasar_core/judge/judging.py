"""One judging: from a source to a rejection or a timing."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import torch

from quasar_core.contracts.reports import (
    CorrectnessReport,
    JudgeReport,
    Source,
    Timing,
)
from quasar_core.domain.tolerance import CPU_ROW_ERROR_BOUND
from quasar_core.domain.workload import judged_length
from quasar_core.errors import Stage, SubmissionFault
from quasar_core.execution.sandbox import Sandbox
from quasar_core.execution.screening import screen_inside
from quasar_core.judge.draws import (
    Draw,
    correctness_shapes,
    proved_dtype,
    telling_draws,
)
from quasar_core.judge.exchange import private_memory
from quasar_core.judge.faults import Patience
from quasar_core.judge.inputs import draw_inputs
from quasar_core.judge.manifest import make_manifest
from quasar_core.judge.pinned import baseline_files, source_files
from quasar_core.judge.progress import Listener, told
from quasar_core.judge.rejections import (
    RejectedError,
    blamed,
    rejection_of,
)
from quasar_core.judge.room import Room
from quasar_core.judge.seat import Seat
from quasar_core.judge.seeds import Seeds
from quasar_core.judge.settings import JudgeSettings
from quasar_core.judge.shapes import CallShape
from quasar_core.judge.table import Table
from quasar_core.judge.timing import (
    Race,
    RawTimes,
    measure_rest,
    timing_report,
)
from quasar_core.judge.trees import unblamed
from quasar_core.judge.turns import own_turn

SMOKE_TOKENS = 64


def judge(
    source: Source,
    *,
    target_sequence_length: int,
    run_id: str,
    settings: JudgeSettings,
    sandbox: Sandbox,
    progress: Listener,
    seed: str | None = None,
    scratch: Path | None = None,
) -> JudgeReport:
    """Screen, run, check and time a submission.

    What the submission does wrong comes back as `rejection`. Raises
    TransientError for the world's faults, SandboxUnavailable where no
    stranger's code can be run. Sets torch's threads for this process;
    `seed` is the run's master in hex where somebody has committed to it, as
    of an earlier run that is run again; `scratch` is where it puts its
    folders.
    """
    torch.set_num_threads(settings.num_threads)
    seeds = Seeds.of(run_id, seed)
    with own_turn(settings):
        isolation = sandbox.preflight()
        judging = Judging(
            source,
            judged_length(target_sequence_length),
            seeds,
            settings,
            sandbox,
            progress,
            scratch,
        )
        rejection = timing = None
        try:
            timing = judging.run()
        except RejectedError as rejected:
            rejection = rejected.rejection
        except SubmissionFault as fault:
            rejection = rejection_of(fault)
    manifest = make_manifest(seeds, settings, isolation, source, judging.facts)
    return JudgeReport(
        manifest=manifest,
        rejection=rejection,
        correctness=judging.correctness if timing else None,
        timing=timing,
    )


@dataclass
class Judging:
    """The stages of one judging, cheapest first."""

    source: Source
    tokens: int
    seeds: Seeds
    settings: JudgeSettings
    sandbox: Sandbox
    progress: Listener
    scratch: Path | None = None
    correctness: CorrectnessReport | None = None
    facts: dict[str, str] = field(default_factory=dict)

    def run(self) -> Timing:
        """All stages, until the first verdict against the submission.

        Raises RejectedError or SubmissionFault with it.
        """
        files = source_files(self.source)
        with told(Stage.SCREEN, self.progress):
            screen_inside(self.sandbox, files)
        with tempfile.TemporaryDirectory(
            prefix="quasar-judge-", dir=self.scratch
        ) as folder:
            room = Room(self.sandbox, self.seeds, self.settings, Path(folder))
            overhead = room.exchange_cost(self._shape(self.tokens))
            with ExitStack() as seats:
                take = partial(
                    room.seat, seats, output_bytes=self._output_bytes
                )
                candidate = take("candidate", files)
                raw = self._stages(candidate, take)
            self._note(candidate)
        rest = measure_rest(self.tokens, self.settings)
        return timing_report(self.tokens, raw, overhead, rest)

    def _stages(self, candidate: Seat, take: Callable[..., Seat]) -> RawTimes:
        """Smoke to timed."""
        memory = private_memory(self._output_bytes)
        raced = Table(candidate, self.seeds, memory)
        # While the sandbox imports the kernel, the referee proves that its
        # inputs can tell right from wrong.
        draws = telling_draws(self.seeds, self.tokens, self.settings)
        self._smoke(raced)
        # The trusted kernel gets ready while nothing is timed.
        baseline = take("baseline", baseline_files())
        self._correct(raced, draws)
        unblamed(lambda: baseline.ready(self._patience(Stage.SMOKE)))
        baseline.freeze()
        trusted = Table(baseline, self.seeds, memory)
        race = self._warm_up(raced, trusted)
        with told(Stage.TIMED, self.progress) as detail, blamed(Stage.TIMED):
            race.patience = self._patience(Stage.TIMED)
            raw = race.run(unblamed)
            detail["samples"] = len(raw.candidate)
        return raw

    def _smoke(self, raced: Table) -> None:
        patience = self._patience(Stage.SMOKE)
        with told(Stage.SMOKE, self.progress), blamed(Stage.SMOKE):
            raced.seat.ready(patience)
            shape = self._shape(SMOKE_TOKENS)
            raced.fresh_call(Stage.SMOKE.value, 0, shape, patience)

    def _correct(self, raced: Table, draws: Sequence[Draw]) -> None:
        stage = Stage.CORRECTNESS
        patience = self._patience(stage)
        with told(stage, self.progress) as detail, blamed(stage):
            for draw in draws:
                raced.call(draw.inputs(self.seeds), patience)
            detail["checks"] = raced.worst.checks
            detail["worst_row_error"] = raced.worst.error
        self.correctness = CorrectnessReport(
            checks=raced.worst.checks,
            worst_row_error=raced.worst.error,
            worst_family=raced.worst.family,
            bound=CPU_ROW_ERROR_BOUND,
        )

    def _warm_up(self, raced: Table, trusted: Table) -> Race:
        shape = self._shape(self.tokens)
        first = draw_inputs(self.seeds, Stage.WARM_UP.value, 0, shape)
        race = Race(
            candidate=raced,
            baseline=trusted,
            shape=shape,
            settings=self.settings,
            patience=self._patience(Stage.WARM_UP),
            baseline_patience=self._patience(Stage.WARM_UP),
            dtype=proved_dtype(first),
        )
        stage = Stage.WARM_UP
        with told(stage, self.progress) as detail, blamed(stage):
            detail["calls"] = race.warm_up()
            unblamed(race.warm_up_baseline)
        return race

    def _patience(self, stage: Stage) -> Patience:
        return Patience(self.settings.limits.seconds(stage))

    def _shape(self, tokens: int) -> CallShape:
        return CallShape(
            tokens,
            heads=self.settings.num_heads,
            head_dim=self.settings.head_dim,
        )

    @property
    def _output_bytes(self) -> int:
        shapes = correctness_shapes(self.tokens, self.settings)
        return max(
            self._shape(self.tokens).output_bytes,
            *(shape.output_bytes for shape, _ in shapes),
        )

    def _note(self, candidate: Seat) -> None:
        outcome = candidate.leave()
        peak = outcome.peak_memory_bytes
        if peak is not None:
            self.facts["peak_memory_bytes"] = str(peak)
