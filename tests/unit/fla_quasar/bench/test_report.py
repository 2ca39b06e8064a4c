"""The page made of a record."""

import json
from pathlib import Path

from fla_quasar.bench.measuring import Measure
from fla_quasar.bench.records import Record, read
from fla_quasar.bench.report import cell, operations, page, reached
from fla_quasar.bench.rows import DELTA, KDA, OURS

SAMPLE = Path(__file__).with_name("sample.jsonl")


def test_every_measurement_is_in_its_table():
    text = page(read(SAMPLE))
    assert text.startswith("# Kernels, measured\n\nA card; torch 9")
    assert "2 run(s) from 2026-01-01T00:00:00 to" in text
    assert "| milliseconds (peak) | 100,000 | 1,000,000 |" in text
    assert f"| {OURS} | 0.500 (0.10 GB) | 4.000 (1.00 GB) |" in text
    assert f"| {KDA} * | - | out of memory |" in text
    assert "| stiff | 4,096 | 1.00e-02 | - |" in text
    assert "| plain | 4,096 | 2.50e-03 | 5.00e-03 |" in text
    assert "| replay | 3.000 | 75% |" in text


def test_ours_stands_beside_the_best_peer_and_its_run():
    lines = page(read(SAMPLE)).splitlines()
    mine = [line for line in lines if line.startswith("| Operators, ")]
    assert [line.split(" | ")[1:] for line in mine] == [
        ["4.000", f"12.000 ({DELTA}, split)", "3.00x", "yes |"],
        ["0.500", f"2.000 ({DELTA})", "4.00x", "no |"],
    ]
    assert [line.split(" | ")[0][2:] for line in mine] == [
        "Operators, forward, 1,000,000",
        "Operators, forward, 100,000",
    ]


def test_a_page_of_little_says_what_is_missing():
    record = Record(Measure("forward", "x", 10, 1.0, 1), "1", "A card")
    assert page([record]).count("Not measured yet.") >= 4


def test_what_was_reached_is_counted_per_second():
    measures = [each.measure for each in read(SAMPLE)]
    (short, *_), (long, moved, made) = reached(measures)
    assert (short, long) == (100_000, 1_000_000)
    # 8.5 tensors of 8 heads of 64 bfloat16 numbers a token, in 4 ms
    assert moved == 8.5 * 1_000_000 * 8 * 64 * 2 / 4e-3
    # 14 S^2 + 16 S C operations a token and head, C = 32
    assert made == operations(1_000_000) / 4e-3
    assert operations(1) == 8 * (14 * 64**2 + 16 * 64 * 32)


def test_a_cell_says_what_there_is():
    assert cell(None) == "-"
    assert cell(Measure("limit", "copy", 0, 1.0)) == "1.000"
    failed = Measure("both", "x", 1, failure="out of memory")
    assert cell(failed) == "out of memory"
    errors = Measure("accuracy", "x", 1, parts={"ours": 0.5})
    assert cell(errors) == "ours 5.00e-01"


def test_the_sample_is_what_a_worker_writes():
    for line in SAMPLE.read_text().splitlines():
        assert set(json.loads(line)) == {
            "measure",
            "run",
            "setting",
            "tuning",
        }
