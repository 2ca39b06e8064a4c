"""A submission that breaks workers, on both engines, and its log."""

from tests.support.events import right_canaries
from tests.support.judged import Worker


def test_two_broken_workers_and_the_canaries_around_them_are_a_verdict(
    world,
):
    names = ("w1", "w2")
    for name in names:
        world.record(*right_canaries(name))
    world.register("a")
    submission_id = world.accepted("a")
    for name in names:
        world.later(10)
        job = world.take()
        worker = Worker(world.clock, name)
        world.record(worker.started(job))
        world.later(1)
        world.record(worker.harmed(job), *right_canaries(name))
    view = world.view(submission_id)
    assert view["status"] == "rejected"
    assert view["verdict"]["rejection"]["code"] == "harmed_worker"
    world.later(3_600)
    world.dispatch()
    assert world.bus.depth("benchmark.cpu") == 0
