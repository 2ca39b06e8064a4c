"""The plot of measurements."""

from xml.etree import ElementTree as ET

import pytest
from fla_quasar.bench.measuring import Limits, Measure
from fla_quasar.bench.plot import Panel, picture
from fla_quasar.bench.report import OURS, Result

NAME = "{http://www.w3.org/2000/svg}"


def test_every_forward_measurement_is_a_dot():
    measures = [
        Measure("forward", OURS, 4096, 0.2, 1),
        Measure("forward", OURS, 100_000, 0.4, 1),
        Measure("forward", "a < b", 4096, 0.5, 1),
        Measure("forward", "a < b", 100_000, failure="out of memory"),
        Measure("layer", "a layer", 4096, 0.5, 1),
    ]
    result = Result("A card", Limits(4e12, 7e14), measures, [])
    tree = ET.fromstring(picture(result))
    dots = [x for x in tree.iter(f"{NAME}circle") if x.get("r") == "3"]
    assert len(dots) == 3
    words = [x.text for x in tree.iter(f"{NAME}text")]
    assert OURS in words
    assert "a < b" in words
    assert "a layer" not in words


def test_axes_are_logarithmic():
    panel = Panel(0, (1.0, 100.0), (1.0, 100.0), ("x", "y"))
    left, middle, right = (panel.place((x, x)) for x in (1.0, 10.0, 100.0))
    assert middle[0] - left[0] == pytest.approx(right[0] - middle[0])
    assert left[1] > middle[1] > right[1]
