"""The catalogue is whole, and the screen says what its records say."""

import re
from fnmatch import fnmatch
from pathlib import Path

import pytest

from tests.redteam.arena import Arena
from tests.redteam.catalogue import (
    ATTACKS,
    LOOK_ALIKES,
    catalogue,
    name_of,
)

FIXTURES = [*catalogue(ATTACKS), *catalogue(LOOK_ALIKES)]
ROWS = {
    *(f"A{number}" for number in range(1, 11)),
    *(f"B{number}" for number in range(1, 16)),
    *(f"C{number}" for number in range(1, 7)),
}
ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize("fixture", FIXTURES, ids=name_of)
def test_the_screen_says_what_the_record_says(fixture):
    assert Arena(ROOT, None).screened(fixture) == ""


def test_every_row_has_a_fixture_that_needs_no_device():
    assert {one.id for one in catalogue(ATTACKS) if not one.gpu} == ROWS


def test_the_threat_model_names_every_fixture_and_only_what_there_is():
    text = (ROOT / "docs" / "threat-model.md").read_text()
    named = re.findall(r"`([ABC]\d+-[\w*]+)`", text)
    there = [one.name for one in catalogue(ATTACKS)]
    for name in named:
        assert any(fnmatch(one, name) for one in there), name
    for one in there:
        assert any(fnmatch(one, name) for name in named), one
    for path in re.findall(r"`(tests/[\w/.]+)`", text):
        assert (ROOT / path).exists(), path


def test_every_family_has_fixtures_in_make_test():
    quick = [one.family for one in catalogue(ATTACKS) if one.quick]
    assert {family: quick.count(family) > 5 for family in "ABC"} == {
        "A": True,
        "B": True,
        "C": True,
    }
