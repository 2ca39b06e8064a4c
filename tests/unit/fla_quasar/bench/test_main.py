"""The command: its budget, its record, a machine without a device."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from fla_quasar.bench import __main__ as command
from fla_quasar.bench.records import read
from fla_quasar.bench.rows import Row

SAMPLE = Path(__file__).with_name("sample.jsonl")


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a device")
def test_without_a_device_it_says_so_and_succeeds(tmp_path):
    done = subprocess.run(
        [sys.executable, "-m", "fla_quasar.bench", "--out", tmp_path],
        env=os.environ | {"OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    assert done.stdout.startswith("There is no CUDA device here")
    assert list(tmp_path.iterdir()) == []


def called(monkeypatch, *arguments):
    monkeypatch.setattr(sys, "argv", ["bench", *map(str, arguments)])
    assert command.main() == 0


def test_page_and_plot_are_made_of_the_record_alone(tmp_path, monkeypatch):
    shutil.copy(SAMPLE, tmp_path / "kernels.jsonl")
    called(monkeypatch, "--render", "--out", tmp_path)
    assert "# Kernels, measured" in (tmp_path / "kernels.md").read_text()
    assert "<svg" in (tmp_path / "kernels.svg").read_text()


def test_an_empty_record_makes_no_page(tmp_path, monkeypatch, capsys):
    called(monkeypatch, "--render", "--out", tmp_path)
    assert "no measurements yet" in capsys.readouterr().out
    assert list(tmp_path.iterdir()) == []


def test_rows_can_be_listed_and_picked(monkeypatch, capsys):
    called(monkeypatch, "--list", "--only", "both/chunk_quasar causal")
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 4
    assert all(line.startswith("both/chunk_quasar causal") for line in lines)


def test_a_second_call_goes_on_where_the_first_stopped(
    tmp_path, monkeypatch, capsys
):
    rows = [Row("forward", name, 100) for name in "abc"]
    tried = []

    def supervise(left, _seconds, _command):
        tried.append([row.name for row in left])
        yield left[0], "no answer"

    monkeypatch.setattr(command, "supervise", supervise)
    monkeypatch.setattr(command, "_setting", lambda: "A card")
    command.measure_all(rows, tmp_path, 10)
    command.measure_all(rows, tmp_path, 10)
    command.measure_all(rows, tmp_path, 10, again=True)
    assert tried == [["a", "b", "c"], ["b", "c", "a"], ["a", "b", "c"]]
    assert "2 of 3 rows are left" in capsys.readouterr().out
    assert len(read(tmp_path / "kernels.jsonl")) == 3
    assert (tmp_path / "kernels.md").exists()
