"""Rows in a process of their own: none can cost the others."""

import sys
from itertools import count

import pytest
from fla_quasar.bench import supervising
from fla_quasar.bench.rows import Row
from fla_quasar.bench.supervising import supervise

# does what a row's name says; tells how many it did before
PROGRAM = """
import json, os, sys, time
for n, line in enumerate(sys.stdin):
    row = json.loads(line)
    if row["name"] == "ends":
        sys.exit(7)
    if row["name"] == "hangs":
        time.sleep(600)
    print("after", n, "others:", row["name"])
    word = "failed" if row["name"] == "fails" else "done"
    print(f"row {word}: {row['name']}", flush=True)
"""


def run(names, seconds=1000.0, clock=None):
    rows = [Row("forward", name, 1) for name in names]
    clock = clock or (lambda: 0.0)
    found = supervise(rows, seconds, (sys.executable, "-c", PROGRAM), clock)
    return [(row.name, why) for row, why in found]


def test_rows_share_a_process(capfd):
    assert run(["a", "b"]) == [("a", ""), ("b", "")]
    out = capfd.readouterr().out
    assert "after 0 others: a" in out
    assert "after 1 others: b" in out


def test_a_row_that_ends_its_process_costs_that_row(capfd):
    assert run(["a", "ends", "b"]) == [
        ("a", ""),
        ("ends", "its process ended with status 7"),
        ("b", ""),
    ]
    assert "after 0 others: b" in capfd.readouterr().out


def test_after_a_failure_the_process_is_a_new_one(capfd):
    assert run(["fails", "b"]) == [("fails", ""), ("b", "")]
    assert "after 0 others: b" in capfd.readouterr().out


def test_a_row_that_hangs_is_stopped(monkeypatch):
    monkeypatch.setattr(Row, "patience_seconds", 1.0)
    assert run(["hangs"]) == [("hangs", "no answer within 1 s")]


@pytest.mark.parametrize(("seconds", "done"), [(2.5, 2), (0.5, 0)])
def test_no_row_begins_when_the_time_is_over(monkeypatch, seconds, done):
    monkeypatch.setattr(supervising, "LEAST_SECONDS", 1.0)
    ticks = count()
    found = run(["a", "b", "c", "d"], seconds + 1, lambda: float(next(ticks)))
    assert len(found) == done
