"""The arena: fixtures before the real screen and in the real judge."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self
from unittest import mock

from quasar_core.contracts.reports import JudgeReport, Rejection, Timing
from quasar_core.domain.screening import screen
from quasar_core.domain.workload import Profile
from quasar_core.errors import RejectionCode, SubmissionFault
from quasar_core.execution.limits import MIB
from quasar_core.execution.sandbox import Job, Sandbox
from quasar_core.judge import judging
from quasar_core.judge.faults import Patience
from quasar_core.judge.ground import Ground
from quasar_core.judge.grounds import ground_of
from quasar_core.judge.image import empty_job
from quasar_core.judge.inputs import Inputs, draw_inputs
from quasar_core.judge.judging import judge
from quasar_core.judge.pinned import source_of
from quasar_core.judge.protocol import Ask
from quasar_core.judge.rules import rule_of
from quasar_core.judge.seat import Seat
from quasar_core.judge.seeds import Seeds
from quasar_core.judge.settings import JudgeSettings, StageLimits
from quasar_core.judge.shapes import Extent
from quasar_core.judge.table import Table
from quasar_core.judge.trees import kernel_jobs

from tests.redteam.catalogue import SHORT, Fixture
from tests.support.kernel_sources import HONEST
from tests.support.sandboxes import open_descriptors

MOST_GAIN = 1.5
"""What a CPU pool asks of an improvement: less is noise, and no gain.

`make test`, which shares its processors, only asks whether a clock was
fooled: that would be a gain of many times.
"""

TRIES = 3
"""A gain that is not there once is none."""

LENGTH = 192
HEALTH_TOKENS = 128


@dataclass(frozen=True)
class Result:
    """What became of a fixture: `got` in a word, and why in a few."""

    fixture: Fixture
    got: str
    told: str

    @property
    def right(self) -> bool:
        """Whether it is what had to become of it."""
        return self.got in {"caught", "neutralised", "passed"}


@dataclass
class Arena:
    """Judges fixtures one after another, and looks after the worker.

    An honest kernel sits in a sandbox of its own all the while: it is
    called after each fixture, beside a sandbox that is started anew.
    """

    folder: Path
    sandbox: Sandbox
    most_gain: float = MOST_GAIN
    samples: int = 4
    profile: Profile = Profile.CPU
    calls: int = 0
    honest_speedup: float = 1.0
    ground: Ground | None = None
    _stack: ExitStack = field(default_factory=ExitStack)

    def __enter__(self) -> Self:
        settings, seeds = self._settings(None), Seeds.fresh("health")
        self._ground = self.ground or ground_of(settings)
        self._ground.prepare(settings)
        self._health = settings.shape(HEALTH_TOKENS)
        job = kernel_jobs(
            self.folder / "honest",
            {"__init__.py": HONEST.encode()},
            settings,
            self._ground.view,
        )
        seat = self._stack.enter_context(self._seat(job, seeds))
        seat.ready(Patience(120))
        memory = self._ground.memory(self._health.output_bytes)
        self._honest = Table(seat, seeds, memory, rule_of(settings))
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def screened(self, fixture: Fixture) -> str:
        """What is wrong with the screen's answer; empty where nothing is."""
        try:
            screen(fixture.files)
        except SubmissionFault as fault:
            code = fault.code.value
            if code != fixture.screen:
                return f"the screen says {code}: {fault.detail}"
            wanted = {"file", "line", "rule"}
            if fault.code is RejectionCode.NOT_TEXT:
                wanted -= {"line"}
            if not wanted <= set(fault.evidence):
                return f"the screen shows {dict(fault.evidence)} alone"
            return ""
        return f"the screen misses {fixture.screen}" * bool(fixture.screen)

    def withstand(self, fixture: Fixture) -> None:
        """Run a fixture, look after the worker, and assert all of it."""
        before = open_descriptors()
        result = self.run(fixture)
        assert result.right, f"{result.got}: {result.told}"
        self.check_health()
        assert open_descriptors() == before

    def run(self, fixture: Fixture) -> Result:
        """Judge a fixture as if the screen had let it pass."""
        wrong = self.screened(fixture)
        if wrong:
            return Result(fixture, "missed", wrong)
        report = self.judged(fixture)
        gain = self.gain(report.timing)
        for _ in range(TRIES - 1):
            if fixture.verdict == "passed" or gain <= self.most_gain:
                break
            report = self.judged(fixture)
            gain = min(gain, self.gain(report.timing))
        return self._result(fixture, report, gain)

    def judged(self, fixture: Fixture) -> JudgeReport:
        """The real judge's report, its screen left out."""
        # So short a call tells nothing of a machine's drift.
        with (
            mock.patch.object(judging, "screen_inside"),
            mock.patch.object(judging, "check_drift"),
        ):
            return judge(
                fixture.source,
                target_sequence_length=LENGTH,
                run_id=f"redteam-{fixture.name}"[:128],
                settings=self._settings(fixture),
                sandbox=self.sandbox,
                progress=lambda step: None,
                ground=self._ground,
            )

    def whole(self) -> JudgeReport:
        """A whole judging of an honest kernel, the screen included."""
        with mock.patch.object(judging, "check_drift"):
            report = judge(
                source_of({"__init__.py": HONEST.encode()}),
                target_sequence_length=LENGTH,
                run_id="honest",
                settings=self._settings(None),
                sandbox=self.sandbox,
                progress=lambda step: None,
                ground=self._ground,
            )
        if report.timing is not None:
            self.honest_speedup = report.timing.derived().speedup_vs_baseline
        return report

    def check_health(self) -> None:
        """A new sandbox starts, and an honest kernel still is right.

        Raises what is wrong.
        """
        self.calls += 1
        patience = Patience(60)
        seeds = self._honest.seeds
        limits = self._settings(None).sandbox_limits
        view = self._ground.view
        with self._seat(
            lambda fd: empty_job(fd, limits, view), seeds
        ) as empty:
            empty.ready(patience)
            empty.call(
                self._health,
                self._draw().sections,
                patience,
                into=self._honest.memory,
                ask=Ask.NOTHING,
            )
        self._honest.fresh_call("health", self.calls, self._health, patience)

    def gain(self, timing: Timing | None) -> float:
        """How much faster than the honest kernel it was, if it was timed."""
        if timing is None:
            return 0.0
        return timing.derived().speedup_vs_baseline / self.honest_speedup

    def _result(
        self, fixture: Fixture, report: JudgeReport, gain: float
    ) -> Result:
        if report.rejection is not None:
            return _rejected(fixture, report.rejection)
        timing = report.timing
        if timing is None or len(timing.samples) != self.samples:
            return Result(fixture, _failing(fixture), "it was not timed")
        told = f"{gain:.2f} x an honest kernel"
        if fixture.verdict == "passed":
            return Result(fixture, "passed", told)
        harmless = fixture.verdict == "neutralised" or fixture.or_neutralised
        won = not harmless or gain > self.most_gain
        return Result(fixture, "missed" if won else "neutralised", told)

    def _draw(self) -> Inputs:
        return draw_inputs(
            self._honest.seeds,
            "health",
            self.calls,
            self._health,
            device=self._ground.device,
        )

    def _seat(self, job: Callable[[int], Job], seeds: Seeds) -> Seat:
        return Seat.take(
            self.sandbox,
            job,
            self._ground.buffers(Extent.of(self._health)),
            self._health.output_bytes,
            seeds.chance("order", self.calls),
        )

    def _settings(self, fixture: Fixture | None) -> JudgeSettings:
        hangs = fixture is not None and "time_limit" in fixture.codes
        memory, pids = fixture.memory_mib if fixture else 768, 48
        limits = StageLimits(correctness_seconds=2.0 if hangs else 120.0)
        if self.profile is Profile.GPU:
            # What CUDA needs of a host before a kernel does anything.
            memory, pids = 16_384, 512
        return JudgeSettings.model_validate(
            {
                "profile": self.profile,
                "samples": self.samples,
                "warm_up_calls": 1,
                "warm_up_seconds": 0,
                "back_to_back_calls": 4,
                "exchange_samples": 3,
                "rest_samples": 3,
                "correctness_lengths": fixture.lengths if fixture else SHORT,
                "memory_bytes": memory * MIB,
                "pids": pids,
                "limits": limits,
                "lock_path": self.folder / "lock",
            }
        )


def _rejected(fixture: Fixture, rejection: Rejection) -> Result:
    code, stage = rejection.code.value, rejection.stage.value
    told = f"{code} at {stage}"
    if code not in fixture.codes or stage not in fixture.stages:
        unexpected = f"{told}: {rejection.detail}"
        return Result(fixture, _failing(fixture), unexpected)
    for fault in _untold(rejection):
        return Result(fixture, "missed", f"{told}: {fault}")
    return Result(fixture, "caught", told)


def _failing(fixture: Fixture) -> str:
    honest = fixture.verdict == "passed"
    return "honest rejected" if honest else "missed"


def _untold(rejection: Rejection) -> Iterator[str]:
    """What a rejection fails to tell, or tells too well."""
    if rejection.code.value == "output_mismatch":
        wanted = {"family", "token", "head", "error", "bound"}
        for name in sorted(wanted - set(rejection.evidence)):
            yield f"the evidence lacks {name}"
    texts = [rejection.detail, rejection.log_tail]
    texts += [str(value) for value in rejection.evidence.values()]
    for text in texts:
        if any(not c.isprintable() and c not in "\n\t" for c in text):
            yield f"{text[:40]!r} is not inert"
