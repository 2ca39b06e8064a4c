"""What the peers are handed."""

import os

import torch
from fla_quasar.bench.peers import alpha_of, split_over_the_card
from fla_quasar.ops.quasar import fused_quasar_gate


def test_a_peer_gets_the_same_gate():
    k, beta = torch.randn(1, 9, 2, 16), torch.tensor([0.5, 3.0])
    want = fused_quasar_gate(k.square().sum(-1), beta)
    torch.testing.assert_close(alpha_of(k, beta), want)


def test_the_split_is_asked_for_only_while_it_is_wanted():
    for wanted in (True, False):
        with split_over_the_card(wanted=wanted):
            assert ("FLA_INTRACARD_CP" in os.environ) == wanted
        assert "FLA_INTRACARD_CP" not in os.environ
