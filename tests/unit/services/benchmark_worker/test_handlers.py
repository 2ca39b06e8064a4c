from contextlib import nullcontext
from datetime import UTC, datetime

import pytest
from quasar_core.contracts.events import BaselineMeasured
from quasar_core.contracts.reports import JudgeReport, Rejection
from quasar_core.errors import (
    RejectionCode,
    Stage,
    SubmissionFault,
    TransientError,
)
from quasar_core.worker.attempt import Attempt, new_id

from services.benchmark_worker.handlers import (
    Baselines,
    benchmark_submission,
    run_challenge,
)
from tests.support.events import (
    a_challenge,
    a_manifest,
    a_pass,
    a_rejection,
    a_source,
    benchmark_requested,
    challenge_requested,
)
from tests.support.post import FakePost


class World:
    """Everything around a job, hand-made."""

    def __init__(self, report=None, fault=None):
        self.post = FakePost()
        self.steps = []
        self.report = report or a_pass()
        self.fault = fault

    def prepare(self, job):
        self.steps.append(("prepare", job.round_number))

    def fetch(self, fork_url, commit_hash):
        self.steps.append(("fetch", fork_url, commit_hash))
        if self.fault:
            raise self.fault
        return a_source()

    def judge(self, job, source, attempt):
        attempt.stage = Stage.SMOKE
        self.steps.append(("judge", job.sequence_length, source))
        return self.report

    def run(self, job):
        attempt = Attempt(job, "worker-1", self.post, nullcontext, Stage.FETCH)
        benchmark_submission(
            job,
            attempt,
            prepare=self.prepare,
            fetch=self.fetch,
            judge=self.judge,
        )


def test_a_right_kernel_is_fetched_judged_and_told_of():
    world = World()
    job = benchmark_requested()
    world.run(job)
    assert world.steps == [
        ("prepare", 1),
        ("fetch", job.fork_url, job.commit_hash),
        ("judge", 512, a_source()),
    ]
    assert world.post.names() == [
        "source.fetched",
        "stage.completed",
        "benchmark.completed",
    ]
    completed = world.post.events[-1]
    assert completed.timing == a_pass().timing
    assert completed.correctness == a_pass().correctness


def test_a_wrong_kernel_is_rejected_with_its_manifest():
    verdict = Rejection(
        code=RejectionCode.OUTPUT_MISMATCH, stage=Stage.CORRECTNESS
    )
    world = World(report=a_rejection(verdict))
    world.run(benchmark_requested())
    rejected = world.post.events[-1]
    assert rejected.event_name == "submission.rejected"
    assert (rejected.rejection, rejected.manifest) == (verdict, a_manifest())


def test_an_archived_source_is_never_fetched_again():
    world = World()
    world.run(benchmark_requested(source=a_source()))
    assert [step[0] for step in world.steps] == ["prepare", "judge"]
    assert world.post.names() == ["benchmark.completed"]


@pytest.mark.parametrize(
    "fault",
    [
        SubmissionFault(RejectionCode.FILES_MISSING, Stage.FETCH),
        TransientError("the host does not answer"),
    ],
)
def test_a_fork_that_cannot_be_had_is_judged_no_further(fault):
    world = World(fault=fault)
    with pytest.raises(type(fault)):
        world.run(benchmark_requested())
    assert [step[0] for step in world.steps] == ["prepare", "fetch"]
    assert world.post.names() == []


def test_a_challenge_is_run_after_the_baseline_and_told():
    post, steps, job = FakePost(), [], challenge_requested()
    attempt = Attempt(job, "worker-1", post, nullcontext, Stage.SMOKE)
    run_challenge(
        job,
        attempt,
        prepare=lambda job: steps.append(("prepare", job.round_number)),
        judge=lambda job, attempt: steps.append("judge") or a_challenge(),
    )
    assert steps == [("prepare", 1), "judge"]
    (told,) = post.events
    assert told.report == a_challenge()


def test_a_report_without_an_end_is_no_verdict():
    world = World(report=JudgeReport(manifest=a_manifest()))
    with pytest.raises(ValueError, match="lacks"):
        world.run(benchmark_requested(source=a_source()))
    assert world.post.names() == []


def measured(round_number, sequence_length):
    return BaselineMeasured(
        event_id=new_id(),
        occurred_at=datetime.now(UTC),
        worker="worker-1",
        pool="cpu",
        round_number=round_number,
        sequence_length=sequence_length,
        samples=(0.1, 0.1, 0.1),
        environment={},
    )


def test_the_baseline_is_measured_once_before_a_round_s_first_job():
    delivered = []
    baselines = Baselines(measured, delivered.append)
    for round_number in (1, 1, 2, 2):
        baselines.prepare(benchmark_requested(round_number=round_number))
    baselines.prepare(challenge_requested(round_number=3))
    assert [
        (event.round_number, event.sequence_length) for event in delivered
    ] == [(1, 512), (2, 512), (3, 512)]


def test_a_baseline_that_failed_is_measured_before_the_next_job():
    tries, delivered = [], []

    def measure(round_number, sequence_length):
        tries.append(round_number)
        if len(tries) == 1:
            raise TransientError("the machine was busy")
        return measured(round_number, sequence_length)

    baselines = Baselines(measure, delivered.append)
    with pytest.raises(TransientError):
        baselines.prepare(benchmark_requested())
    baselines.prepare(benchmark_requested())
    assert len(delivered) == 1
