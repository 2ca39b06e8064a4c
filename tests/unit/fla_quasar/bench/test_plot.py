"""The plot of a record."""

from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from fla_quasar.bench.measuring import Measure
from fla_quasar.bench.plot import Panel, picture
from fla_quasar.bench.records import Record, read
from fla_quasar.bench.rows import OURS

NAME = "{http://www.w3.org/2000/svg}"
SAMPLE = Path(__file__).with_name("sample.jsonl")


def drawn(records):
    tree = ET.fromstring(picture(records))
    dots = [x.get("r") for x in tree.iter(f"{NAME}circle")]
    return dots, [x.text for x in tree.iter(f"{NAME}text")]


def test_every_forward_measurement_is_a_dot():
    dots, words = drawn(read(SAMPLE))
    assert dots.count("3") == 5
    assert OURS in words
    assert "fla chunk_kda" not in words
    assert "operations per byte" in words


def test_without_limits_there_is_no_roof():
    record = Record(Measure("forward", "a < b", 4096, 1.0), "1", "A card")
    dots, words = drawn([record])
    assert dots.count("3") == 1
    assert "a < b" in words
    assert "operations per byte" not in words
    assert drawn([Record(Measure("layer", "x", 1), "1", "")])[0] == []


def test_axes_are_logarithmic():
    panel = Panel(0, (1.0, 100.0), (1.0, 100.0), ("x", "y"))
    left, middle, right = (panel.place((x, x)) for x in (1.0, 10.0, 100.0))
    assert middle[0] - left[0] == pytest.approx(right[0] - middle[0])
    assert left[1] > middle[1] > right[1]
