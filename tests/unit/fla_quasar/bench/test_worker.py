"""The process that measures: rows in, records out."""

import json
from dataclasses import asdict

from fla_quasar.bench import worker
from fla_quasar.bench.measuring import Measure
from fla_quasar.bench.records import read
from fla_quasar.bench.rows import KDA, OURS, Row
from fla_quasar.bench.supervising import DONE, FAILED


def test_every_row_is_recorded_before_it_is_reported(
    tmp_path, monkeypatch, capsys
):
    path = tmp_path / "record.jsonl"
    rows = [Row("forward", OURS, 100), Row("both", KDA, 200)]
    failures = iter(["", "failed: RuntimeError"])
    monkeypatch.setattr(
        worker,
        "run",
        lambda row: Measure(
            row.kind, row.name, row.tokens, 1.0, 2, next(failures)
        ),
    )
    lines = [json.dumps(asdict(row)) for row in rows]
    worker.answer(lines, path, "run 1", "a card")
    records = read(path)
    assert [record.row for record in records] == rows
    assert [record.tuning for record in records] == ["full", "brief"]
    out = capsys.readouterr().out.splitlines()
    assert out[1] == f"{DONE}{rows[0].key}"
    assert out[3] == f"{FAILED}{rows[1].key}"
