"""One judging: from a source to a rejection or a timing."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from quasar_core.contracts.reports import (
    CorrectnessReport,
    JudgeReport,
    Source,
    Timing,
)
from quasar_core.domain.scores import drift
from quasar_core.domain.workload import judged_length
from quasar_core.errors import Stage, SubmissionFault, TransientError
from quasar_core.execution.sandbox import Sandbox
from quasar_core.execution.screening import screen_inside
from quasar_core.judge.draws import (
    Draw,
    correctness_shapes,
    proved_dtype,
    telling_draws,
)
from quasar_core.judge.faults import Patience
from quasar_core.judge.ground import Ground
from quasar_core.judge.grounds import ground_of
from quasar_core.judge.health import healthy
from quasar_core.judge.inputs import draw_inputs
from quasar_core.judge.manifest import make_manifest
from quasar_core.judge.pinned import baseline_files, source_files
from quasar_core.judge.progress import Listener, told
from quasar_core.judge.rejections import (
    RejectedError,
    blamed,
    rejection_of,
)
from quasar_core.judge.rest import measure_rest
from quasar_core.judge.room import SMOKE_TOKENS, Room
from quasar_core.judge.rules import rule_of
from quasar_core.judge.seat import Seat
from quasar_core.judge.seeds import Seeds
from quasar_core.judge.settings import JudgeSettings
from quasar_core.judge.shapes import Extent
from quasar_core.judge.stillness import Stillness
from quasar_core.judge.table import Table
from quasar_core.judge.timing import (
    Race,
    RawTimes,
    timing_report,
)
from quasar_core.judge.trees import unblamed
from quasar_core.judge.turns import own_turn


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
    ground: Ground | None = None,
) -> JudgeReport:
    """Screen, run, check and time a submission.

    What the submission does wrong comes back as `rejection`. Raises
    TransientError for the world's faults, SandboxUnavailable where no
    stranger's code can be run. Sets torch's threads for this process;
    `ground` is on what it is done, where that is not the profile's own;
    `seed` is the run's master in hex where somebody has committed to it, as
    of an earlier run that is run again; `scratch` is where it puts its
    folders.
    """
    ground = ground or ground_of(settings)
    ground.prepare(settings)
    seeds = Seeds.of(run_id, seed)
    with own_turn(settings, ground.lock_name), healthy(ground):
        isolation = sandbox.preflight()
        judging = Judging(
            source,
            judged_length(target_sequence_length),
            seeds,
            settings,
            sandbox,
            progress,
            ground,
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
    ground: Ground
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
            room = Room(
                self.sandbox,
                self.seeds,
                self.settings,
                Path(folder),
                self.ground,
            )
            overhead = room.exchange_cost(self.settings.shape(self.tokens))
            still = room.stillness()
            with ExitStack() as seats:
                take = partial(room.seat, seats, extent=self._extent)
                candidate = take("candidate", files)
                raw = self._stages(candidate, take, still)
            self._note(candidate, still)
        rest = measure_rest(self.tokens, self.settings, self.ground)
        timing = timing_report(self.tokens, raw, overhead, rest)
        check_drift(timing, self.settings)
        return timing

    def _stages(
        self, candidate: Seat, take: Callable[..., Seat], still: Stillness
    ) -> RawTimes:
        """Smoke to timed."""
        memory = self.ground.memory(self._extent.output_bytes)
        rule = rule_of(self.settings)
        raced = Table(candidate, self.seeds, memory, rule)
        # While the sandbox imports the kernel, the referee proves that its
        # inputs can tell right from wrong.
        draws = telling_draws(
            self.seeds, self.tokens, self.settings, self.ground.device
        )
        self._smoke(raced, still)
        # The trusted kernel gets ready while nothing is timed.
        baseline = take("baseline", baseline_files())
        self._correct(raced, draws)
        unblamed(lambda: baseline.ready(self._patience(Stage.SMOKE)))
        baseline.freeze()
        trusted = Table(baseline, self.seeds, memory, rule)
        race = self._warm_up(raced, trusted, still)
        with told(Stage.TIMED, self.progress) as detail, blamed(Stage.TIMED):
            race.patience = self._patience(Stage.TIMED)
            raw = race.run(unblamed)
            detail["samples"] = len(raw.candidate)
        return raw

    def _smoke(self, raced: Table, still: Stillness) -> None:
        patience = self._patience(Stage.SMOKE)
        with told(Stage.SMOKE, self.progress), blamed(Stage.SMOKE):
            raced.seat.ready(patience)
            shape = self.settings.shape(SMOKE_TOKENS)
            raced.fresh_call(Stage.SMOKE.value, 0, shape, patience)
            # before the trusted kernel needs some of it
            still.look(raced.seat)

    def _correct(self, raced: Table, draws: Sequence[Draw]) -> None:
        stage = Stage.CORRECTNESS
        patience = self._patience(stage)
        with told(stage, self.progress) as detail, blamed(stage):
            for draw in draws:
                inputs = draw.inputs(self.seeds, self.ground.device)
                raced.call(inputs, patience)
            detail["checks"] = raced.worst.checks
            detail["worst_row_error"] = raced.worst.error
        self.correctness = CorrectnessReport(
            checks=raced.worst.checks,
            worst_row_error=raced.worst.error,
            worst_family=raced.worst.family,
            bound=raced.rule.bound,
        )

    def _warm_up(self, raced: Table, trusted: Table, still: Stillness) -> Race:
        shape = self.settings.shape(self.tokens)
        first = draw_inputs(
            self.seeds,
            Stage.WARM_UP.value,
            0,
            shape,
            device=self.ground.device,
        )
        race = Race(
            candidate=raced,
            baseline=trusted,
            shape=shape,
            settings=self.settings,
            patience=self._patience(Stage.WARM_UP),
            baseline_patience=self._patience(Stage.WARM_UP),
            dtype=proved_dtype(first),
            ground=self.ground,
            still=still,
        )
        stage = Stage.WARM_UP
        with told(stage, self.progress) as detail, blamed(stage):
            detail["calls"] = race.warm_up()
            still.freeze(raced.seat)
            unblamed(race.warm_up_baseline)
        return race

    def _patience(self, stage: Stage) -> Patience:
        return Patience(self.settings.limits.seconds(stage))

    @property
    def _extent(self) -> Extent:
        shapes = correctness_shapes(self.tokens, self.settings)
        return Extent.of(
            self.settings.shape(self.tokens), *(shape for shape, _ in shapes)
        )

    def _note(self, candidate: Seat, still: Stillness) -> None:
        outcome = candidate.leave()
        peak = outcome.peak_memory_bytes
        if peak is not None:
            self.facts["peak_memory_bytes"] = str(peak)
        if self.ground.view is not None:
            self.facts["gpu_peak_memory_bytes"] = str(still.most(candidate))
        self.facts.update(self.ground.facts())


def check_drift(timing: Timing, settings: JudgeSettings) -> None:
    """Raise TransientError where the machine was not the same throughout.

    The trusted kernel's own blocks say so, and the recorder asks again.
    """
    bound = settings.profile.drift_bound
    found = drift(timing.baseline_samples)
    if bound is not None and found > bound:
        raise TransientError(
            f"the trusted kernel drifted by {found:.1%} during the run"
        )
