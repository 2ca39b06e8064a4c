"""The arithmetic of the benchmark; the measuring itself is `make bench`."""

from deploy.local.bench import percentile, summary


def test_a_percentile_is_a_sample_that_was_measured():
    samples = [0.5, 0.1, 0.3, 0.2, 0.4]
    assert percentile(samples, 0.5) == 0.3
    assert percentile(samples, 0.95) == 0.5
    assert percentile(samples, 0.0) == 0.1
    assert percentile([0.7], 0.95) == 0.7


def test_the_summary_is_in_milliseconds():
    samples = [number / 1_000 for number in range(1, 101)]
    assert summary(samples) == {
        "measure": "submission_to_benchmark_start",
        "samples": 100,
        "median_ms": 50.0,
        "p50_ms": 50.0,
        "p95_ms": 95.0,
        "max_ms": 100.0,
    }
