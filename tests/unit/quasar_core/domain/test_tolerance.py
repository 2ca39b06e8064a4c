"""Tolerances: bounds, and non-finite numbers before any of them."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from quasar_core.domain.tolerance import (
    Breach,
    RowErrors,
    check_absolute,
    check_relative,
    inputs_can_tell,
    logits_breach,
    noise_is_small,
    row_error,
    worst_share,
)
from quasar_core.errors import RejectionCode

HONEST = RowErrors(rms=1e-3, quantile_999=4e-3, worst=1e-2)
positive = st.floats(1e-9, 1e9)
broken = st.sampled_from([math.nan, math.inf, -math.inf])


def test_a_row_is_measured_against_its_own_norm():
    assert row_error(0.5, 10.0, 1.0) == 0.05


def test_a_small_row_counts_as_a_twentieth_of_its_head():
    assert row_error(0.5, 1e-6, 10.0) == 1.0


def test_a_head_that_is_zero_is_right_only_if_it_is_zero():
    assert row_error(0.0, 0.0, 0.0) == 0.0
    assert row_error(1e-30, 0.0, 0.0) == math.inf


def test_a_row_that_is_not_a_number_has_no_small_error():
    assert math.isnan(row_error(math.nan, 1.0, 1.0))
    assert math.isnan(row_error(1.0, math.nan, 1.0))


def test_an_honest_float32_kernel_is_within_the_bound():
    assert check_absolute(RowErrors(1e-7, 1e-6, 2e-6)) is None
    assert check_absolute(RowErrors(0.0, 0.0, 1e-4)) is None


def test_the_least_of_the_known_mutants_is_not():
    assert check_absolute(RowErrors(1e-7, 1e-6, 5e-3)) == Breach(
        RejectionCode.OUTPUT_MISMATCH, "worst", 5e-3, 1e-4
    )


@given(broken, st.sampled_from(["rms", "quantile_999", "worst"]))
def test_non_finite_errors_fail_first(value, measure):
    errors = {"rms": 1.0, "quantile_999": 1.0, "worst": 1.0, measure: value}
    for breach in (
        check_absolute(RowErrors(**errors)),
        check_relative(RowErrors(**errors), HONEST),
    ):
        assert breach is not None
        assert breach.code is RejectionCode.NON_FINITE
        assert breach.measure == measure


@given(positive, positive, positive)
def test_the_trusted_kernel_is_within_its_own_bounds(a, b, c):
    trusted = RowErrors(a, b, c)
    assert check_relative(trusted, trusted) is None


@pytest.mark.parametrize(
    ("measure", "factor"),
    [("rms", 1.5), ("quantile_999", 2.0), ("worst", 3.0)],
)
def test_each_factor_is_a_bound_of_its_own(measure, factor):
    values = {
        name: getattr(HONEST, name)
        for name in ("rms", "quantile_999", "worst")
    }
    bound = factor * values[measure]
    at = RowErrors(**{**values, measure: bound})
    above = RowErrors(**{**values, measure: bound * 1.001})
    assert check_relative(at, HONEST) is None
    assert check_relative(above, HONEST) == Breach(
        RejectionCode.OUTPUT_MISMATCH, measure, bound * 1.001, bound
    )


def test_a_floor_stands_in_where_the_trusted_kernel_is_exact():
    exact = RowErrors(0.0, 0.0, 0.0)
    tiny = RowErrors(1e-8, 1e-8, 1e-8)
    assert check_relative(tiny, exact, floor=1e-7) is None
    breach = check_relative(tiny, exact)
    assert breach is not None
    assert breach.measure == "rms"


def test_a_share_is_the_largest_part_of_any_bound():
    errors = RowErrors(
        rms=0.3 * HONEST.rms,
        quantile_999=HONEST.quantile_999,
        worst=0.6 * HONEST.worst,
    )
    assert worst_share(errors, HONEST) == pytest.approx(0.5)
    floor = 100 * HONEST.worst
    assert worst_share(errors, HONEST, floor=floor) == pytest.approx(
        0.6 * HONEST.worst / floor
    )


def test_a_share_is_infinite_where_no_bound_or_no_number_is():
    exact = RowErrors(0.0, 0.0, 0.0)
    assert worst_share(exact, exact) == 0
    assert worst_share(HONEST, exact) == math.inf
    lost = RowErrors(math.nan, math.inf, math.inf)
    assert worst_share(lost, HONEST) == math.inf


def test_inputs_tell_when_a_mutant_exceeds_the_bound_tenfold():
    assert inputs_can_tell(1e-3, 1e-4)
    assert not inputs_can_tell(0.9e-3, 1e-4)
    assert inputs_can_tell(2e-4, 1e-4, margin=2.0)
    assert inputs_can_tell(math.nan, 1e-4)


def test_logits_pass_at_their_thresholds():
    assert logits_breach(0.99, 0.1) is None


@pytest.mark.parametrize(
    ("cosine_sim", "max_diff", "measure"),
    [(0.9899, 0.0, "cosine_sim"), (1.0, 0.1001, "max_diff")],
)
def test_both_thresholds_must_hold(cosine_sim, max_diff, measure):
    breach = logits_breach(cosine_sim, max_diff)
    assert breach is not None
    assert breach.code is RejectionCode.LOGITS_DIFFER
    assert breach.measure == measure


@given(broken)
def test_non_finite_logits_fail_first(value):
    for breach in (logits_breach(value, 9.0), logits_breach(0.0, value)):
        assert breach is not None
        assert breach.code is RejectionCode.NON_FINITE


def test_honest_noise_is_at_most_half_of_both_thresholds():
    assert noise_is_small(0.996, 0.04)
    assert not noise_is_small(0.994, 0.04)
    assert not noise_is_small(0.996, 0.06)
    assert not noise_is_small(math.nan, 0.0)
