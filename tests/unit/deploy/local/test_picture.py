"""Pictures of the demo: what a person reads of them."""

import pytest
from quasar_core.errors import RejectionCode, Stage
from rich.console import Console

from deploy.local.miners.kinds import kind_named
from deploy.local.picture import (
    Picture,
    doing,
    heading,
    leaderboard_table,
    live,
    rejections_table,
    short,
    standings_table,
)
from deploy.local.verdicts import Played
from tests.support.played import (
    hotkey_of,
    leaderboard_row,
    round_view,
    standings_row,
    stats_of,
    submission_view,
    summary_row,
)
from tests.support.roster import sent_by


def printed(renderable):
    console = Console(width=160, record=True, file=None, quiet=False)
    with console.capture() as captured:
        console.print(renderable)
    return captured.get()


def picture_of(*rows, weights=None):
    return Picture(
        sent=(sent_by("honest_fast", 0), sent_by("liar", 1)),
        stats=stats_of(*rows),
        round_view=round_view(),
        block=17,
        weights=weights or {},
    )


@pytest.mark.parametrize(
    ("row", "words"),
    [
        (None, "not yet listed"),
        (summary_row(0, "queued"), "queued"),
        (
            summary_row(0, "benchmarking", stage=Stage.SMOKE),
            "benchmarking: smoke",
        ),
        (summary_row(0, "verifying"), "verifying"),
        (
            summary_row(0, "rejected", code="process_exit"),
            "rejected: process_exit",
        ),
        (
            summary_row(0, "scored", tokens_per_sec=12_345.6),
            "scored: 12,346 tokens/s",
        ),
    ],
)
def test_what_a_submission_is_doing_is_told_in_a_few_words(row, words):
    assert doing(row) == words


def test_the_live_picture_shows_every_miner_round_block_and_weights():
    text = printed(
        live(
            picture_of(
                summary_row(0, "verifying", stage=Stage.LOGITS),
                summary_row(1, "queued"),
                weights={hotkey_of(0): 0.75, hotkey_of(9): 0.25},
            )
        )
    )
    assert "honest_fast" in text
    assert "verifying: logits" in text
    assert "prints 1e12 tokens/s and returns zeros at once" in text
    assert "round 1 open" in text
    assert "block 17, closes at 900" in text
    assert f"honest_fast 75.0%, {short(hotkey_of(9))} 25.0%" in text


def test_without_weights_the_heading_says_so():
    assert heading(picture_of()).endswith("weights on chain: none yet")


def test_the_board_shows_league_speed_interval_and_score():
    text = printed(
        leaderboard_table([leaderboard_row(1, 0)], {hotkey_of(0): "mia"})
    )
    for word in ("mia", "200k", "1,000", "900-1,100", "0.75", "750", "1.25x"):
        assert word in text
    assert short(hotkey_of(1)) in printed(
        leaderboard_table([leaderboard_row(1, 1)], {})
    )


def test_a_rejection_is_shown_with_code_stage_and_sentence():
    view = submission_view(1, "rejected", RejectionCode.PROCESS_EXIT)
    fine = submission_view(0, "scored")
    text = printed(
        rejections_table(
            [
                Played(kind_named("killer"), view),
                Played(kind_named("copy"), fine),
            ]
        )
    )
    assert "process_exit" in text
    assert "correctness" in text
    assert "ended by itself." in text
    assert "row 7 is off" in text
    assert "copy" not in text


def test_standings_show_shares_weights_and_why_somebody_is_not_paid():
    text = printed(
        standings_table(
            [
                standings_row(1, 0, 1.0),
                standings_row(2, 1, 0.0, "level_founded_by_another"),
            ],
            {hotkey_of(0): "mia", hotkey_of(1): "max"},
            {hotkey_of(0): 0.999},
        )
    )
    assert "100.00%" in text
    assert "99.90%" in text
    assert "level_founded_by_another" in text
