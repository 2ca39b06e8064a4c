"""Audits: the sample, what contradicts itself, what judging again says."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
from quasar_core.domain.audits import (
    Claim,
    Rejudged,
    contradictions,
    disagreements,
)

CLAIM = Claim(
    tokens_per_sec=1_000.0,
    speedup_vs_baseline=2.0,
    weighted_score=500.0,
    multiplier=0.5,
)
AGREES = Rejudged(tokens_per_sec=70.0, speedup_vs_baseline=2.0)


@pytest.mark.parametrize("reported", [None, 1_000.0])
def test_an_honest_standing_does_not_contradict_itself(reported):
    assert contradictions(CLAIM, reported) == ()


@pytest.mark.parametrize(
    ("claim", "reported", "why"),
    [
        (replace(CLAIM, weighted_score=501.0), None, "weighted score of 501"),
        (replace(CLAIM, multiplier=0.75), None, "times 0.75"),
        (CLAIM, 900.0, "1000 tokens/s stand, its own samples amount to 900"),
    ],
)
def test_a_standing_that_does_not_add_up_is_told(claim, reported, why):
    (found,) = contradictions(claim, reported)

    assert why in found


@pytest.mark.parametrize(
    ("speedup", "agrees"),
    [(2.0, True), (2.4, True), (1.7, True), (2.6, False), (1.5, False)],
)
def test_the_speed_ups_may_differ_by_the_tolerance_either_way(speedup, agrees):
    rejudged = replace(AGREES, speedup_vs_baseline=speedup)

    found = disagreements(CLAIM, rejudged, 0.25)

    assert (found == ()) is agrees
    assert all("more than 25% apart" in each for each in found)


def test_how_fast_this_machine_is_does_not_matter():
    slow = replace(AGREES, tokens_per_sec=1.0)

    assert disagreements(CLAIM, slow, 0.25) == ()


@pytest.mark.parametrize(
    ("rejudged", "why"),
    [
        (Rejudged(rejection="output_mismatch"), "rejected here: output_mis"),
        (Rejudged(), "not measured here"),
    ],
)
def test_another_verdict_disagrees(rejudged, why):
    (found,) = disagreements(CLAIM, rejudged, 0.25)

    assert why in found


def test_no_speed_here_agrees_with_nothing():
    found = disagreements(CLAIM, replace(AGREES, speedup_vs_baseline=0.0), 1)

    assert found != ()


@pytest.mark.parametrize("speedup", [0.0, -1.0, math.nan])
def test_a_speed_up_that_is_none_never_agrees(speedup):
    claim = replace(CLAIM, speedup_vs_baseline=speedup)

    assert disagreements(claim, AGREES, 0.25) != ()


@pytest.mark.parametrize("tolerance", [0.0, -0.1, math.nan, math.inf])
def test_what_is_no_tolerance_is_refused(tolerance):
    with pytest.raises(ValueError, match="no tolerance"):
        disagreements(CLAIM, AGREES, tolerance)
