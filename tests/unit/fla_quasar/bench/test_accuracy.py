"""The metric of the accuracy table."""

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
    o[0, 0, 0, 0] = torch.nan
    assert worst_row_error(o, truth) == float("inf") or (
        worst_row_error(o, truth) > 1e300
    )
