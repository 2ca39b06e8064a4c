"""The metric of the accuracy table, and the families it is asked on."""

import pytest
import torch
from fla_quasar.bench.accuracy import inputs_of, worst_row_error
from fla_quasar.bench.rows import FAMILIES

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


@pytest.mark.parametrize("family", FAMILIES)
def test_each_family_is_made_in_the_raced_type_and_is_another(family):
    q, k, v, beta = inputs_of(family, 200, "cpu")
    plain = inputs_of("plain", 200, "cpu")
    assert q.shape == k.shape == v.shape == (1, 200, 8, 64)
    assert {x.dtype for x in (q, k, v)} == {torch.bfloat16}
    assert beta.dtype == torch.float32
    assert all(bool(torch.isfinite(x).all()) for x in (q, k, v, beta))
    same = torch.equal(k, plain[1]) and torch.equal(v, plain[2])
    assert same == (family == "plain")


def test_what_a_subspace_holds_is_asked_for_and_never_written_over():
    q, k, v, _ = inputs_of("subspace", 200, "cpu")
    assert not bool(q[:, :100].any())
    assert not bool(v[:, 100:].any())
    assert not bool(
        (k[:, :100].abs().amax(1) * k[:, 100:].abs().amax(1)).any()
    )
