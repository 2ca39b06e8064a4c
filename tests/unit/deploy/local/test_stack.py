"""The stack before it runs; running, it is what tests/e2e looks at."""

import stat

import pytest

from deploy.local.processes import ProcessFault
from deploy.local.rules import Rules
from deploy.local.stack import Stack


def test_a_stack_that_was_not_started_has_no_wiring(tmp_path):
    with Stack(tmp_path) as stack:
        with pytest.raises(ProcessFault, match="not been started"):
            stack.client()
        assert stack.stop() == ()


def test_a_stack_lies_in_a_folder_of_ours_alone(tmp_path):
    stack = Stack(tmp_path / "run", Rules(league_unit=640))
    assert stat.S_IMODE(stack.place.root.stat().st_mode) == 0o700
    assert stack.place.root.is_absolute()
    assert stack.rules.league_unit == 640


def test_what_lies_in_the_folder_stays_unless_it_shall_be_fresh(tmp_path):
    (tmp_path / "forks").mkdir()
    for name in ("chain.json", "chain.json.lock", "thesis.txt"):
        (tmp_path / name).write_text("old")
    Stack(tmp_path)
    assert (tmp_path / "chain.json").exists()
    Stack(tmp_path, fresh=True)
    left = {path.name for path in tmp_path.iterdir()}
    assert left == {"logs", "thesis.txt"}
