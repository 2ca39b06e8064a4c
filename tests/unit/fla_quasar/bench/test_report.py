"""The page made of measurements."""

from fla_quasar.bench.accuracy import Accuracy
from fla_quasar.bench.measuring import Limits, Measure
from fla_quasar.bench.report import OURS, Result, cell, page, reached

RESULT = Result(
    "A card",
    Limits(4e12, 7e14),
    [
        Measure("forward", OURS, 1000, 2.0, 10**9),
        Measure("forward", OURS, 4000, 4.0, 2 * 10**9),
        Measure("forward", "softmax", 1000, 8.0, 10**9),
        Measure("both", "softmax", 4000, failure="out of memory"),
    ],
    [Accuracy("plain", 64, 0.25, 0.5), Accuracy("stiff", 64, 0.25, None)],
)


def test_every_measurement_is_in_its_table():
    text = page(RESULT, "make it")
    assert "A card. One run of `make it`" in text
    assert "| milliseconds (peak) | 1,000 | 4,000 |" in text
    assert f"| {OURS} | 2.000 (1.00 GB) | 4.000 (2.00 GB) |" in text
    assert "| softmax | 8.000 (1.00 GB) | - |" in text
    assert "| softmax | - | out of memory |" in text
    assert "| plain | 64 | 2.50e-01 | 5.00e-01 |" in text
    assert "| stiff | 64 | 2.50e-01 | - |" in text


def test_what_was_reached_is_counted_per_second():
    (short, *_), (long, moved, made) = reached(RESULT)
    assert (short, long) == (1000, 4000)
    # 8.5 tensors of 8 heads of 64 bfloat16 numbers a token, in 4 ms
    assert moved == 8.5 * 4000 * 8 * 64 * 2 / 4e-3
    # 14 S^2 + 16 S C operations a token and head, C = 32
    assert made == 4000 * 8 * (14 * 64**2 + 16 * 64 * 32) / 4e-3


def test_a_cell_says_what_there_is():
    assert cell(None) == "-"
    assert cell(Measure("both", "x", 1, failure="out of memory")) == (
        "out of memory"
    )
