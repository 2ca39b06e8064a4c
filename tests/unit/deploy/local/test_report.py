"""The demo's last words."""

from quasar_core.errors import RejectionCode

from deploy.local.demo import Ending
from deploy.local.miners.kinds import kind_named
from deploy.local.report import describe
from deploy.local.screen import Screen
from deploy.local.verdicts import Played
from tests.support.played import (
    hotkey_of,
    leaderboard_row,
    standings_row,
    submission_view,
)


def ending_with(killers_code):
    return Ending(
        played=(
            Played(kind_named("honest_fast"), submission_view(0, "scored")),
            Played(
                kind_named("killer"),
                submission_view(1, "rejected", killers_code),
            ),
        ),
        board=(leaderboard_row(1, 0),),
        standings=(standings_row(1, 0, 1.0),),
        weights={hotkey_of(0): 1.0},
        timings={"start_seconds": 4.0, "judge_seconds": 60.0},
    )


def test_a_good_demo_ends_with_boards_and_a_good_word(capsys):
    describe(ending_with(RejectionCode.PROCESS_EXIT), Screen())
    out = capsys.readouterr().out
    for words in (
        "Leaderboard",
        "Rejected",
        "process_exit",
        "Standings and weights",
        "start 4 s, judge 60 s",
        "Every miner got the verdict he deserves.",
    ):
        assert words in out


def test_an_injustice_is_told_in_the_last_line(capsys):
    describe(ending_with(RejectionCode.RUNTIME_ERROR), Screen())
    last = capsys.readouterr().out.splitlines()[-1]
    assert last.startswith("  killer ended rejected (runtime_error)")
