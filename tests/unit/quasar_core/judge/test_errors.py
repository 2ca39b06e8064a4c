import math

import pytest
import torch
from quasar_core.domain.tolerance import row_error
from quasar_core.judge.errors import compare, head_norms, row_errors


def test_row_errors_are_those_of_the_rules():
    noise = torch.Generator().manual_seed(1)
    exact = torch.randn(1, 2, 5, 4, generator=noise, dtype=torch.float64)
    exact[0, 1, 3] *= 1e-3
    output = exact + 1e-2 * torch.randn(exact.shape, generator=noise)
    norms = head_norms(exact)
    found = row_errors(output, exact)
    for head in range(2):
        for token in range(5):
            assert float(found[0, head, token]) == pytest.approx(
                row_error(
                    float((output - exact)[0, head, token].norm()),
                    float(exact[0, head, token].norm()),
                    float(norms[0, head]),
                )
            )


def test_the_worst_row_is_found_where_it_is():
    exact = torch.ones(1, 3, 7, 4)
    output = exact.clone()
    output[0, 2, 5] = 1.5
    found = compare(output, exact)
    assert (found.head, found.token) == (2, 5)
    assert found.errors.worst == pytest.approx(0.5)
    assert found.errors.rms == pytest.approx(0.5 / math.sqrt(21))
    assert found.errors.quantile_999 == pytest.approx(0.5)


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_one_non_finite_number_is_the_worst(value):
    exact = torch.ones(1, 2, 64, 4)
    output = exact.clone()
    output[0, 1, 13, 2] = value
    found = compare(output, exact)
    assert found.errors.worst == math.inf
    assert (found.head, found.token) == (1, 13)


def test_a_zero_head_is_right_only_if_it_is_zero():
    exact = torch.zeros(1, 1, 3, 4)
    assert compare(exact, exact).errors.worst == 0
    assert compare(exact + 1e-9, exact).errors.worst > 1e9


def test_a_huge_but_finite_output_is_wrong_and_not_infinite():
    exact = torch.ones(1, 1, 64, 4)
    found = compare(torch.full_like(exact, 3e38), exact)
    assert 1e38 < found.errors.worst < math.inf
