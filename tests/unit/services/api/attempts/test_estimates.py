from services.api.attempts.estimates import eta_seconds, place_of
from services.api.submissions import repository
from tests.support.judged import Worker


def test_before_anything_was_judged_there_is_no_estimate(sqlite_world):
    with sqlite_world.database.read() as session:
        assert eta_seconds(session, 3, ()) is None


def test_who_waits_longer_is_further_ahead(sqlite_world):
    world = sqlite_world
    for name in "abc":
        world.register(name)
    ids = [world.accepted(name) for name in "abc"]
    worker, job = Worker(world.clock), world.take()
    world.record(worker.started(job))
    world.later(20)
    world.record(worker.rejected(job))
    with world.database.read() as session:
        rows = [repository.by_id(session, one) for one in ids]
        places = [place_of(session, row) for row in rows if row is not None]
    assert [place.position for place in places] == [None, 1, 2]
    assert [place.eta_seconds for place in places] == [None, 0, 20]
