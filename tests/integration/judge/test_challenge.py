"""Challenges in real sandboxes: the demo's kernels, run in turns."""

import pytest
from quasar_core.contracts.events import Contender
from quasar_core.contracts.reports import ChallengeSide
from quasar_core.domain.outcomes import Outcome, Side, outcome_of, ratio_of
from quasar_core.judge.jobs import ChallengeSpec
from quasar_core.judge.pinned import source_of
from quasar_core.judge.settings import JudgeSettings
from quasar_core.judge.spawn import challenge_in_subprocess

from deploy.local.miners.kinds import kind_named

pytestmark = pytest.mark.slow


def contender(kind):
    files = kind_named(kind).files()
    return Contender(source=source_of(files), sequence_length=512)


def side(times: ChallengeSide):
    return Side(
        samples=times.samples,
        back_to_back=times.back_to_back,
        rest=times.rest,
        sequence_length=times.sequence_length,
        multiplier=1.0,
    )


@pytest.mark.parametrize(
    ("defender", "outcomes"),
    [
        ("honest_slow", {Outcome.WON}),
        ("copy", {Outcome.NO_BETTER, Outcome.UNDECIDED}),
    ],
)
def test_the_fast_one_passes_the_slow_one_and_never_its_own_copy(
    tmp_path, defender, outcomes
):
    settings = JudgeSettings(
        samples=4,
        warm_up_calls=1,
        warm_up_seconds=0.1,
        back_to_back_calls=2,
        exchange_samples=3,
        rest_samples=3,
        lock_path=tmp_path / "lock",
    )
    spec = ChallengeSpec(
        run_id="challenge",
        challenger=contender("honest_fast"),
        defender=contender(defender),
        settings=settings,
    )
    report = challenge_in_subprocess(spec, lambda step: None)
    assert report.fault is None
    assert all(report.manifest.isolation.values())
    timing = report.timing
    ratio = ratio_of(side(timing.challenger), side(timing.defender))
    assert outcome_of(ratio, 0.5) in outcomes, ratio
