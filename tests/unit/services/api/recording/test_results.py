from quasar_core.contracts.events import StageCompleted
from quasar_core.errors import Stage

from tests.support.judged import Worker, a_source


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
