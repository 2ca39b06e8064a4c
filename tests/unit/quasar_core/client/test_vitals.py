"""An API's health and clock, over real HTTP."""

import json

import pytest
from quasar_core.client.answers import ApiUnavailable, UnreadableAnswer
from quasar_core.client.vitals import read_vitals

from tests.support.clocked_server import telling
from tests.support.valkey import free_port

NOW = 1_795_000_000.0
WELL = {"/health/ready": json.dumps({"status": "ok", "checks": {}})}


def clock(*times):
    return iter(times).__next__


def test_the_difference_of_the_clocks_is_bounded():
    with telling(WELL, now=NOW) as url:
        vitals = read_vitals(url, clock=clock(NOW + 0.25, NOW + 0.75))
    assert vitals.health.status == "ok"
    assert vitals.ahead_seconds == (-0.75, 0.75)


def test_an_api_that_is_not_ready_says_what_it_lacks():
    ill = {"status": "unavailable", "checks": {"broker": "unavailable"}}
    pages = {"/health/ready": json.dumps(ill)}
    with telling(pages, status=503, now=NOW) as url:
        vitals = read_vitals(url)
    assert vitals.health.checks == {"broker": "unavailable"}


def test_what_is_no_api_is_told_apart():
    with (
        telling({}, now=NOW) as url,
        pytest.raises(ApiUnavailable, match="404"),
    ):
        read_vitals(url)
    with (
        telling({"/health/ready": "<html>"}, status=503, now=NOW) as url,
        pytest.raises(UnreadableAnswer, match="no Health"),
    ):
        read_vitals(url)
    with (
        telling(WELL, now=None) as url,
        pytest.raises(ApiUnavailable, match="says no time"),
    ):
        read_vitals(url)


def test_an_api_that_is_away_is_told_with_its_address():
    url = f"http://127.0.0.1:{free_port()}"
    with pytest.raises(ApiUnavailable, match=f"{url} does not answer"):
        read_vitals(url)
