"""The metric of the accuracy table, and the families it is asked on."""

import pytest
import torch
from fla_quasar.bench.accuracy import worst_row_error

from tests.support import attention_inputs


def test_it_is_the_metric_of_the_tests():
    truth = torch.randn(1, 50, 2, 16, dtype=torch.float64)
    truth[0, 3] *= 1e-6
    o = truth + 0.01 * torch.randn_like(truth)
    assert worst_row_error(o, truth) == attention_inputs.worst_row_error(
        o, truth
    )


@pytest.mark.parametrize("bad", [torch.nan, torch.inf])
def test_a_number_that_is_none_is_very_wrong(bad):
    truth = torch.randn(1, 50, 2, 16, dtype=torch.float64)
    o = truth.clone()
    o[0, 0, 0, 0] = bad
    assert worst_row_error(o, truth) > 1e300
