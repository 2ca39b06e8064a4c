"""One measurement: what follows from its numbers."""

from fla_quasar.bench.measuring import Measure


def test_speed_is_tokens_over_time():
    assert Measure("forward", "x", 3000, 1.5, 0).tokens_per_second == 2e6
    assert Measure("forward", "x", 1, failure="no").tokens_per_second is None
