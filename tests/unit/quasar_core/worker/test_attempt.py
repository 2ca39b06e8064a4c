from contextlib import contextmanager, nullcontext

import pytest
from quasar_core.contracts.events import RunFailed
from quasar_core.contracts.reports import (
    LOG_TAIL_LIMIT,
    JudgeReport,
    Rejection,
)
from quasar_core.domain.seeds import seed_commitment
from quasar_core.errors import RejectionCode, Stage, SubmissionFault
from quasar_core.judge.progress import Progress
from quasar_core.worker.attempt import Attempt, new_id, rejection_of

from tests.support.events import (
    TOKEN,
    a_challenge,
    a_logits_report,
    a_manifest,
    a_pass,
    a_source,
    benchmark_requested,
)
from tests.support.post import FakePost


@pytest.fixture
def post():
    return FakePost()


@pytest.fixture
def job():
    return benchmark_requested()


@pytest.fixture
def attempt(post, job):
    return Attempt(job, "worker-1", post, nullcontext, Stage.FETCH)


def test_every_event_carries_the_attempt_and_its_token(attempt, post, job):
    attempt.started()
    attempt.heartbeat()
    attempt.passed(Stage.SMOKE, 0.5, {"calls": 3})
    attempt.fetched(a_source())
    attempt.completed(a_pass())
    attempt.challenged(a_challenge())
    attempt.verified(a_manifest(), a_logits_report())
    attempt.rejected(
        Rejection(code=RejectionCode.NON_FINITE, stage=Stage.SMOKE)
    )
    attempt.failed("the host fell over")
    assert post.names() == [
        "attempt.started",
        "attempt.heartbeat",
        "stage.completed",
        "source.fetched",
        "benchmark.completed",
        "challenge.completed",
        "verification.completed",
        "submission.rejected",
        "run.failed",
    ]
    assert {
        (
            event.submission_id,
            event.attempt_id,
            event.fencing_token,
            event.worker,
        )
        for event in post.events
    } == {(job.submission_id, job.attempt_id, TOKEN, "worker-1")}
    assert len({event.event_id for event in post.events}) == 9


def test_the_first_message_commits_to_the_seed_of_the_run(attempt, post):
    attempt.started()
    (started,) = post.events
    assert started.seed_commitment == seed_commitment(attempt.seed)


def test_starts_sources_and_endings_are_delivered_and_nothing_else(
    attempt, post
):
    attempt.started()
    attempt.passed(Stage.FETCH, 0.1)
    attempt.heartbeat()
    attempt.fetched(a_source())
    attempt.completed(a_pass())
    assert [event.event_name for event in post.delivered] == [
        "attempt.started",
        "source.fetched",
        "benchmark.completed",
    ]


def test_a_heartbeat_says_where_the_attempt_is(attempt, post):
    attempt.stage = Stage.TIMED
    attempt.heartbeat()
    assert post.events[0].stage is Stage.TIMED


def test_an_attempt_follows_a_judging_from_stage_to_stage(attempt, post):
    attempt.follow(Progress(stage=Stage.SMOKE))
    assert (attempt.stage, post.events) == (Stage.SMOKE, [])
    attempt.follow(
        Progress(stage=Stage.SMOKE, seconds=0.5, detail={"calls": 1})
    )
    (event,) = post.events
    assert (event.stage, event.seconds, event.detail) == (
        Stage.SMOKE,
        0.5,
        {"calls": 1},
    )


def test_a_report_without_a_timing_is_no_pass(attempt, post):
    with pytest.raises(ValueError, match="lacks"):
        attempt.completed(JudgeReport(manifest=a_manifest()))
    assert post.events == []


def test_a_long_reason_is_cut(attempt, post):
    attempt.failed("x" * 5_000)
    (event,) = post.events
    assert isinstance(event, RunFailed)
    assert len(event.reason) == 1_000


def test_messages_are_sent_behind_the_shield(post, job):
    inside = []

    @contextmanager
    def shield():
        inside.append(True)
        yield
        inside.pop()

    post.deliver = lambda _: inside.append("told")
    Attempt(job, "worker-1", post, shield, Stage.FETCH).started()
    assert inside == [True]


def test_a_fault_becomes_a_rejection_that_fits_the_contract():
    fault = SubmissionFault(
        RejectionCode.IMPORT_ERROR,
        Stage.SMOKE,
        "x" * 5_000,
        {"line": 3, "log_tail": "y" * 20_000},
    )
    assert rejection_of(fault) == Rejection(
        code=RejectionCode.IMPORT_ERROR,
        stage=Stage.SMOKE,
        detail="x" * 1_000,
        evidence={"line": 3},
        log_tail="y" * LOG_TAIL_LIMIT,
    )


def test_an_id_is_a_uuid_of_version_7():
    made = new_id()
    assert made.version == 7
    assert made.variant == "specified in RFC 4122"
