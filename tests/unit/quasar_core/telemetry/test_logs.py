import json
import logging
import sys
import uuid

import pytest
import structlog
from quasar_core.telemetry.logs import (
    configure_logging,
    escape_controls,
    get_logger,
    hide_secrets,
    log_context,
)


@pytest.fixture(autouse=True)
def restore():
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers, root.level = handlers, level
    structlog.reset_defaults()


def lines(capsys):
    return [json.loads(line) for line in capsys.readouterr().err.splitlines()]


def test_a_line_is_one_object_with_its_fields_and_its_service(capsys):
    configure_logging("recorder")
    submission_id = uuid.uuid4()
    with log_context(submission_id=submission_id):
        get_logger("x").info("benchmark.completed", tokens_per_sec=3.5)
    (line,) = lines(capsys)
    assert line.pop("timestamp").endswith("Z")
    assert line == {
        "event": "benchmark.completed",
        "level": "info",
        "logger": "x",
        "service": "recorder",
        "submission_id": str(submission_id),
        "tokens_per_sec": 3.5,
    }


def test_a_library_s_line_has_the_same_form(capsys):
    configure_logging("recorder")
    logging.getLogger("library").warning("slow %s", "query")
    (line,) = lines(capsys)
    assert line["event"] == "slow query"
    assert line["service"] == "recorder"


def test_lines_under_the_level_are_not_written(capsys):
    configure_logging("recorder", "WARNING")
    get_logger("x").info("quiet")
    logging.getLogger("celery.worker").info("quiet too")
    assert lines(capsys) == []


def test_a_traceback_is_part_of_its_line(capsys):
    configure_logging("recorder")
    get_logger("x").error("handler.crashed", exc_info=KeyError("gone"))
    (line,) = lines(capsys)
    assert "KeyError: 'gone'" in line["exception"]


def test_the_form_for_eyes_names_event_and_fields(capsys, monkeypatch):
    monkeypatch.setattr(sys.stderr, "isatty", lambda: False)
    configure_logging("recorder", json=False)
    get_logger("x").info("stage.completed", stage="smoke")
    written = capsys.readouterr().err
    assert "stage.completed" in written
    assert "stage=smoke" in written


def test_a_secret_never_reaches_a_line():
    event = {"event": "x", "fencing_token": "ab" * 16, "stage": "smoke"}
    assert hide_secrets(None, "info", event) == {
        "event": "x",
        "fencing_token": "(hidden)",
        "stage": "smoke",
    }


def test_a_stranger_s_escape_sequence_does_not_reach_the_terminal():
    event = {"detail": "\x1b[2Jgone\n", "n": 1}
    assert escape_controls(None, "info", event) == {
        "detail": "\\x1b[2Jgone\n",
        "n": 1,
    }
