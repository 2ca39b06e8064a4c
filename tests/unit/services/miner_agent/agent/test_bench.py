"""What is kept: right, and faster by more than noise."""

import pytest
from quasar_core.contracts.reports import ChallengeReport, Rejection
from quasar_core.domain.outcomes import Ratio
from quasar_core.errors import Stage
from quasar_core.judge.settings import JudgeSettings

from services.miner_agent.agent import bench
from services.miner_agent.agent.bench import (
    Best,
    Finding,
    LocalJudge,
    look,
    screened,
    weigh,
)
from tests.support.agents import KERNEL, ScriptedJudge, wrong
from tests.support.judged import a_manifest, a_side


def kernel(speed, text=KERNEL):
    return {"__init__.py": text.replace("SPEED = 1", f"SPEED = {speed}")}


def weighed(speed, judge, best=2, least_gain=0.1):
    return weigh(judge, kernel(speed), Best(kernel(best), best), least_gain)


def test_a_kernel_that_is_faster_beyond_doubt_is_better():
    judge = ScriptedJudge()
    found = weighed(4, judge)
    assert found == Finding(
        True,
        "1.99 to 2.01 x the best one's speed",
        tokens_per_sec=4_000.0,
        speedup=4.0,
        speedup_at_most=4.0 * 1.01,
        gain=Ratio(1.99, 2.01),
    )
    assert judge.calls == ["judge 4", "race 4", "verify 4"]


@pytest.mark.parametrize(
    ("speed", "judge", "code", "result", "calls"),
    [
        (1, ScriptedJudge(), None, "no faster: at most 1.01 x", 1),
        (3, ScriptedJudge(noise=0.45), None, "more than noise: 1.05", 2),
        (9, ScriptedJudge(), "output_mismatch", "at correctness: row 7", 1),
        (
            4,
            ScriptedJudge(logits_differ_at=4),
            "logits_differ",
            "at logits: row 7",
            3,
        ),
    ],
)
def test_all_else_is_not_and_the_cheapest_reason_is_told(
    speed, judge, code, result, calls
):
    found = weighed(speed, judge)
    assert (found.better, found.code) == (False, code)
    assert result in found.result
    assert len(judge.calls) == calls


def test_what_seems_a_little_slower_in_another_job_is_raced_all_the_same():
    judge = ScriptedJudge()
    found = weighed(4, judge, best=5)
    assert not found.better
    assert judge.calls == ["judge 4", "race 4"]


def test_what_fails_in_the_race_is_rejected():
    class Stumbling(ScriptedJudge):
        def race(self, challenger, best):
            return wrong(Stage.TIMED)

    found = weighed(4, Stumbling())
    assert (found.better, found.code) == (False, "output_mismatch")
    assert found.speedup == 4.0


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("import os\n" + KERNEL, "forbidden_import"),
        ("def broken(:\n", "syntax_error"),
        ("x = 1\n", "missing_entry_point"),
        ("#" * 300_000, "too_large"),
    ],
)
def test_what_the_screen_refuses_is_never_judged(text, code):
    judge = ScriptedJudge()
    found = look(judge, {"__init__.py": text})
    assert (found.better, found.code, judge.calls) == (False, code, [])


def test_where_nothing_right_is_known_right_is_better():
    judge = ScriptedJudge()
    found = weigh(judge, kernel(1), Best(kernel(99), None), 0.1)
    assert (found.better, found.result) == (True, "right")
    assert judge.calls == ["judge 1", "verify 1"]


def a_judge(with_logits=True):
    return LocalJudge(JudgeSettings(), 512, lambda _: None, with_logits)


def test_the_real_race_is_the_platforms_challenge(monkeypatch):
    asked = []

    def run(spec, on_progress):
        asked.append(spec)
        timing = {
            "blocks": 8,
            "challenger": a_side(512, 1.0),
            "defender": a_side(512, 2.0),
        }
        return ChallengeReport(manifest=a_manifest(), timing=timing)

    monkeypatch.setattr(bench, "challenge_in_subprocess", run)
    fast, slow = screened(kernel(2)), screened(kernel(1))
    assert a_judge().race(fast, slow) == Ratio(2.0, 2.0)
    (spec,) = asked
    assert (spec.challenger.source, spec.defender.source) == (fast, slow)
    assert spec.challenger.sequence_length == 512


def test_the_real_judge_is_validates(monkeypatch):
    asked = []

    def judged(source, length, **options):
        asked.append((length, options["with_logits"]))
        return bench.Validation(length)

    def verified(source, settings, on_progress):
        return wrong(Stage.LOGITS)

    monkeypatch.setattr(bench, "validate_source", judged)
    monkeypatch.setattr(bench, "verified_source", verified)
    source = screened(kernel(1))
    assert a_judge().judge(source) == bench.Validation(512)
    assert asked == [(512, False)]
    assert isinstance(a_judge().verify(source), Rejection)
    assert a_judge(with_logits=False).verify(source) is None
