from datetime import timedelta

from quasar_core.contracts.events import BenchmarkRequested

from services.api.db import outbox
from tests.support.api import Moment
from tests.support.events import benchmark_requested


def waits(session, now):
    return session.scalars(outbox.due(now)).first() is not None


def test_an_event_comes_out_as_it_went_in_to_one_publisher_at_a_time(
    sqlite_world,
):
    world, event = sqlite_world, benchmark_requested()
    now = Moment()()
    with world.database.write() as session:
        outbox.put(session, event, now=now, pool="cpu")
    with world.database.write() as session:
        assert waits(session, now)
        (parcel,) = outbox.claim(session, now)
        assert isinstance(parcel.event, BenchmarkRequested)
        assert (parcel.event, parcel.pool) == (event, "cpu")
        assert outbox.claim(session, now) == ()
        later = now + timedelta(seconds=outbox.CLAIM_SECONDS + 1)
        assert len(outbox.claim(session, later)) == 1


def test_what_is_published_is_not_due_and_is_forgotten_later(sqlite_world):
    world, now = sqlite_world, Moment()()
    with world.database.write() as session:
        outbox.put(session, benchmark_requested(), now=now, pool="cpu")
        session.flush()
        (parcel,) = outbox.claim(session, now)
        outbox.release(session, (parcel,))
        assert waits(session, now)
        outbox.mark_published(session, (parcel,), now)
        assert not waits(session, now)
        outbox.release(session, (parcel,))
        assert not waits(session, now)
        outbox.purge(session, now + timedelta(seconds=1))


def test_what_was_not_published_can_be_withdrawn(sqlite_world):
    world, event, now = sqlite_world, benchmark_requested(), Moment()()
    with world.database.write() as session:
        outbox.put(
            session, event, now=now, pool="cpu", attempt_id=event.attempt_id
        )
        session.flush()
        outbox.withdraw(session, event.attempt_id)
        assert not waits(session, now)
