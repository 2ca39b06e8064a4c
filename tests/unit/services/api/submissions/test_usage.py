from quasar_core.domain.quotas import QuotaUse

from services.api.submissions import usage
from tests.support.judged import Worker
from tests.support.sealed import Seal
from tests.support.wallets import address


def use_of(world, hotkey, league=None, apart_from=None):
    with world.database.read() as session:
        return usage.use_of(
            session, address("cold"), address(hotkey), league, 1, apart_from
        )


def test_unrevealed_commitments_are_counted_by_hotkey(sqlite_world):
    world = sqlite_world
    for name in ("alice", "bob"):
        world.register(name, "cold")
    Seal("alice").committed(world)
    assert use_of(world, "alice") == QuotaUse(0, 1, 1)
    assert use_of(world, "bob") == QuotaUse(0, 1, 0)


def test_what_the_platform_failed_at_is_free(sqlite_world):
    world = sqlite_world
    world.register("alice", "cold")
    submission_id = world.accepted("alice")
    assert use_of(world, "alice", "200k") == QuotaUse(1, 1, 0)
    assert use_of(world, "alice", "100k") == QuotaUse(0, 1, 0)
    assert use_of(world, "alice", None, submission_id) == QuotaUse(0, 0, 0)
    worker = Worker(world.clock)
    for _ in range(3):
        world.later(60)
        job = world.take()
        world.record(worker.started(job), worker.failed(job))
    assert world.status(submission_id) == "infra_failed"
    assert use_of(world, "alice", "200k") == QuotaUse(0, 0, 0)
