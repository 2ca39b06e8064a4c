"""What the database alone can tell: its own clock."""

from datetime import UTC, datetime, timedelta

from quasar_core.telemetry.metrics import CLOCK_AHEAD_SECONDS

from services.api import gauges


def test_a_clock_that_is_off_is_told_by_the_databases(world):
    ours = datetime.now(UTC) + timedelta(hours=1)
    CLOCK_AHEAD_SECONDS.set(0)
    with world.database.read() as session:
        gauges.update(session, None, ours)
    (sample,) = next(iter(CLOCK_AHEAD_SECONDS.collect())).samples
    if world.database.is_sqlite:
        assert sample.value == 0
    else:
        assert 3_500 < sample.value <= 3_601
