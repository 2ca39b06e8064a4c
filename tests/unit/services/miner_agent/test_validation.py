"""Validating: what is no submission is told apart from a bad one.

The judge itself is run in tests/integration/miner_agent.
"""

from __future__ import annotations

import pytest
from quasar_core.contracts.reports import Rejection
from quasar_core.domain.scores import DerivedScore
from quasar_core.errors import RejectionCode, Stage
from quasar_core.execution.git import create_repository
from quasar_core.judge.pinned import baseline_source
from quasar_core.judge.progress import Progress
from quasar_core.judge.settings import JudgeSettings

from services.miner_agent.validation import (
    NothingToValidate,
    Validation,
    validate_repository,
)


def validate(path, length=64, **options) -> Validation:
    return validate_repository(
        path,
        length,
        settings=JudgeSettings(),
        working_tree=options.get("working_tree", False),
        with_logits=False,
        on_progress=options.get("on_progress", lambda _: None),
    )


@pytest.mark.parametrize("length", [-1, 0, 2_000_001, 10**12])
def test_a_length_that_nobody_judges_is_no_rejection(tmp_path, length):
    with pytest.raises(NothingToValidate, match="1 to 2000000 tokens"):
        validate(tmp_path, length)


def test_a_folder_that_is_not_there_is_no_rejection(tmp_path):
    with pytest.raises(NothingToValidate, match="no folder"):
        validate(tmp_path / "missing")


def test_a_folder_without_a_repository_is_no_rejection(tmp_path):
    with pytest.raises(NothingToValidate, match="--working-tree"):
        validate(tmp_path)


@pytest.mark.parametrize(
    ("files", "code"),
    [
        ({"README.md": b"nothing"}, RejectionCode.FILES_MISSING),
        ({"fla/ops/quasar/a.py": b"\xff"}, RejectionCode.NOT_TEXT),
        (
            {"fla/ops/quasar/a.py": b"#" * 300_000},
            RejectionCode.TOO_LARGE,
        ),
    ],
)
def test_what_a_fetch_would_refuse_is_rejected_here_too(tmp_path, files, code):
    create_repository(tmp_path, files)
    told: list[Progress] = []

    committed = validate(tmp_path, on_progress=told.append)
    as_it_is = validate(tmp_path, working_tree=True)

    assert committed.rejection is not None
    assert as_it_is.rejection is not None
    assert (committed.rejection.code, committed.rejection.stage) == (
        code,
        Stage.FETCH,
    )
    assert as_it_is.rejection.code is code
    assert [step.stage for step in told] == [Stage.FETCH]
    assert not told[0].finished


def test_an_acceptance_reads_for_people_and_for_machines():
    source = baseline_source()
    score = DerivedScore(
        tokens_per_sec=1_000.0, low=900.0, high=1_100.0, speedup_vs_baseline=2
    )
    validation = Validation(256, score=score, source=source)

    assert validation.as_lines() == [
        "accepted: this is right, and the workers would score it",
        "on this machine: 1,000 tokens/s (900 to 1,100), 2.00 x the baseline",
    ]
    assert validation.as_dict() == {
        "accepted": True,
        "sequence_length": 256,
        "code": None,
        "identity": source.identity,
        "tree_hash": source.tree_hash,
        "tokens_per_sec": 1_000.0,
        "tokens_per_sec_low": 900.0,
        "tokens_per_sec_high": 1_100.0,
        "speedup_vs_baseline": 2,
    }


def test_a_rejection_reads_for_people_and_for_machines():
    rejection = Rejection(
        code=RejectionCode.NON_FINITE,
        stage=Stage.SMOKE,
        evidence={"token": 3},
    )
    validation = Validation(256, rejection=rejection)

    value = validation.as_dict()

    assert validation.as_lines()[0] == "rejected at stage smoke: non_finite"
    assert (value["accepted"], value["code"]) == (False, "non_finite")
    assert value["sentence"] == "The output holds NaN or infinity."
    assert value["evidence"] == {"token": 3}
