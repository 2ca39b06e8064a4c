"""The arithmetic of the judge's benchmark; the measuring is `make bench`."""

from deploy.local.bench_judge import summary


def test_the_summary_sets_what_was_measured_beside_what_should_be():
    whole = [9.0, 11.0, 10.0]
    started = [0.1, 0.3, 0.2]
    assert summary(whole, started, "bubblewrap") == {
        "sandbox": "bubblewrap",
        "sequence_length": 512,
        "judgings": 3,
        "judging_median_seconds": 10.0,
        "judging_max_seconds": 11.0,
        "judging_target_seconds": 15.0,
        "starts": 3,
        "start_median_seconds": 0.2,
        "start_p95_seconds": 0.3,
        "start_target_seconds": 0.3,
    }
