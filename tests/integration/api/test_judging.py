"""From dispatch to a verdict, as workers tell it, on both engines."""

# pylint: disable=redefined-outer-name,protected-access

import pytest
from quasar_core.contracts.reports import CorrectnessReport
from quasar_core.domain.workload import judged_length
from quasar_core.errors import RejectionCode, Stage
from sqlalchemy import select

from services.api.db.models import Attempt
from services.api.db.records import LogRow
from tests.support.judged import (
    COMMITMENT,
    SEED,
    Worker,
    a_manifest,
    a_source,
    a_timing,
    play,
    some_logits,
)


@pytest.fixture
def worker(world):
    return Worker(world.clock)


@pytest.fixture
def job(world):
    world.register("alice")
    world.accepted("alice")
    return world.take()


def moves(world, submission_id):
    with world.database.read() as session:
        rows = session.scalars(
            select(LogRow)
            .where(LogRow.submission_id == submission_id)
            .order_by(LogRow.sequence)
        )
        return [
            (row.from_status, row.to_status)
            for row in rows
            if row.kind == "moved"
        ]


def attempt_states(world, submission_id):
    with world.database.read() as session:
        rows = session.scalars(
            select(Attempt)
            .where(Attempt.submission_id == submission_id)
            .order_by(Attempt.id)
        )
        return [(row.kind, row.state) for row in rows]


def test_a_submission_is_dispatched_judged_verified_and_scored(world):
    world.register("alice")
    submission_id = play(world, "alice", seconds=0.5)
    view = world.view(submission_id)
    tokens_per_sec = judged_length(1_000) / 0.5
    assert view["score"]["tokens_per_sec"] == pytest.approx(tokens_per_sec)
    assert view["score"]["speedup_vs_baseline"] == pytest.approx(4.0)
    assert view["weighted_score"] == pytest.approx(0.75 * tokens_per_sec)
    assert view["claimed_tokens_per_sec"] == 123.5
    assert view["attempts"] == 2
    assert view["verdict"] is None
    assert moves(world, submission_id) == [
        (None, "queued"),
        ("queued", "benchmarking"),
        ("benchmarking", "verifying"),
        ("verifying", "scored"),
    ]


def test_the_job_says_what_was_submitted_and_has_a_token_of_its_own(
    world, job
):
    assert job.sequence_length == 1_000
    assert job.fork_url == "https://github.com/alice/flash-linear-attention"
    assert job.attempt_number == 1
    assert job.source is None
    world.register("bob")
    world.accepted("bob")
    assert world.take().fencing_token != job.fencing_token


def test_stages_are_shown_as_they_pass(world, job, worker):
    world.record(
        worker.started(job),
        worker.passed(job, Stage.FETCH, 0.25),
        worker.at(job, Stage.SMOKE),
    )
    view = world.view(job.submission_id)
    assert (view["status"], view["stage"]) == ("benchmarking", "smoke")
    assert view["stages"] == [
        {"stage": "fetch", "seconds": 0.25, "detail": {"n": 1}}
    ]


def test_a_message_recorded_twice_counts_once(world, job, worker):
    events = [
        worker.started(job),
        worker.passed(job, Stage.FETCH),
        worker.fetched(job),
        worker.benchmarked(job),
    ]
    world.record(*events)
    before = moves(world, job.submission_id)
    world.record(*events)
    assert moves(world, job.submission_id) == before


def test_a_completion_before_its_start_implies_the_start(world, job, worker):
    world.record(worker.fetched(job), worker.benchmarked(job))
    assert moves(world, job.submission_id)[1:] == [
        ("queued", "benchmarking"),
        ("benchmarking", "verifying"),
    ]
    world.record(worker.started(job), worker.passed(job, Stage.TIMED))
    view = world.view(job.submission_id)
    assert view["status"] == "verifying"
    assert [stage["stage"] for stage in view["stages"]] == ["timed"]


def test_a_result_waits_for_the_commitment_to_its_seed(world, job, worker):
    told = worker.benchmarked(job)
    world.recorder.record(worker.fetched(job))
    world.recorder.record(told)
    assert world.status(job.submission_id) == "benchmarking"
    world.recorder.record(worker.started(job))
    assert world.status(job.submission_id) == "verifying"
    check = world.take("verification")
    world.recorder.record(worker.verified(check))
    assert world.status(job.submission_id) == "verifying"
    world.recorder.record(worker.started(check))
    assert world.status(job.submission_id) == "scored"


def test_a_rejection_by_another_seed_than_was_committed_to_is_none(
    world, job, worker
):
    other = worker.started(job).model_copy(
        update={"seed_commitment": "0" * 64}
    )
    world.record(other, worker.rejected(job))
    assert world.status(job.submission_id) == "queued"


def test_a_seed_is_shown_once_its_round_is_final(sqlite_world):
    world = sqlite_world
    world.register("a")
    submission_id = play(world, "a")
    manifest = world.view(submission_id)["manifest"]
    assert manifest["seed"] is None
    assert manifest["seed_commitment"] == COMMITMENT
    world.blocks(14_400)
    world.turn()
    world.turn()
    assert world.view(submission_id)["manifest"]["seed"] == SEED


def test_a_result_waits_for_its_source(world, job, worker):
    world.record(worker.started(job), worker.benchmarked(job))
    assert world.status(job.submission_id) == "benchmarking"
    world.record(worker.fetched(job))
    assert world.status(job.submission_id) == "verifying"


def test_a_result_whose_source_never_comes_is_made_again(world, job, worker):
    world.record(worker.started(job), worker.benchmarked(job))
    world.later(46)
    assert world.scheduler._leases.check(world.clock()) == 1
    assert world.status(job.submission_id) == "queued"


@pytest.mark.parametrize(
    "forged",
    [
        {"fencing_token": "0" * 32},
        {"submission_id": "01a2085c-c2be-7083-9876-2f5cc28ee3cd"},
        {"attempt_id": "01a2085c-c2be-7083-9876-2f5cc28ee3cd"},
    ],
)
def test_a_message_without_the_attempts_token_changes_nothing(
    world, job, worker, forged
):
    from uuid import UUID

    values = {
        name: UUID(value) if name.endswith("_id") else value
        for name, value in forged.items()
    }
    for event in (worker.started(job), worker.fetched(job)):
        world.record(event.model_copy(update=values))
    assert world.status(job.submission_id) == "queued"
    assert moves(world, job.submission_id) == [(None, "queued")]


def test_a_second_worker_with_the_same_job_changes_nothing(world, job, worker):
    other = Worker(world.clock, "worker-2")
    world.record(worker.started(job), other.started(job), other.fetched(job))
    assert world.view(job.submission_id)["tree_hash"] is None
    world.record(other.rejected(job))
    assert world.status(job.submission_id) == "benchmarking"
    world.record(worker.fetched(job), worker.benchmarked(job))
    assert world.status(job.submission_id) == "verifying"


def test_a_rejection_is_told_with_code_sentence_and_evidence(
    world, job, worker
):
    world.record(worker.started(job), worker.rejected(job))
    view = world.view(job.submission_id)
    assert view["status"] == "rejected"
    assert view["verdict"]["rejection"]["code"] == "output_mismatch"
    assert view["verdict"]["rejection"]["evidence"] == {"error": 0.5}
    assert view["verdict"]["sentence"].startswith("The output differs")
    assert attempt_states(world, job.submission_id) == [
        ("benchmark", "rejected")
    ]


def test_the_log_tail_is_for_its_owner_alone(world, job, worker):
    world.record(worker.started(job), worker.rejected(job))
    path = f"/submissions/{job.submission_id}"
    tails = {
        name: world.client.get(
            path, headers=world.signed(name, "GET", path)
        ).json()["verdict"]["rejection"]["log_tail"]
        for name in ("alice", "bob")
    }
    assert tails == {"alice": "secret of its owner", "bob": ""}
    verdict = world.view(job.submission_id)["verdict"]
    assert verdict["rejection"]["log_tail"] == ""
    assert (
        world.client.get(path, headers={"X-Bittensor-Nonce": "1"}).status_code
        == 401
    )


def test_the_worlds_fault_costs_an_attempt_and_after_three_no_more(
    world, job, worker
):
    for attempt in (1, 2):
        assert job.attempt_number == attempt
        world.record(worker.started(job), worker.failed(job))
        assert world.status(job.submission_id) == "queued"
        world.dispatch()
        assert world.bus.depth("benchmark.cpu") == 0, "it waits a while"
        world.later(60)
        job = world.take()
    world.record(worker.started(job), worker.failed(job))
    assert world.status(job.submission_id) == "infra_failed"
    assert (
        attempt_states(world, job.submission_id)
        == [("benchmark", "failed")] * 3
    )
    assert world.submit("alice").status_code == 202, "it may be sent again"


def test_a_verification_that_is_lost_is_made_again(world, job, worker):
    world.record(
        worker.started(job), worker.fetched(job), worker.benchmarked(job)
    )
    check = world.take("verification")
    world.record(worker.started(check), worker.failed(check))
    assert world.status(job.submission_id) == "verifying"
    world.later(60)
    again = world.take("verification")
    assert again.attempt_number == 2
    assert again.source == a_source()
    world.record(worker.started(again), worker.verified(again))
    assert world.status(job.submission_id) == "scored"


@pytest.mark.parametrize(
    ("logits", "code"),
    [
        (some_logits(cosine=0.98), "logits_differ"),
        (some_logits(max_diff=0.11), "logits_differ"),
    ],
)
def test_logits_are_judged_again_by_the_rounds_thresholds(
    world, job, worker, logits, code
):
    world.record(
        worker.started(job), worker.fetched(job), worker.benchmarked(job)
    )
    check = world.take("verification")
    assert check.cosine_sim_threshold == 0.99
    world.record(worker.verified(check, logits))
    view = world.view(job.submission_id)
    assert view["status"] == "rejected"
    assert view["verdict"]["rejection"]["code"] == code
    assert view["verdict"]["rejection"]["stage"] == "logits"
    assert view["score"] is not None


def test_a_verifiers_rejection_keeps_score_manifest_and_logits(
    world, job, worker
):
    world.record(worker.fetched(job), worker.benchmarked(job))
    before = world.view(job.submission_id)
    check = world.take("verification")
    told = worker.rejected(check, RejectionCode.LOGITS_DIFFER, Stage.LOGITS)
    logits = some_logits(max_diff=0.5)
    world.record(told.model_copy(update={"logits": logits}))
    view = world.view(job.submission_id)
    assert view["status"] == "rejected"
    assert view["logits"] == logits.model_dump(mode="json")
    assert view["manifest"] == {**before["manifest"], "seed": SEED}
    assert view["score"] == before["score"]


def test_errors_above_their_own_bound_are_no_pass(world, job, worker):
    report = CorrectnessReport(
        checks=6, worst_row_error=1e-3, worst_family="long", bound=1e-4
    )
    world.record(
        worker.fetched(job), worker.benchmarked(job, correctness=report)
    )
    view = world.view(job.submission_id)
    assert view["verdict"]["rejection"]["code"] == "output_mismatch"
    assert view["score"] is None


@pytest.mark.parametrize(
    "changes",
    [
        {"timing": a_timing(512, 1.0)},
        {"timing": a_timing(1024, 5e-324)},
        {"manifest": a_manifest(profile="gpu")},
        {"manifest": a_manifest(seed="6" * 64)},
    ],
)
def test_a_result_that_does_not_fit_the_job_is_no_verdict(
    world, job, worker, changes
):
    world.record(worker.fetched(job), worker.benchmarked(job, **changes))
    assert world.status(job.submission_id) == "queued"
    assert attempt_states(world, job.submission_id) == [
        ("benchmark", "failed")
    ]


def test_a_round_is_judged_by_one_harness(world, job, worker):
    world.record(worker.fetched(job), worker.benchmarked(job))
    current = world.client.get("/rounds/current").json()
    assert current["harness_digest"] == a_manifest().harness_digest
    world.register("bob")
    world.accepted("bob")
    other = world.take()
    manifest = a_manifest(harness_digest="9" * 64)
    world.record(
        worker.fetched(other, a_source("y = 2\n")),
        worker.benchmarked(other, manifest=manifest),
    )
    assert world.status(other.submission_id) == "queued"


def test_a_source_with_another_hash_than_it_says_is_not_archived(
    world, job, worker
):
    source = a_source().model_copy(update={"tree_hash": "0" * 64})
    world.record(worker.fetched(job, source))
    assert world.view(job.submission_id)["tree_hash"] is None
    assert world.status(job.submission_id) == "queued"


def test_what_was_archived_first_is_what_the_next_attempt_judges(
    world, job, worker
):
    world.record(worker.fetched(job), worker.failed(job))
    world.later(60)
    again = world.take()
    assert again.source == a_source()
    world.record(worker.fetched(again, a_source("z = 3\n")))
    view = world.view(job.submission_id)
    assert view["tree_hash"] == a_source().tree_hash


def test_a_result_for_another_job_is_no_verdict(world, job, worker):
    world.record(worker.started(job), worker.verified(job))
    assert world.status(job.submission_id) == "queued"


def test_a_benchmarks_result_for_a_verification_is_no_verdict(
    world, job, worker
):
    world.record(worker.fetched(job), worker.benchmarked(job))
    check = world.take("verification")
    told = worker.benchmarked(job).model_copy(
        update={
            "attempt_id": check.attempt_id,
            "fencing_token": check.fencing_token,
        }
    )
    world.record(told)
    assert world.status(job.submission_id) == "verifying"


@pytest.mark.parametrize("code", list(RejectionCode))
def test_every_code_can_be_told(sqlite_world, code):
    world = sqlite_world
    world.register("alice")
    world.accepted("alice")
    job = world.take()
    world.record(Worker(world.clock).rejected(job, code, Stage.FETCH))
    verdict = world.view(job.submission_id)["verdict"]
    assert verdict["rejection"]["code"] == code.value
