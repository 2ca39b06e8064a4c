from sqlalchemy import event

from services.api.attempts.outlook import Outlook, outlook
from services.api.attempts.repository import Job
from services.api.db import outbox
from tests.support.events import benchmark_requested
from tests.support.judged import Worker


def seen(world, ahead=2):
    with world.database.read() as session:
        return outlook(session, ahead, world.clock())


def nothing(**otherwise):
    none = {"pool": "cpu", "jobs": (), "contested": False, "due": False}
    return Outlook(**{**none, **otherwise})


def test_what_waits_is_seen_until_it_is_under_way(sqlite_world):
    world = sqlite_world
    assert seen(world) == nothing()
    world.register("a")
    world.accepted("a")
    assert seen(world) == nothing(jobs=(Job.BENCHMARK,))
    worker, job = Worker(world.clock), world.take()
    assert seen(world) == nothing()
    world.record(
        worker.started(job), worker.fetched(job), worker.benchmarked(job)
    )
    assert seen(world) == nothing(jobs=(Job.VERIFICATION,))


def test_a_queue_without_room_waits(sqlite_world):
    world = sqlite_world
    for name in "abc":
        world.register(name)
        world.accepted(name)
    world.scheduler.dispatch(world.clock())
    full = world.scheduler._doors.settings.dispatch_ahead
    assert seen(world, full) == nothing()
    assert seen(world, full + 1) == nothing(jobs=(Job.BENCHMARK,))


def test_what_waits_to_be_published_is_seen(sqlite_world):
    world = sqlite_world
    with world.database.write() as session:
        outbox.put(
            session, benchmark_requested(), now=world.clock(), pool="cpu"
        )
    assert seen(world) == nothing(due=True)
    world.scheduler.dispatch(world.clock())
    assert seen(world) == nothing()


def test_where_nothing_waits_one_question_is_asked(sqlite_world):
    world, asked = sqlite_world, []

    def note(_connection, _cursor, statement, *_):
        asked.append(statement)

    event.listen(world.database.engine, "before_cursor_execute", note)
    world.scheduler.dispatch(world.clock())
    event.remove(world.database.engine, "before_cursor_execute", note)
    assert len([one for one in asked if one.startswith("SELECT")]) == 1
