from services.api.submissions import usage
from tests.support.judged import Worker
from tests.support.sealed import Seal
from tests.support.wallets import address


def test_unrevealed_commitments_are_counted_by_hotkey(sqlite_world):
    world = sqlite_world
    for name in ("alice", "bob"):
        world.register(name, "cold")
    Seal("alice").committed(world)
    with world.database.read() as session:
        assert usage.counted(session, usage.unrevealed(address("alice"))) == (
            1,
        )
        assert usage.counted(session, usage.unrevealed(address("bob"))) == (0,)
        assert usage.counted(
            session, usage.sent_in_round(address("cold"), 1)
        ) == (1,)


def test_what_the_platform_failed_at_is_free(sqlite_world):
    world = sqlite_world
    world.register("alice", "cold")
    submission_id = world.accepted("alice")
    cold = address("cold")
    with world.database.read() as session:
        assert usage.counted(session, usage.sent_in_round(cold, 1)) == (1,)
        assert usage.counted(
            session, usage.sent_in_round(cold, 1, submission_id)
        ) == (0,)
    worker = Worker(world.clock)
    for _ in range(3):
        world.later(60)
        job = world.take()
        world.record(worker.started(job), worker.failed(job))
    assert world.status(submission_id) == "infra_failed"
    with world.database.read() as session:
        assert usage.counted(session, usage.sent_in_round(cold, 1)) == (0,)
        assert usage.counted(
            session, usage.waiting_in_league(cold, "200k")
        ) == (0,)
