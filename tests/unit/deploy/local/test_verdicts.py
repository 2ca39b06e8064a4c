"""Whether each of the demo's miners got what he deserves."""

import pytest
from quasar_core.errors import RejectionCode

from deploy.local.miners.kinds import KINDS, kind_named
from deploy.local.verdicts import Played, injustices
from tests.support.played import leaderboard_row, submission_view

NUMBERS = {kind.name: number for number, kind in enumerate(KINDS)}


def just(**changes):
    """Everybody as he deserves, but for `changes`: kind -> (status, code)."""
    return [
        Played(
            kind,
            submission_view(
                NUMBERS[kind.name],
                *changes.get(kind.name, (kind.status.value, kind.code)),
            ),
        )
        for kind in KINDS
    ]


def board(*names):
    return [
        leaderboard_row(place, NUMBERS[name])
        for place, name in enumerate(names, start=1)
    ]


RIGHT = board("honest_fast", "copy", "honest_slow")


def test_a_demo_where_all_is_well_has_no_injustices():
    assert injustices(just(), RIGHT) == ()


def test_the_original_and_its_copy_need_not_be_apart_from_the_slow_one():
    names = ("honest_fast", "honest_slow", "copy")
    assert injustices(just(), board(*names)) == ()


@pytest.mark.parametrize(
    ("name", "status", "code", "told"),
    [
        (
            "honest_slow",
            "rejected",
            RejectionCode.OUTPUT_MISMATCH,
            "honest_slow ended rejected (output_mismatch) and deserves scored",
        ),
        (
            "liar",
            "scored",
            None,
            "liar ended scored and deserves rejected (output_mismatch)",
        ),
        (
            "killer",
            "rejected",
            RejectionCode.RUNTIME_ERROR,
            (
                "killer ended rejected (runtime_error) and deserves rejected"
                " (process_exit)"
            ),
        ),
        (
            "copy",
            "infra_failed",
            None,
            "copy ended infra_failed and deserves scored",
        ),
    ],
)
def test_a_wrong_verdict_is_told(name, status, code, told):
    assert injustices(just(**{name: (status, code)}), RIGHT) == (told,)


@pytest.mark.parametrize(
    ("order", "told"),
    [
        (
            ("honest_slow", "honest_fast", "copy"),
            "honest_slow stands above honest_fast",
        ),
        (
            ("copy", "honest_fast", "honest_slow"),
            "copy stands above honest_fast",
        ),
    ],
)
def test_a_wrong_order_is_told(order, told):
    assert injustices(just(), board(*order)) == (told,)


def test_a_cheat_on_the_board_and_an_honest_one_missing_are_told():
    rows = board("honest_fast", "honest_slow", "liar")
    assert injustices(just(), rows) == (
        "liar is on the leaderboard",
        "copy is missing from the leaderboard",
    )


def test_what_a_miner_was_told_is_at_hand():
    view = submission_view(0, "rejected", RejectionCode.PROCESS_EXIT)
    turned_down = Played(kind_named("killer"), view)
    assert turned_down.code == "process_exit"
    assert turned_down.sentence.startswith("The process")
    passed = Played(kind_named("copy"), submission_view(1, "scored"))
    assert (passed.code, passed.sentence) == (None, "")
