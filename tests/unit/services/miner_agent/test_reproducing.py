"""Reproducing: from a submission's verdict to the row that was wrong."""

from __future__ import annotations

from uuid import uuid4

import pytest
from quasar_core.client.api import ProblemAnswer, QuasarClient
from quasar_core.contracts.http import Verdict
from quasar_core.contracts.reports import Rejection
from quasar_core.errors import RejectionCode, Stage
from quasar_core.judge.jobs import ReproducedReport
from quasar_core.judge.settings import JudgeSettings

from services.miner_agent import reproducing
from services.miner_agent.reproducing import (
    NothingToReproduce,
    as_dict,
    as_lines,
    is_right,
    reproduced,
)
from tests.support.api_server import serving, submission_view
from tests.support.judged import a_manifest, a_source

ID = uuid4()
SETTINGS = JudgeSettings(samples=6)
WRONG = Rejection(
    code=RejectionCode.OUTPUT_MISMATCH,
    stage=Stage.SMOKE,
    evidence={"draw": "smoke", "call": 0, "token": 3},
)
ROW = ReproducedReport(
    sequence_length=64,
    family="stiff",
    head=2,
    token=40,
    truth=(1.0, 2.0, 3.0, 4.0, 5.0, 6.0),
    output=(1.0, 2.5, 3.0, "nan", 5.0, 6.1),
    error="inf",
    bound=1e-4,
    input_sha256="a" * 64,
)


@pytest.fixture
def asked(monkeypatch):
    specs = []

    def judged(spec):
        specs.append(spec)
        return ROW

    monkeypatch.setattr(reproducing, "reproduce_in_subprocess", judged)
    return specs


@pytest.fixture(scope="module")
def api():
    with serving() as api:
        yield api


def view(api, rejection=WRONG, **manifest):
    verdict = Verdict(rejection=rejection, sentence="It is wrong.")
    api.views[ID] = [
        submission_view(
            ID,
            status="rejected",
            verdict=verdict,
            manifest=a_manifest(run_id="run-9", **manifest),
        )
    ]
    api.sources[ID] = a_source().model_dump(mode="json")


def ask(api, repo_path=None):
    with QuasarClient(api.url) as client:
        return reproduced(
            client, ID, repo_path=repo_path, settings=JudgeSettings()
        )


def test_the_archived_files_meet_their_failing_input_again(api, asked):
    view(api, settings=SETTINGS.published())
    assert ask(api) == ROW
    (spec,) = asked
    assert (spec.run_id, spec.seed) == ("run-9", "5" * 64)
    assert (spec.source, spec.evidence) == (a_source(), WRONG.evidence)
    assert spec.settings == SETTINGS


def test_a_repair_is_tried_before_it_is_committed(api, asked, tmp_path):
    view(api)
    folder = tmp_path / "fla/ops/quasar"
    folder.mkdir(parents=True)
    (folder / "__init__.py").write_text("y = 2\n")
    ask(api, tmp_path)
    assert [file.text for file in asked[0].source.files] == ["y = 2\n"]
    assert asked[0].settings == JudgeSettings()


def test_what_names_no_input_is_said_so(api, asked):
    screened = Rejection(code=RejectionCode.SYNTAX_ERROR, stage=Stage.SCREEN)
    view(api, screened)
    with pytest.raises(NothingToReproduce, match="only wrong numbers do"):
        ask(api)
    api.views[ID] = [submission_view(ID, verdict=None)]
    with pytest.raises(NothingToReproduce, match="was not rejected"):
        ask(api)
    view(api)
    api.sources.clear()
    with pytest.raises(ProblemAnswer):
        ask(api)
    assert asked == []


def test_people_see_the_numbers_that_lie_furthest_apart():
    lines = as_lines(ROW)
    assert lines[2] == "row:    head 2, token 40 (stiff)"
    assert "  [  3]              4            nan" in lines
    assert "  [  1]              2            2.5" in lines
    assert lines[-2:] == ["error:  inf; the bound is 0.0001", "still wrong"]
    assert as_dict(ROW)["right"] is False


def test_a_repaired_kernel_is_right_and_a_broken_one_is_told():
    repaired = ROW.model_copy(update={"error": 1e-6, "output": ROW.truth})
    assert is_right(repaired)
    assert as_lines(repaired)[-1] == "right now"
    broken = ROW.model_copy(
        update={"output": None, "error": None, "fault": "runtime_error: x"}
    )
    assert as_lines(broken)[-1] == "the kernel failed: runtime_error: x"
    assert not is_right(broken)
