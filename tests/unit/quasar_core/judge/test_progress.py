import pytest
from quasar_core.errors import Stage
from quasar_core.judge.progress import told


def test_a_stage_is_told_when_it_begins_and_when_it_is_passed():
    steps = []
    with told(Stage.SMOKE, steps.append) as detail:
        detail["calls"] = 3
        assert [step.finished for step in steps] == [False]
    assert [step.finished for step in steps] == [False, True]
    assert steps[1].detail == {"calls": 3}
    assert steps[1].seconds >= 0


def test_a_stage_that_fails_is_not_told_as_passed():
    steps = []
    with (
        pytest.raises(ValueError, match="no"),
        told(Stage.SMOKE, steps.append),
    ):
        raise ValueError("no")
    assert [step.finished for step in steps] == [False]
