"""The audit as a command: its exit code, and the judge it takes."""

from __future__ import annotations

import json
from uuid import UUID

import pytest
from typer.testing import CliRunner

from deploy.local.audit import AGREES, DISAGREES, NOT_AUDITED, Audit, Finding
from deploy.local.auditing import exit_code, local_judge
from deploy.local.cli import validator

NOWHERE = "127.0.0.1:9"


def audit_of(*outcomes: str) -> Audit:
    return Audit(
        round_number=1,
        seed=7,
        tolerance=0.25,
        standings=9,
        findings=tuple(
            Finding(place, UUID(int=place), "5F", outcome)
            for place, outcome in enumerate(outcomes, start=1)
        ),
    )


@pytest.mark.parametrize(
    ("outcomes", "code"),
    [
        ((AGREES, AGREES), 0),
        ((AGREES, DISAGREES), 1),
        ((AGREES, NOT_AUDITED), 2),
        ((NOT_AUDITED, DISAGREES), 1),
    ],
)
def test_the_exit_code_tells_whether_one_disagrees(outcomes, code):
    assert exit_code(audit_of(*outcomes)) == code


def test_strangers_code_is_judged_as_the_workers_would(monkeypatch):
    monkeypatch.setenv("QUASAR_JUDGE", '{"samples": 6}')
    monkeypatch.setenv("QUASAR_SANDBOX_BACKEND", "bubblewrap")

    judge = local_judge(logits=True)

    assert judge.judging.samples == 6
    assert judge.verifying == judge.judging
    assert judge.sandbox.backend == "bubblewrap"
    assert judge.sandbox.allow_degraded is False
    assert local_judge(logits=False).verifying is None


@pytest.mark.parametrize("as_json", [False, True])
def test_what_is_no_api_is_told_in_a_sentence(as_json):
    flags = ["--json"] if as_json else []

    ended = CliRunner().invoke(
        validator, ["audit", "--api-url", NOWHERE, *flags]
    )

    assert ended.exit_code == 2
    text = ended.output
    if as_json:
        text = json.loads(ended.stdout)["error"]["message"]
    assert "is no address of an API" in text
