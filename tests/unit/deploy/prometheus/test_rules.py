"""The rules ask for series that our processes show."""

import pytest

from tests.support.series import asks, rules, unknown


def test_what_nobody_shows_is_noticed():
    assert unknown('quasar_crashes{where="x"} + quasar:no:such') == [
        "quasar_crashes",
        "quasar:no:such",
    ]
    assert unknown('quasar_queue_depth{queue="a", pol=~"b"}') == [
        "quasar_queue_depth{pol}"
    ]
    assert unknown('quasar_crashes_total{where="x", process="web"}') == []


@pytest.mark.parametrize("kind", ["alert", "record"])
def test_every_rule_asks_for_series_that_there_are(kind):
    found = rules(kind)
    assert found
    for name, rule in found.items():
        assert asks(rule["expr"]), name
        assert unknown(rule["expr"]) == [], name
