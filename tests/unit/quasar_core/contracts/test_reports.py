"""A timing's samples, and the score that they amount to."""

from __future__ import annotations

import pytest
from quasar_core.domain.scores import DerivedScore

from tests.support.judged import a_timing


def test_a_timing_amounts_to_a_score():
    timing = a_timing(512, 0.5, rest=0.5)

    assert timing.derived() == DerivedScore(
        tokens_per_sec=512.0, low=512.0, high=512.0, speedup_vs_baseline=2.5
    )


def test_too_few_samples_amount_to_none():
    timing = a_timing(512, 0.5).model_copy(update={"samples": (0.5,)})

    with pytest.raises(ValueError, match="fewer than 3 samples"):
        timing.derived()
