"""The board tells what was missed, and the exit code says so."""

import io
import json

import pytest
from rich.console import Console

from tests.redteam import __main__ as redteam
from tests.redteam.arena import Result
from tests.redteam.board import as_dict, board, summary
from tests.redteam.catalogue import ATTACKS, LOOK_ALIKES, catalogue
from tests.redteam.mutants.killing import Fate

ATTACK = next(one for one in catalogue(ATTACKS) if one.id == "C1")
HONEST = catalogue(LOOK_ALIKES)[0]
CAUGHT = Result(ATTACK, "caught", "by [red]its[/red] code")
MISSED = Result(ATTACK, "missed", "it was 9.00 x an honest kernel")
REJECTED = Result(HONEST, "honest rejected", "output_mismatch at smoke")
FATES = [Fate("no mask", True, "call 0"), Fate("no gate", False, "right")]


def test_the_table_has_a_row_for_each_and_takes_no_markup_from_outside():
    console = Console(width=200, file=io.StringIO())
    console.print(board([CAUGHT, MISSED, REJECTED]))
    text = console.file.getvalue()
    assert "by [red]its[/red] code" in text
    assert "missed" in text
    assert "honest rejected" in text


def test_the_counts_are_told_by_family_and_the_kill_rate():
    assert summary([CAUGHT, MISSED, REJECTED], FATES) == [
        "C (against the worker): 1 caught, 1 missed",
        "honest (honest look-alikes): 1 honest rejected",
        "mutants: 1 of 2 killed (50 %)",
    ]


def test_machines_get_all_of_it():
    told = json.loads(json.dumps(as_dict([MISSED], FATES, ["A1-x"])))
    assert told["attacks"][0]["right"] is False
    assert told["mutants"][1] == {
        "name": "no gate",
        "killed": False,
        "how": "right",
    }
    assert told["needs_a_device"] == ["A1-x"]


@pytest.mark.parametrize(
    ("results", "code"),
    [([CAUGHT], 0), ([CAUGHT, MISSED], 1), ([REJECTED], 1)],
)
def test_any_miss_is_an_exit_code(monkeypatch, capsys, results, code):
    monkeypatch.setattr(redteam, "_fight", lambda *_: results)
    monkeypatch.setattr(redteam, "choose_sandbox", lambda *_, **__: None)
    monkeypatch.setattr(redteam.Arena, "__enter__", lambda arena: arena)
    assert redteam.main(["--only", "words", "--json"]) == code
    assert len(json.loads(capsys.readouterr().out)["attacks"]) == len(results)
