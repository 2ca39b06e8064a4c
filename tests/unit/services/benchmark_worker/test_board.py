from datetime import UTC, datetime

from quasar_core.contracts.http import (
    CanaryBoard,
    CanaryTally,
    CanaryView,
    WorkerCanaries,
)
from quasar_core.domain.canaries import Canary

from services.benchmark_worker import board

NONE = CanaryTally(right=0, runs=0)
TABLE = """\
worker  role       pool  cheats caught  honest passed  last
b-1     benchmark  h200  0 of 0         1 of 1         2027-01-02 03:04 UTC
b-22    benchmark  h200  0 of 0         0 of 1         2027-01-02 03:04 UTC
  WRONG: honest had to be passed, and was time_limit
x       benchmark  h200  0 of 0         0 of 0         never
7 days: cheats caught 0 of 0, honest passed 1 of 2"""


def a_worker(name, *got):
    runs = tuple(
        CanaryView(
            canary=Canary.HONEST,
            expected="passed",
            got=one,
            right=one == "passed",
            harness_digest="3" * 64,
            seconds=1.0,
            ran_at=datetime(2027, 1, 2, 3, 4, tzinfo=UTC),
        )
        for one in got
    )
    return WorkerCanaries(
        worker=name,
        role="benchmark",
        pool="h200",
        honest_passed=CanaryTally(right=got.count("passed"), runs=len(got)),
        cheats_caught=NONE,
        last_runs=runs,
    )


def a_board(*workers, cursor=None):
    return CanaryBoard(
        days=7,
        honest_passed=CanaryTally(right=1, runs=2),
        cheats_caught=NONE,
        workers=workers,
        next_cursor=cursor,
    )


def test_the_board_is_a_table_with_what_is_wrong_and_the_sums():
    shown = a_board(
        a_worker("b-1", "passed"),
        a_worker("b-22", "time_limit"),
        a_worker("x"),
    )
    assert "\n".join(board.as_lines(shown)) == TABLE


class FakeClient:
    def __init__(self, _):
        self.pages = {
            None: a_board(a_worker("a"), cursor="a/benchmark"),
            "a/benchmark": a_board(a_worker("b")),
        }

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass

    def canaries(self, days, cursor=None):
        assert days == 7
        return self.pages[cursor]


def test_all_pages_are_read(monkeypatch):
    monkeypatch.setattr(board, "QuasarClient", FakeClient)
    shown = board.board_at("http://api", 7)
    assert [one.worker for one in shown.workers] == ["a", "b"]
    assert shown.next_cursor is None
