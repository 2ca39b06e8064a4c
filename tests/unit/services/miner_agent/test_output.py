"""Answers of commands: text or one JSON object, and codes that tell."""

from __future__ import annotations

import json

import pytest
import typer
from quasar_core.chain.keys import KeyFault
from quasar_core.client.answers import ApiUnavailable, ProblemAnswer
from quasar_core.errors import (
    ProblemCode,
    RejectionCode,
    Stage,
    SubmissionFault,
)

from services.miner_agent.output import answer, answering, warn
from services.miner_agent.settings import MinerSettings

FAULTS = [
    (KeyFault("there is no wallet"), "invalid_request", "no wallet"),
    (ApiUnavailable("does not answer"), "unavailable", "not answer"),
    (
        ProblemAnswer(422, ProblemCode.INVALID_COMMIT, "40 digits"),
        "invalid_commit",
        "40 digits",
    ),
    (
        SubmissionFault(RejectionCode.TOO_LARGE, Stage.FETCH, "\x1b[2J"),
        "too_large",
        "\\x1b[2J",
    ),
]


@pytest.mark.parametrize(("fault", "code", "message"), FAULTS)
def test_a_fault_ends_as_a_sentence_and_exit_code_2(
    fault, code, message, capsys
):
    with pytest.raises(typer.Exit) as caught, answering(as_json=False):
        raise fault

    told = capsys.readouterr()
    assert caught.value.exit_code == 2
    assert told.out == ""
    assert told.err.startswith("error: ")
    assert message in told.err


@pytest.mark.parametrize(("fault", "code", "message"), FAULTS)
def test_machines_get_the_fault_as_json(fault, code, message, capsys):
    with pytest.raises(typer.Exit) as caught, answering(as_json=True):
        raise fault

    told = json.loads(capsys.readouterr().out)
    assert caught.value.exit_code == 2
    assert told["error"]["code"] == code
    assert message in told["error"]["message"]


def test_a_setting_that_is_out_of_range_is_named(capsys):
    with pytest.raises(typer.Exit), answering(as_json=False):
        MinerSettings.model_validate({"netuid": -1})

    assert capsys.readouterr().err.startswith("error: netuid: Input should")


def test_what_is_ours_is_not_hidden():
    with pytest.raises(ZeroDivisionError), answering(as_json=True):
        raise ZeroDivisionError


def test_an_answer_is_lines_or_one_object(capsys):
    answer({"id": 1}, ["id: 1", "done"], as_json=False)
    answer({"id": 1}, ["id: 1", "done"], as_json=True)

    assert capsys.readouterr().out == 'id: 1\ndone\n{"id": 1}\n'


def test_warnings_stay_out_of_the_output(capsys):
    warn(["not \x07 committed"])

    told = capsys.readouterr()
    assert (told.out, told.err) == ("", "warning: not \\x07 committed\n")
