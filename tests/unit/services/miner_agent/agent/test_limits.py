"""Budgets, prices, quiet hours, and how long one backs off."""

from datetime import datetime
from random import Random

import pytest

from services.miner_agent.agent.limits import (
    LONGEST_PAUSE_SECONDS,
    LONGEST_TOLD_SECONDS,
    NO_BOUND,
    Backoff,
    Budget,
    LimitFault,
    Prices,
    QuietHours,
)


def test_a_budget_says_what_is_used_up():
    budget = Budget(tries=3, hours=0.5)
    assert budget.used_up(2, 1_799.0) is None
    assert "3 changes" in (budget.used_up(3, 0.0) or "")
    assert "0.5 h" in (budget.used_up(0, 1_800.0) or "")
    assert NO_BOUND.used_up(10**6, 1e9) is None


def test_tokens_cost_by_the_million():
    prices = Prices(per_million_prompt=2.0, per_million_reply=10.0)
    assert prices.of(500_000, 100_000) == 2.0
    assert Prices().of(10**9, 10**9) == 0.0


@pytest.mark.parametrize(
    ("hours", "at", "minutes"),
    [
        ("22:00-07:30", "21:59", 0),
        ("22:00-07:30", "22:00", 9 * 60 + 30),
        ("22:00-07:30", "03:30", 4 * 60),
        ("22:00-07:30", "07:30", 0),
        ("07:00-22:00", "12:00", 10 * 60),
        (" 07:00-22:00 ", "22:00", 0),
        ("0:00-6:00", "05:59", 1),
    ],
)
def test_quiet_hours_may_go_over_midnight(hours, at, minutes):
    now = datetime.fromisoformat(f"2026-11-26T{at}:00+00:00")
    assert QuietHours.read(hours).seconds_left(now) == 60 * minutes


@pytest.mark.parametrize(
    "text", ["", "22-7", "24:00-07:00", "10:60-11:00", "7:00-7:00", "x"]
)
def test_what_is_no_span_of_hours_is_told(text):
    with pytest.raises(LimitFault, match="no hours"):
        QuietHours.read(text)


def test_each_failure_waits_longer_and_success_forgets():
    backoff = Backoff(Random(1))
    waits = [backoff.next() for _ in range(30)]
    assert all(
        2.0 * 2**n <= wait <= 3.0 * 2**n for n, wait in enumerate(waits[:8])
    )
    assert max(waits) <= 1.5 * LONGEST_PAUSE_SECONDS
    assert min(waits[-5:]) >= LONGEST_PAUSE_SECONDS
    backoff.reset()
    assert backoff.next() <= 3.0


def test_it_waits_at_least_as_long_as_it_was_told():
    assert Backoff(Random(1)).next(90.0) >= 90.0


def test_nobody_puts_it_to_sleep_for_ever():
    assert Backoff(Random(1)).next(float("inf")) <= 1.5 * LONGEST_TOLD_SECONDS


def test_two_agents_do_not_wait_in_step():
    first, second = (
        [backoff.next() for _ in range(5)]
        for backoff in (Backoff(Random(1)), Backoff(Random(2)))
    )
    assert not set(first) & set(second)
