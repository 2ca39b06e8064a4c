from services.api.leaderboard.statistics import statistics


def test_an_empty_platform_has_empty_statistics(sqlite_world):
    world = sqlite_world
    with world.database.read() as session:
        stats = statistics(session, world.clock(), 10, ())
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
