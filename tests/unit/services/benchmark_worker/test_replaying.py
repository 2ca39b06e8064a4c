"""Replaying: where a run's record comes from, and what is told of it."""

from __future__ import annotations

import os
from uuid import uuid4

import pytest
from quasar_core.client.api import ProblemAnswer
from quasar_core.contracts.http import Verdict
from quasar_core.contracts.reports import JudgeReport, Rejection
from quasar_core.errors import RejectionCode, Stage
from quasar_core.judge.jobs import SandboxChoice
from quasar_core.judge.replay import RunRecord
from quasar_core.judge.settings import JudgeSettings

from services.benchmark_worker import replaying
from services.benchmark_worker.replaying import (
    LARGEST_RECORD,
    NoRecord,
    as_lines,
    record_at,
    record_in,
    replay,
)
from tests.support.api_server import serving, submission_view
from tests.support.judged import a_manifest, a_source, a_timing

ID = uuid4()
SOURCE = a_source()
WRONG = Rejection(
    code=RejectionCode.OUTPUT_MISMATCH,
    stage=Stage.SMOKE,
    evidence={"token": 3},
)
MANIFEST = a_manifest(environment={"tree_hash": SOURCE.tree_hash})
RECORD = RunRecord(
    target_sequence_length=512,
    source=SOURCE,
    report=JudgeReport(manifest=MANIFEST, rejection=WRONG),
)


def run_again(monkeypatch, report, record=RECORD):
    monkeypatch.setattr(
        replaying, "judge_in_subprocess", lambda spec, listener: report
    )
    return replay(
        record,
        settings=JudgeSettings(),
        sandbox=SandboxChoice(),
        on_progress=lambda _: None,
    )


def test_a_file_is_a_record_or_is_told_not_to_be_one(tmp_path):
    path = tmp_path / "run.json"
    path.write_text(RECORD.model_dump_json())
    assert record_in(path) == RECORD
    path.write_text("{}")
    with pytest.raises(NoRecord, match="no record of a run"):
        record_in(path)
    os.truncate(path, LARGEST_RECORD + 1)
    with pytest.raises(NoRecord, match="too large"):
        record_in(path)
    with pytest.raises(NoRecord, match="cannot be read"):
        record_in(tmp_path / "none.json")


def test_the_api_gives_a_record_once_the_source_is_public():
    with serving() as api:
        verdict = Verdict(rejection=WRONG, sentence="It is wrong.")
        api.views[ID] = [
            submission_view(
                ID,
                target_sequence_length=512,
                status="rejected",
                verdict=verdict,
                manifest=MANIFEST,
            )
        ]
        with pytest.raises(ProblemAnswer):
            record_at(api.url, ID)
        api.sources[ID] = SOURCE.model_dump(mode="json")
        assert record_at(api.url, ID) == RECORD
        api.views[ID] = [submission_view(ID, manifest=None)]
        with pytest.raises(NoRecord, match="has not been judged"):
            record_at(api.url, ID)


def test_the_same_verdict_is_told_to_be_the_same(monkeypatch):
    replayed = run_again(monkeypatch, RECORD.report)
    assert replayed.same_verdict
    lines = as_lines(replayed)
    assert lines[1:3] == [
        "verdict: output_mismatch at smoke",
        "again:   output_mismatch at smoke",
    ]
    assert lines[-2].startswith("note:    this judge's code is not the one")
    assert lines[-1] == "The replay gives the same verdict."


def test_another_verdict_and_another_time_are_told(monkeypatch):
    timed = JudgeReport(manifest=MANIFEST, timing=a_timing(512, 1.0))
    slow = JudgeReport(manifest=MANIFEST, timing=a_timing(512, 2.0))
    record = RECORD.model_copy(update={"report": timed})
    lines = as_lines(run_again(monkeypatch, slow, record))
    assert "2.000 x the first, outside the tolerance of 50%" in lines[3]
    other = as_lines(run_again(monkeypatch, timed))
    assert other[-1] == "The replay gives ANOTHER verdict."
    moved = WRONG.model_copy(update={"evidence": {"token": 4}})
    told = JudgeReport(manifest=MANIFEST, rejection=moved)
    assert "differs: token: 3, then 4" in as_lines(
        run_again(monkeypatch, told)
    )
