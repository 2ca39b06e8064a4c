"""The SDK's answers as our own values.

What is asked of the SDK itself is driven in test_subtensor.py.
"""

from __future__ import annotations

import pytest
from quasar_core.chain.chain import ChainUnavailable
from quasar_core.chain.subtensor_calls import shares_of, snapshot_of


def test_pairs_of_the_chain_become_shares():
    pairs = [(1, 65_535), (2, 27_306), (3, 10_923), (4, 5_461)]

    assert shares_of(pairs) == pytest.approx(
        {1: 0.6, 2: 0.25, 3: 0.1, 4: 0.05}, abs=1e-4
    )


@pytest.mark.parametrize("pairs", [[], [(3, 0)]])
def test_no_weight_is_no_share(pairs):
    assert shares_of(pairs) == {}


def test_no_metagraph_is_no_subnet():
    with pytest.raises(ChainUnavailable, match="no subnet 24"):
        snapshot_of(24, None)
