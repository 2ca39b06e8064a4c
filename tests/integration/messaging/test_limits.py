"""Limits over a real Valkey: counted together, and open without it."""

import pytest
from quasar_core.messaging.limits import LimitRules, RateLimits

RULES = LimitRules(requests_per_minute=3, writes_per_minute=2, failures=2)


@pytest.fixture
async def limits(redis_url):
    made = RateLimits(redis_url, RULES)
    yield made
    await made.close()


async def told(question, times):
    answers = [await question() for _ in range(times)]
    return [(one.allowed, one.remaining) for one in answers]


async def test_a_limit_is_told_down_to_nothing_and_when_it_opens(limits):
    assert await told(lambda: limits.ask("a"), 5) == [
        (True, 2),
        (True, 1),
        (True, 0),
        (False, 0),
        (False, 0),
    ]
    refused = await limits.ask("a")
    assert refused.limit == 3
    assert 0 < refused.reset_seconds <= 60


async def test_each_client_and_each_hotkey_has_its_own(limits):
    assert await told(lambda: limits.write("a"), 3) == [
        (True, 1),
        (True, 0),
        (False, 0),
    ]
    assert (await limits.write("b")).allowed
    assert (await limits.ask("a")).allowed


async def test_processes_count_together_over_tcp_and_socket(
    limits, valkey_server
):
    other = RateLimits(valkey_server.socket_url, RULES)
    assert await told(lambda: limits.write("a"), 2) == [(True, 1), (True, 0)]
    assert await told(lambda: other.write("a"), 1) == [(False, 0)]
    await other.close()


async def test_failures_ban_a_client_until_it_is_pardoned(limits):
    await limits.failed("a")
    assert await limits.banned_seconds("a") == 0
    await limits.failed("a")
    assert 0 < await limits.banned_seconds("a") <= RULES.ban_seconds
    assert await limits.banned_seconds("b") == 0
    assert await limits.pardon("a")
    assert await limits.banned_seconds("a") == 0
    await limits.failed("a")
    assert await limits.banned_seconds("a") == 0


async def test_a_redis_that_goes_limits_nothing_and_counts_when_it_is_back(
    own_valkey,
):
    now = [0.0]
    limits = RateLimits(own_valkey.url, RULES, lambda: now[0])
    assert (await limits.write("a")).remaining == 1
    own_valkey.stop()
    assert await limits.write("a") is None
    await limits.failed("a")
    assert await limits.banned_seconds("a") == 0
    own_valkey.start()
    assert await limits.write("a") is None, "it is left alone for a moment"
    now[0] += 1.5
    assert (await limits.write("a")).remaining == 1
    await limits.close()


async def test_a_redis_that_hangs_is_not_waited_for(own_valkey):
    limits = RateLimits(own_valkey.url, RULES)
    own_valkey.pause()
    assert await limits.ask("a") is None
    own_valkey.resume()
    await limits.close()
