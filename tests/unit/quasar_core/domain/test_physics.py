import pytest
from quasar_core.domain.physics import CARDS, floor_seconds, too_fast
from quasar_core.domain.workload import Workload

MILLION = Workload(1_000_000)


@pytest.mark.parametrize("name", CARDS)
def test_a_million_tokens_take_as_long_as_their_bytes(name):
    floor = floor_seconds(name, MILLION)
    assert floor == pytest.approx(
        4.096e9 / CARDS[name].memory_bytes_per_sec, rel=0.02
    )


def test_few_tokens_lie_in_the_cache_and_take_their_arithmetic():
    floor = floor_seconds("NVIDIA H200", Workload(64))
    assert floor == pytest.approx(6 * 8 * 64 * 64**2 / 990e12)


def test_one_impossible_sample_is_enough():
    # The fastest that was ever measured on this card is three times this.
    assert too_fast([3e-3, 0.8e-3, 3e-3], "NVIDIA H200", MILLION)
    assert not too_fast([3e-3, 0.9e-3], "NVIDIA H200", MILLION)


def test_a_card_that_nobody_knows_has_no_floor():
    assert floor_seconds("Stand-in", MILLION) is None
    assert not too_fast([1e-9], "Stand-in", MILLION)
