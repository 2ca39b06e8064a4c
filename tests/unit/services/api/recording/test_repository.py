from datetime import timedelta
from uuid import uuid4

from services.api.recording import repository
from tests.support.api import Moment


def test_a_message_is_remembered_until_it_cannot_come_again(sqlite_world):
    event_id, now = uuid4(), Moment()()
    with sqlite_world.database.write() as session:
        assert repository.remember(session, event_id, now)
        assert not repository.remember(session, event_id, now)
        repository.forget_before(session, now)
        assert not repository.remember(session, event_id, now)
        repository.forget_before(session, now + timedelta(seconds=1))
        assert repository.remember(session, event_id, now)


def test_a_stage_is_passed_once_per_attempt(sqlite_world):
    world = sqlite_world
    world.register("a")
    world.accepted("a")
    job = world.take()
    with world.database.write() as session:
        arguments = (job.attempt_id, "smoke", 1.0, {}, world.clock())
        assert repository.add_stage(session, *arguments)
        assert not repository.add_stage(session, *arguments)
