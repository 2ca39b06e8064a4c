from services.api.attempts import repository
from services.api.attempts.dispatching import dispatch
from services.api.attempts.repository import Job
from tests.support.judged import Worker, a_source


def test_a_queue_is_filled_to_its_brim_and_not_further(sqlite_world):
    world = sqlite_world
    for name in "abc":
        world.register(name)
        world.accepted(name)
    for added in (2, 0):
        with world.database.write() as session:
            assert (
                dispatch(session, Job.BENCHMARK, "cpu", 2, world.clock())
                == added
            )
    with world.database.write() as session:
        assert dispatch(session, Job.BENCHMARK, "gpu", 2, world.clock()) == 0
        assert repository.waiting(session, Job.BENCHMARK, "cpu") == 2


def test_a_verification_is_of_the_archived_source(sqlite_world):
    world = sqlite_world
    world.register("a")
    world.accepted("a")
    worker, job = Worker(world.clock), world.take()
    world.record(worker.fetched(job), worker.benchmarked(job))
    check = world.take("verification")
    assert check.source == a_source()
    assert check.submission_id == job.submission_id
    assert check.fencing_token != job.fencing_token
    assert (check.cosine_sim_threshold, check.max_diff_threshold) == (
        0.99,
        0.1,
    )
