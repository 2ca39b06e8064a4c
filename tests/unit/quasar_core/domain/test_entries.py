"""Entries: measured numbers only, each with an id of its own."""

import math

import pytest
from quasar_core.domain.entries import (
    Entry,
    in_order,
    league_score,
    overall_score,
)

from tests.support.entries import entry


@pytest.mark.parametrize("value", [0.0, -1.0, math.nan, math.inf])
@pytest.mark.parametrize(
    "name", ["tokens_per_sec", "weighted_score", "speedup_vs_baseline"]
)
def test_a_missing_number_is_not_a_zero(name, value):
    fields = vars(entry("a", 1.0))
    assert Entry(**fields) == entry("a", 1.0)
    with pytest.raises(ValueError, match="no measured number"):
        Entry(**{**fields, name: value})


def test_entries_stand_in_order_of_commitment_then_id():
    a, b, c = entry("a", 1, block=2), entry("b", 1, block=1), entry("c", 1)
    d = entry("d", 1, block=1)
    assert in_order([a, d, b, c]) == (c, b, d, a)


def test_two_entries_cannot_be_one_submission():
    with pytest.raises(ValueError, match="one submission id"):
        in_order([entry("a", 1.0), entry("a", 2.0, block=1)])


def test_the_overall_board_is_weighted_and_a_leagues_is_not():
    fields = vars(entry("a", 1.0))
    weighted = Entry(**{**fields, "weighted_score": 3.0})
    assert overall_score(weighted) == 3.0
    assert league_score(weighted) == 1.0


def test_work_is_the_code_in_a_league():
    assert entry("a", 1.0, identity="x").work == ("x", "300k")
