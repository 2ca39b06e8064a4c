from services.api.db import eventlog
from services.api.leaderboard.statistics import statistics, tally
from tests.support.judged import Worker


def test_an_empty_platform_has_empty_statistics(sqlite_world):
    world = sqlite_world
    with world.database.read() as session:
        stats = statistics(session, world.clock(), 10, tally(session), ())
    assert stats.model_dump() == {
        "total": 0,
        "by_status": {},
        "queue_depth": 0,
        "oldest_queued_seconds": None,
        "eta_seconds": None,
        "workers": (),
        "recent_submissions": (),
        "top_performers": (),
    }


def test_what_is_kept_of_the_counts_changes_with_each_move(
    sqlite_world,
):
    """Asked between any two moves, before and after the log is sealed."""
    world = sqlite_world

    def told():
        stats = world.client.get("/get_submission_stats").json()
        return stats["by_status"], stats["oldest_queued_seconds"]

    world.register("alice")
    world.register("bob")
    assert told() == ({}, None)
    world.accepted("alice")
    world.later(5)
    assert told() == ({"queued": 1}, 5)
    with world.database.write(sealing=True) as session:
        eventlog.seal(session, world.clock())
    assert told() == ({"queued": 1}, 5)
    world.accepted("bob")
    assert told() == ({"queued": 2}, 5)
    job = world.take()
    world.record(Worker(world.clock).started(job))
    assert told() == ({"benchmarking": 1, "queued": 1}, 0)
