"""Lengths: one, or all leagues in turn, and the largest that fits."""

import pytest
from quasar_core.contracts.reports import Rejection
from quasar_core.errors import RejectionCode, Stage

from services.miner_agent.lengths import at_length, in_all_leagues
from services.miner_agent.validation import Validation


def judge(
    room=10**9,
    code=RejectionCode.OUT_OF_MEMORY,
    wrong=10**9,
    stage=Stage.WARM_UP,
):
    """A fork that fits up to `room` tokens, and is wrong from `wrong` on."""
    asked = []

    def judged(length):
        asked.append(length)
        rejection = None
        if length > room:
            rejection = Rejection(code=code, stage=stage)
        elif length >= wrong:
            rejection = Rejection(
                code=RejectionCode.OUTPUT_MISMATCH, stage=Stage.TIMED
            )
        return Validation(length, rejection)

    return judged, asked


def test_every_league_up_to_the_longest_is_judged():
    judged, asked = judge()
    found = in_all_leagues(judged, 400, 128)
    assert asked == [128, 256, 384, 400]
    assert found.accepted is True
    assert [league for league, _ in found.tried] == [
        "100k",
        "200k",
        "300k",
        "300k",
    ]
    assert found.largest_that_fits is None
    assert found.as_dict()["lengths"][0]["league"] == "100k"


def test_below_the_first_league_one_length_is_judged():
    judged, asked = judge()
    found = in_all_leagues(judged, 64, 128)
    assert (asked, found.tried[0][0]) == ([64], "-")


@pytest.mark.parametrize(
    "code", [RejectionCode.OUT_OF_MEMORY, RejectionCode.MEMORY_LIMIT]
)
def test_out_of_memory_the_largest_length_that_fits_is_found(code):
    judged, asked = judge(room=2_300, code=code)
    found = in_all_leagues(judged, 10_000, 1_000)
    assert asked[:3] == [1_000, 2_000, 3_000]
    assert found.accepted is False
    assert 2_200 <= found.largest_that_fits <= 2_300
    assert found.largest_that_fits % 64 == 0
    told = "\n".join(found.as_lines())
    assert f"the largest length that fits: {found.largest_that_fits}" in told


def test_nothing_fits():
    judged, _ = judge(room=10)
    found = in_all_leagues(judged, 128, 128)
    assert found.largest_that_fits == 0
    assert found.as_lines()[-1] == "no length that was tried fits into memory"


def test_what_is_wrong_once_is_not_tried_longer():
    judged, asked = judge(wrong=256)
    found = in_all_leagues(judged, 1_000, 128)
    assert asked == [128, 256]
    assert (found.accepted, found.largest_that_fits) == (False, None)


@pytest.mark.parametrize(
    "code", [RejectionCode.OUT_OF_MEMORY, RejectionCode.MEMORY_LIMIT]
)
@pytest.mark.parametrize("room", [640_000, 50_000, 1_000])
def test_one_length_that_does_not_fit_is_told_with_the_largest_that_does(
    code, room
):
    judged, asked = judge(room=room, code=code)
    probed, probes = judge(room=room, code=code)

    found = at_length(judged, 1_000_000, probed)

    assert asked == [1_000_000]
    assert len(probes) <= 14
    largest = found.as_dict()["largest_that_fits"]
    assert room * 7 / 8 <= largest <= room
    assert (found.accepted, found.as_dict()["code"]) == (False, code.value)
    assert found.as_dict()["sequence_length"] == 1_000_000
    assert found.as_lines()[-1] == f"the largest length that fits: {largest}"
    assert found.as_lines()[0].startswith("rejected at stage warm_up")


def test_where_no_length_fits_that_is_told():
    judged, _ = judge(room=10)
    found = at_length(judged, 100_000, judged)
    assert found.largest_that_fits == 0
    assert found.as_lines()[-1] == "no length that was tried fits into memory"


@pytest.mark.parametrize(
    "why", [{}, {"wrong": 64}, {"room": 10, "stage": Stage.SMOKE}]
)
def test_one_length_is_judged_once_where_its_length_is_not_the_trouble(why):
    judged, asked = judge(**why)
    found = at_length(judged, 1_000, judged)
    assert asked == [1_000]
    assert found.as_dict()["largest_that_fits"] is None
    assert found.as_lines() == found.validation.as_lines()
