"""Reports: what they amount to, and what a contract does not take."""

from __future__ import annotations

import pytest
from pydantic import ValidationError
from quasar_core.contracts.reports import (
    ChallengeFault,
    ChallengeReport,
    Rejection,
)
from quasar_core.domain.scores import DerivedScore
from quasar_core.errors import RejectionCode, Stage

from tests.support.events import a_challenge, a_manifest
from tests.support.judged import a_timing

FAULT = ChallengeFault(
    side="defender",
    rejection=Rejection(code=RejectionCode.NON_FINITE, stage=Stage.TIMED),
)


def test_a_challenge_ends_with_times_or_with_a_fault_never_both():
    whole = a_challenge()
    fault = ChallengeReport(manifest=a_manifest(), fault=FAULT)
    assert (whole.fault, fault.timing) == (None, None)
    for ends in ({}, {"timing": whole.timing, "fault": FAULT}):
        with pytest.raises(ValidationError, match="with times, or"):
            ChallengeReport(manifest=a_manifest(), **ends)


def test_a_timing_amounts_to_a_score():
    timing = a_timing(512, 0.5, rest=0.5)

    assert timing.derived() == DerivedScore(
        tokens_per_sec=512.0, low=512.0, high=512.0, speedup_vs_baseline=2.5
    )


def test_too_few_samples_amount_to_none():
    timing = a_timing(512, 0.5).model_copy(update={"samples": (0.5,)})

    with pytest.raises(ValueError, match="fewer than 3 samples"):
        timing.derived()
