"""A judge that waits: what it reports must pass where a judge's does."""

from contextlib import nullcontext

import pytest
from quasar_core.errors import Stage
from quasar_core.worker.attempt import Attempt

from deploy.local.pool.waiting import HARNESS, WaitingJudge
from services.benchmark_worker.handlers import (
    Baselines,
    benchmark_submission,
    run_challenge,
)
from services.verifier_worker.handlers import verify_submission
from tests.support.api import sqlite_world
from tests.support.events import (
    benchmark_requested,
    challenge_requested,
)
from tests.support.post import FakePost
from tests.support.postgres import sqlite_template, sqlite_url

__all__ = ["sqlite_template", "sqlite_url", "sqlite_world"]


@pytest.fixture
def slept():
    return []


@pytest.fixture
def judge(slept):
    return WaitingJudge(
        worker="worker-1", pool="cpu", seconds=0.2, sleep=slept.append
    )


def lived(job, stage, story, **tools):
    post = FakePost()
    attempt = Attempt(job, "worker-1", post, nullcontext, stage)
    attempt.started()
    story(job, attempt, **tools)
    return post.events


def test_its_verdicts_are_recorded_until_the_submission_is_scored(
    sqlite_world, judge, slept
):
    sqlite_world.register("alice")
    submission_id = sqlite_world.accepted("alice")
    baselines = Baselines(judge.measure, sqlite_world.record)
    sqlite_world.record(
        *lived(
            sqlite_world.take(),
            Stage.FETCH,
            benchmark_submission,
            prepare=baselines.prepare,
            fetch=judge.fetch,
            judge=judge.judge,
        )
    )
    assert sqlite_world.status(submission_id) == "verifying"
    sqlite_world.record(
        *lived(
            sqlite_world.take("verification"),
            Stage.LOGITS,
            verify_submission,
            verify=judge.verify,
        )
    )
    assert sqlite_world.status(submission_id) == "scored"
    assert slept == [0.2, 0.2]


def test_each_commit_is_a_source_of_its_own(judge):
    one = judge.fetch("https://example.com/fork", "a" * 40)
    other = judge.fetch("https://example.com/fork", "b" * 40)
    assert one.identity != other.identity
    assert one == judge.fetch("https://example.com/fork", "a" * 40)


def test_stages_are_told_and_share_the_wait(slept):
    stages = (Stage.SCREEN, Stage.TIMED)
    judge = WaitingJudge("worker-1", "cpu", 0.4, stages, slept.append)
    events = lived(
        benchmark_requested(source=judge.fetch("file:///x", "a" * 40)),
        Stage.FETCH,
        benchmark_submission,
        prepare=lambda _: None,
        fetch=judge.fetch,
        judge=judge.judge,
    )
    assert [e.stage for e in events if e.event_name == "stage.completed"] == [
        *stages
    ]
    assert slept == [0.2, 0.2]
    assert events[-1].manifest.harness_digest == HARNESS


def test_a_challenge_is_waited_for_and_has_two_equal_sides(judge, slept):
    events = lived(
        challenge_requested(),
        Stage.SMOKE,
        run_challenge,
        prepare=lambda _: None,
        judge=judge.race,
    )
    timing = events[-1].report.timing
    assert timing.challenger.samples == timing.defender.samples
    assert slept == [0.2]
