"""The bench: a kernel judged on this machine, and raced against the best."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Protocol
from uuid import uuid4

from quasar_core.contracts.events import Contender
from quasar_core.contracts.reports import ChallengeSide, Rejection, Source
from quasar_core.domain.outcomes import Ratio, Side, ratio_of
from quasar_core.domain.screening import screen
from quasar_core.domain.sources import check_names_and_sizes
from quasar_core.errors import SubmissionFault
from quasar_core.judge.jobs import ChallengeSpec
from quasar_core.judge.pinned import source_of
from quasar_core.judge.progress import Listener
from quasar_core.judge.settings import JudgeSettings
from quasar_core.judge.spawn import challenge_in_subprocess

from services.miner_agent.validation import (
    OWN_FORK,
    Validation,
    validate_source,
    verified_source,
)

BETWEEN_JOBS = 4
"""How many least gains two jobs on a busy machine may be apart."""


@dataclass(frozen=True)
class Finding:
    """What the bench says of a change.

    `better` only if it is right and faster by more than noise; `gain` are
    the bounds of its speed over the best one's, where they were raced.
    `result` says it in a sentence.
    """

    better: bool
    result: str
    code: str | None = None
    tokens_per_sec: float | None = None
    speedup: float | None = None
    speedup_at_most: float | None = None
    gain: Ratio | None = None


@dataclass(frozen=True)
class Best:
    """The kernel to beat; `speedup` is None where it is not right itself."""

    files: Mapping[str, str]
    speedup: float | None


class Judging(Protocol):
    """Judges on this machine; the real one is `LocalJudge`."""

    def judge(self, source: Source) -> Validation:
        """Screen, check and time it, as the workers do."""
        ...

    def race(self, challenger: Source, best: Source) -> Ratio | Rejection:
        """Both in one job, in turns: bounds of the first over the other."""
        ...

    def verify(self, source: Source) -> Rejection | None:
        """What the verifier has against it."""
        ...


@dataclass(frozen=True)
class LocalJudge:
    """The workers' judge, in its sandbox, at one length.

    Each call raises TransientError and SandboxUnavailable where this
    machine cannot judge.
    """

    settings: JudgeSettings
    sequence_length: int
    on_progress: Listener
    with_logits: bool = True

    def judge(self, source: Source) -> Validation:
        """Screen, check and time it, as the workers do."""
        return validate_source(
            source,
            self.sequence_length,
            settings=self.settings,
            with_logits=False,
            on_progress=self.on_progress,
        )

    def race(self, challenger: Source, best: Source) -> Ratio | Rejection:
        """Both in one job, in turns: bounds of the first over the other."""
        spec = ChallengeSpec(
            run_id=uuid4().hex,
            challenger=self._contender(challenger),
            defender=self._contender(best),
            settings=self.settings,
            sandbox=OWN_FORK,
        )
        report = challenge_in_subprocess(spec, self.on_progress)
        if report.fault is not None:
            return report.fault.rejection
        assert report.timing is not None  # noqa: S101 -- one of the two
        return ratio_of(
            _side(report.timing.challenger), _side(report.timing.defender)
        )

    def verify(self, source: Source) -> Rejection | None:
        """What the verifier has against it; nothing where it is not asked."""
        if not self.with_logits:
            return None
        return verified_source(source, self.settings, self.on_progress)

    def _contender(self, source: Source) -> Contender:
        return Contender(source=source, sequence_length=self.sequence_length)


def screened(files: Mapping[str, str]) -> Source:
    """The files as a source; raises SubmissionFault as the workers would."""
    check_names_and_sizes(
        {name: len(text.encode()) for name, text in files.items()}
    )
    screen(files)
    return source_of({name: text.encode() for name, text in files.items()})


def look(judging: Judging, files: Mapping[str, str]) -> Finding:
    """Screen and judge a kernel by itself; `better` if it is right."""
    try:
        source = screened(files)
    except SubmissionFault as fault:
        told = fault.detail or fault.sentence
        return Finding(False, told, code=fault.code.value)
    judged = judging.judge(source)
    if judged.rejection is not None:
        return _rejected(judged.rejection)
    assert judged.score is not None  # noqa: S101 -- one of the two
    score = judged.score
    return Finding(
        True,
        "right",
        tokens_per_sec=score.tokens_per_sec,
        speedup=score.speedup_vs_baseline,
        speedup_at_most=score.speedup_vs_baseline
        * (score.high / score.tokens_per_sec),
    )


def weigh(
    judging: Judging, files: Mapping[str, str], best: Best, least_gain: float
) -> Finding:
    """Judge a change, cheapest first; stop at the first thing against it.

    It is better if it is right and, raced against the best in one job in
    turns, the lower bound (99 %) of its speed over the best one's is above
    1 + `least_gain`. Where nothing right is known yet, right is better.
    """
    found = look(judging, files)
    if found.better and best.speedup is not None:
        found = _raced(judging, files, best, found, least_gain)
    if not found.better:
        return found
    rejection = judging.verify(screened(files))
    return found if rejection is None else _rejected(rejection, found)


def _raced(
    judging: Judging,
    files: Mapping[str, str],
    best: Best,
    found: Finding,
    least_gain: float,
) -> Finding:
    """A right kernel against the best one."""
    at_most, to_beat = found.speedup_at_most or 0.0, best.speedup or 0.0
    # both were timed beside the baseline, but not in one job: only what is
    # slower by more than that may be worth is not raced
    if at_most * (1 + BETWEEN_JOBS * least_gain) <= to_beat:
        told = (
            f"no faster: at most {at_most:.2f} x the baseline, the best"
            f" {to_beat:.2f} x"
        )
        return replace(found, better=False, result=told)
    raced = judging.race(screened(files), screened(best.files))
    if isinstance(raced, Rejection):
        return _rejected(raced, found)
    told = f"{raced.low:.2f} to {raced.high:.2f} x the best one's speed"
    if raced.low > 1 + least_gain:
        return replace(found, result=told, gain=raced)
    told = f"not faster by more than noise: {told}"
    return replace(found, better=False, result=told, gain=raced)


def _rejected(rejection: Rejection, found: Finding | None = None) -> Finding:
    told = f"{rejection.code.value} at {rejection.stage.value}"
    if rejection.detail:
        told += f": {rejection.detail}"
    found = found or Finding(False, told)
    return replace(found, better=False, result=told, code=rejection.code.value)


def _side(side: ChallengeSide) -> Side:
    return Side(
        samples=side.samples,
        back_to_back=side.back_to_back,
        rest=side.rest,
        sequence_length=side.sequence_length,
        multiplier=1.0,
    )
