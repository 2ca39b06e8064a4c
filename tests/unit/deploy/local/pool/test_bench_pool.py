"""The arithmetic of the pool's benchmark; measuring is `make bench-pool`."""

from dataclasses import replace

from deploy.local.pool.bench_pool import Drain, right, table

ONE = Drain(
    workers=1,
    submissions=100,
    seconds=25.0,
    leases_lost=0,
    attempts=100,
    duplicated=0,
    lost=0,
    cpu_ms={"recorder": 20.0, "workers": 5.0},
    load=0.5,
)


def test_each_size_stands_beside_the_first():
    eight = replace(ONE, workers=8, seconds=3.125)
    assert table([ONE, eight])[2:] == [
        "| 1 | 25.0 | 4.00 | 1.00 | 100 | 0 | 0 | 0 | 25 | 0.5 |",
        "| 8 | 3.1 | 32.00 | 8.00 | 100 | 0 | 0 | 0 | 25 | 0.5 |",
    ]


def test_one_lost_lease_is_not_right():
    assert right([ONE])
    for wrong in ("leases_lost", "duplicated", "lost"):
        assert not right([ONE, replace(ONE, **{wrong: 1})])
