"""One measurement: what follows from its numbers."""

from fla_quasar.bench.measuring import Measure, limits_of


def test_speed_is_tokens_over_time():
    assert Measure("forward", "x", 3000, 1.5, 0).tokens_per_second == 2e6
    assert Measure("forward", "x", 1, failure="no").tokens_per_second is None


def test_limits_are_bytes_and_operations_per_second():
    copy = Measure("limit", "copy", 0, 1.0)
    product = Measure("limit", "product", 0, 2.0)
    limits = limits_of([copy, product])
    assert limits.copied == 4 * 2**30 / 1e-3
    assert limits.multiplied == 2 * 2**19 * 512 * 2048 / 2e-3
    assert limits_of([copy, Measure("limit", "product", 0)]) is None
