"""The screen: lines where it is piped, and standard output kept clean."""

import sys

from quasar_core.errors import Stage

from deploy.local.picture import Picture
from deploy.local.screen import Screen
from tests.support.played import round_view, stats_of, summary_row
from tests.support.roster import sent_by


def picture_of(*rows):
    return Picture(
        sent=(sent_by("honest_fast", 0), sent_by("liar", 1)),
        stats=stats_of(*rows),
        round_view=round_view(),
        block=17,
        weights={},
    )


def test_a_piped_screen_tells_each_change_once(capsys):
    with Screen() as screen:
        queued = summary_row(1, "queued")
        screen.show(picture_of(summary_row(0, "queued"), queued))
        screen.show(picture_of(summary_row(0, "queued"), queued))
        screen.show(
            picture_of(
                summary_row(0, "benchmarking", stage=Stage.SMOKE), queued
            )
        )
    assert capsys.readouterr().out.splitlines() == [
        "  honest_fast       queued",
        "  liar              queued",
        "  honest_fast       benchmarking: smoke",
    ]


def test_for_a_machine_all_words_go_to_standard_error(capsys):
    with Screen(machine=True) as screen:
        screen.tell("starting")
        screen.say("plain [text]")
        screen.show(picture_of(summary_row(0, "queued")))
        screen.report("the end")
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "· starting" in captured.err
    assert "plain [text]" in captured.err
    assert "the end" in captured.err


def test_a_terminal_shows_one_live_table(capsys, monkeypatch):
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True, raising=False)
    with Screen() as screen:
        screen.show(picture_of(summary_row(0, "queued")))
        screen.show(picture_of(summary_row(0, "scored", tokens_per_sec=1.0)))
    out = capsys.readouterr().out
    assert "QUASAR" in out
    assert "scored: 1 tokens/s" in out
