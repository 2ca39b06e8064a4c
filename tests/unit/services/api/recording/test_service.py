from quasar_core.contracts.events import Event
from quasar_core.messaging.topology import RECORDING, events_on

from tests.support.judged import Worker


def test_every_fact_of_the_topology_is_heard(sqlite_world):
    heard = sqlite_world.recorder.handlers()
    assert set(heard) == set(events_on(RECORDING))
    assert all(issubclass(event, Event) for event in heard)


def test_what_comes_late_changes_nothing(sqlite_world):
    world = sqlite_world
    world.register("a")
    world.accepted("a")
    worker, job = Worker(world.clock), world.take()
    world.record(worker.rejected(job), worker.failed(job))
    assert world.status(job.submission_id) == "rejected"
