import pytest
from quasar_core.contracts.http import WeightsReport
from quasar_core.errors import Problem

from services.api.weights.service import check_report


def report(**changes):
    values = {
        "round_number": 1,
        "outcome": "set",
        "block": 5,
        "netuid": 24,
        "weights": {"0": 0.75, "7": 0.25},
    }
    return WeightsReport(**{**values, **changes})


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"outcome": "skipped", "reason": "no round is final", "weights": {}},
        {"outcome": "dry_run", "block": None},
    ],
)
def test_a_report_that_says_what_it_must_is_taken(changes):
    check_report(report(**changes), 24)


@pytest.mark.parametrize(
    "changes",
    [
        {"netuid": 25},
        {"weights": {"0": -0.5, "1": 1.5}},
        {"weights": {"0": 0.5}},
        {"weights": {}},
        {"block": None},
        {"round_number": None},
        {"outcome": "failed"},
    ],
)
def test_a_report_that_does_not_is_refused(changes):
    with pytest.raises(Problem) as refused:
        check_report(report(**changes), 24)
    assert refused.value.status == 422
