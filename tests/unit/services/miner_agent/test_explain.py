"""Verdicts in plain words, and nothing that a terminal would obey."""

from __future__ import annotations

from uuid import UUID

import pytest
from quasar_core.contracts.http import Verdict
from quasar_core.contracts.reports import Rejection, Score
from quasar_core.errors import REJECTION_SENTENCES, RejectionCode, Stage

from services.miner_agent.explain import (
    explained,
    explained_evidence,
    explained_rejection,
    printable,
)
from tests.support.api_server import submission_view

ID = UUID(int=7)


def test_a_wrong_output_is_told_with_where_and_by_how_much():
    evidence = {
        "family": "long_memory",
        "token": 511,
        "head": 3,
        "error": 0.25,
        "bound": 0.0001,
    }

    (line,) = explained_evidence(evidence)

    assert line == (
        "on inputs of the family long_memory, token 511 and head 3 is off"
        " by 0.25; at most 0.0001 is allowed"
    )


def test_a_broken_rule_is_told_with_its_line():
    evidence = {"file": "chunk.py", "line": 12, "rule": "import os"}

    assert explained_evidence(evidence) == [
        "in chunk.py, line 12",
        "rule: import os",
    ]


def test_evidence_of_no_known_form_is_told_as_it_is():
    evidence = {"exit_code": 3, "peak_memory_bytes": None, "share": 0.5}

    assert explained_evidence(evidence) == ["exit code: 3", "share: 0.5"]


@pytest.mark.parametrize("code", RejectionCode)
def test_every_rejection_has_its_code_and_sentence(code):
    lines = explained_rejection(Rejection(code=code, stage=Stage.SMOKE))

    assert lines == [
        f"rejected at stage smoke: {code.value}",
        REJECTION_SENTENCES[code],
    ]


def test_the_kernels_last_output_is_shown_and_never_obeyed():
    rejection = Rejection(
        code=RejectionCode.RUNTIME_ERROR,
        stage=Stage.SMOKE,
        detail="boom\x1b[2J",
        evidence={"who\x07": "\u202egnp"},
        log_tail="\n".join(f"line {n}\x9b1m" for n in range(30)),
    )

    lines = explained_rejection(rejection)

    assert lines[2:4] == ["boom\\x1b[2J", "who\\x07: \\u202egnp"]
    assert lines[4] == "last output of the kernel:"
    assert lines[5] == "  | line 10\\x9b1m"
    assert len(lines) == 25
    assert all(line.isprintable() for line in lines)


def test_lines_stay_lines():
    assert printable("one\ntwo\r\x00é") == "one\ntwo\\r\\x00é"


def test_a_score_is_told_with_its_interval_league_and_claim():
    view = submission_view(
        ID,
        status="scored",
        score=Score(
            tokens_per_sec=12_345.6,
            tokens_per_sec_low=12_000,
            tokens_per_sec_high=12_900,
            speedup_vs_baseline=2.0,
        ),
        weighted_score=6_172.8,
        claimed_tokens_per_sec=1e12,
    )

    assert explained(view) == [
        "scored: 12,346 tokens/s (12,000 to 12,900), 2.00 x the baseline",
        "weighted score 6,173 in league 100k (x 0.5)",
        "claimed: 1,000,000,000,000 tokens/s",
    ]


def test_a_rejection_is_told_from_its_verdict():
    rejection = Rejection(code=RejectionCode.NON_FINITE, stage=Stage.SMOKE)
    sentence = REJECTION_SENTENCES[RejectionCode.NON_FINITE]
    verdict = Verdict(rejection=rejection, sentence=sentence)

    lines = explained(submission_view(ID, status="rejected", verdict=verdict))

    assert lines == ["rejected at stage smoke: non_finite", sentence]


def test_a_place_in_the_queue_is_told():
    assert explained(submission_view(ID)) == [
        "queued (number 3 in the queue, about 40 s to go)"
    ]


def test_a_place_far_behind_is_told_as_far_as_it_was_counted():
    (line,) = explained(submission_view(ID, position=1_001))
    assert "behind 1,000 others or more in the queue" in line


def test_a_running_stage_is_told():
    view = submission_view(
        ID,
        status="benchmarking",
        stage=Stage.WARM_UP,
        position=None,
        eta_seconds=None,
    )

    assert explained(view) == ["benchmarking (stage warm_up)"]


@pytest.mark.parametrize(
    ("status", "word"),
    [
        ("infra_failed", "cost you nothing"),
        ("quarantined", "administrator"),
        ("invalidated", "invalid"),
        ("expired", "in time"),
        ("withdrawn", "withdrawn"),
        ("verifying", "verifying"),
        ("scored", "scored"),
    ],
)
def test_every_other_status_is_told(status, word):
    view = submission_view(ID, status=status)

    assert word in explained(view)[0]
