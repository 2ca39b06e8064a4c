import pytest
from quasar_core.messaging.limits import LimitRules, RateLimits
from quasar_core.telemetry.metrics import LIMITS_OPEN

NOWHERE = "redis://127.0.0.1:1/0"


async def test_what_is_not_bounded_is_not_asked_about():
    limits = RateLimits(NOWHERE, LimitRules(0, 0, 0))
    before = LIMITS_OPEN._value.get()
    assert await limits.ask("a") is None
    assert await limits.write("a") is None
    await limits.failed("a")
    assert await limits.banned_seconds("a") == 0
    assert LIMITS_OPEN._value.get() == before
    await limits.close()


@pytest.mark.parametrize("url", [NOWHERE, "redis+socket:///nowhere.sock"])
async def test_without_redis_nothing_is_limited_and_that_is_counted(url):
    now = [0.0]
    limits = RateLimits(url, LimitRules(), lambda: now[0])
    before = LIMITS_OPEN._value.get()
    for seconds in (0.0, 0.5, 2.0):
        now[0] = seconds
        assert await limits.ask("a") is None
    await limits.failed("a")
    assert not await limits.pardon("a")
    assert await limits.banned_seconds("a") == 0
    assert LIMITS_OPEN._value.get() == before + 6
    await limits.close()


async def test_where_no_failure_bans_there_is_nothing_to_pardon():
    limits = RateLimits(NOWHERE, LimitRules(failures=0))
    assert await limits.pardon("a")
