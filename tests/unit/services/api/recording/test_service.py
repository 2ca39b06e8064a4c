from quasar_core.contracts.events import Event
from quasar_core.messaging.topology import RECORDING, events_on
from quasar_core.telemetry.metrics import VERDICTS

from services.api.recording.service import Recorder
from tests.support.counters import shown
from tests.support.judged import Worker


def test_every_fact_of_the_topology_is_heard(sqlite_world):
    heard = sqlite_world.recorder.handlers()
    assert set(heard) == set(events_on(RECORDING))
    assert all(issubclass(event, Event) for event in heard)


def test_failed_runs_are_shown_before_the_first(sqlite_world):
    world = sqlite_world
    VERDICTS.clear()
    Recorder(
        world.database,
        clock=world.clock,
        lease_seconds=45,
        backoff_seconds=1,
    )
    assert shown(VERDICTS) == {("failed_run",): 0}


def test_what_comes_late_changes_nothing(sqlite_world):
    world = sqlite_world
    world.register("a")
    world.accepted("a")
    worker, job = Worker(world.clock), world.take()
    world.record(worker.rejected(job), worker.failed(job))
    assert world.status(job.submission_id) == "rejected"
