"""A few of the faults, on SQLite; all of them are `make faults`."""

# pylint: disable=redefined-outer-name

from contextlib import closing

import pytest

from tests.faults.arena import Arena
from tests.faults.catalogue import FAULTS, missing
from tests.faults.running import (
    Outcome,
    as_dict,
    right,
    rows,
    run,
    table,
)
from tests.support.postgres import sqlite_template, sqlite_url

__all__ = ["sqlite_template", "sqlite_url"]

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(900)]

FEW = (
    "API killed before publishing",
    "broker restarted, empty",
    "worker cut off past its lease",
    "facts twice, out of order",
    "poison submission",
)


def test_the_platform_survives_a_few_faults_and_counts_each_result_once(
    tmp_path, sqlite_url
):
    faults = {fault.name: fault for fault in FAULTS}
    with closing(Arena(tmp_path, sqlite_url)) as arena:
        arena.start()
        found = rows(run(faults[name], arena) for name in FEW)
    assert [row.fault for row in found] == [*FEW]
    assert right(found), "\n".join(table(found))


def test_one_loss_in_one_run_is_not_right():
    good = Outcome("a", 4, lost=0, duplicated=0, seconds=1.5)
    bad = Outcome("a", 4, lost=1, duplicated=0, seconds=0.5)
    twice = Outcome("b", 4, lost=0, duplicated=1, seconds=0.5)
    assert right(rows([good]))
    assert not right(rows([good, bad]))
    assert not right(rows([good, twice]))
    assert table(rows([good, bad, twice]))[2:] == [
        "| a | 2 | 8 | 1 | 0 | 1.5 |",
        "| b | 1 | 4 | 0 | 1 | 0.5 |",
        "| all | 3 | 12 | 1 | 1 | |",
    ]
    assert as_dict(rows([good]), ["c: no disk"]) == {
        "faults": [
            {
                "fault": "a",
                "runs": 1,
                "submissions": 4,
                "lost": 0,
                "duplicated": 0,
                "seconds": 1.5,
            }
        ],
        "skipped": ["c: no disk"],
    }


def test_what_needs_a_postgresql_is_left_out_without_one():
    lacking = [f.name for f in FAULTS if missing(f, postgres=False)]
    assert "database crashed" in lacking
    assert "broker emptied" not in lacking
