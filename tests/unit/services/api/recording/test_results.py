from quasar_core.contracts.events import StageCompleted
from quasar_core.contracts.reports import CorrectnessReport
from quasar_core.errors import Stage

from tests.support.judged import Worker, a_manifest, a_source, play


def test_a_workers_words_never_replace_ours(sqlite_world):
    world = sqlite_world
    world.register("a")
    world.accepted("a")
    worker, job = Worker(world.clock), world.take()
    sly = worker.passed(job, Stage.SMOKE).model_dump()
    sly["detail"] = {"state": "won", "attempt": 9, "seconds": 0, "stage": "x"}
    world.record(StageCompleted(**sly))
    client = world.client
    world.record(worker.rejected(job))
    text = client.get(f"/submissions/{job.submission_id}/events").text
    assert '"state":"passed"' in text
    assert '"attempt":1' in text
    assert "won" not in text


def test_a_result_and_its_source_may_come_in_any_order(sqlite_world):
    world = sqlite_world
    world.register("a")
    world.accepted("a")
    worker, job = Worker(world.clock), world.take()
    world.record(worker.benchmarked(job), worker.fetched(job))
    view = world.view(job.submission_id)
    assert view["status"] == "verifying"
    assert view["tree_hash"] == a_source().tree_hash


def test_times_that_no_gpu_allows_are_set_aside(sqlite_world):
    world = sqlite_world
    world.register("a")
    world.accepted("a")
    worker, job = Worker(world.clock), world.take()
    manifest = a_manifest(environment={"gpu_name": "NVIDIA H200"})
    world.record(
        worker.fetched(job),
        worker.benchmarked(job, seconds=1e-12, manifest=manifest),
    )
    checker = Worker(world.clock, "verifier-1")
    check = world.take("verification")
    world.record(checker.started(check), checker.verified(check))
    assert world.status(job.submission_id) == "quarantined"


def given_up(world, job):
    """The attempt came to nothing, and no verdict was written."""
    view = world.view(job.submission_id)
    return (view["status"], view["verdict"], view["score"]) == (
        "queued",
        None,
        None,
    )


def test_a_worker_brings_no_bound_of_its_own(sqlite_world):
    world = sqlite_world
    world.register("a")
    world.accepted("a")
    worker, job = Worker(world.clock), world.take()
    lax = CorrectnessReport(
        checks=6, worst_row_error=1.0, worst_family="plain", bound=1e9
    )
    world.record(worker.fetched(job), worker.benchmarked(job, correctness=lax))
    assert given_up(world, job)


def test_a_source_is_the_code_that_it_says_it_is(sqlite_world):
    world = sqlite_world
    world.register("a")
    world.accepted("a")
    worker, job = Worker(world.clock), world.take()
    another = a_source().model_copy(update={"identity": "0" * 64})
    world.record(worker.fetched(job, another))
    assert given_up(world, job)


def test_a_refused_report_does_not_decide_the_rounds_judge(sqlite_world):
    world = sqlite_world
    world.register("a")
    world.register("b")
    world.accepted("a")
    worker, job = Worker(world.clock), world.take()
    odd = a_manifest(harness_digest="9" * 64, profile="gpu")
    world.record(worker.fetched(job), worker.benchmarked(job, manifest=odd))
    assert given_up(world, job)
    assert world.view(play(world, "b", text="y = 2\n"))["status"] == "scored"


def test_a_rejection_by_another_judge_is_no_verdict(sqlite_world):
    world = sqlite_world
    world.register("a")
    world.register("b")
    play(world, "b", text="y = 2\n")
    world.accepted("a")
    worker, job = Worker(world.clock), world.take()
    stale = worker.rejected(job).model_copy(
        update={"manifest": a_manifest(harness_digest="9" * 64)}
    )
    world.record(stale)
    assert given_up(world, job)
