"""The API's rows, against a server that is ill in one way after another."""

import time

import pytest
from quasar_core.contracts.http import Health
from quasar_core.doctor.api import check_api
from quasar_core.settings import ParticipantSettings

from tests.support.api_server import round_view
from tests.support.clocked_server import telling
from tests.support.valkey import free_port

WELL = {
    "/health/ready": Health(status="ok").model_dump_json(),
    "/rounds/current": round_view().model_dump_json(),
}


@pytest.fixture(autouse=True)
def _alone(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def found_at(url, netuid=24):
    settings = ParticipantSettings(api_url=url, netuid=netuid)
    return {each.name: each for each in check_api(settings)}


def test_an_api_that_is_well_has_three_good_rows():
    with telling(WELL, now=time.time()) as url:
        found = found_at(url)
    assert {each.state for each in found.values()} == {"ok"}
    assert list(found) == ["api", "round", "clock"]
    assert found["round"].detail == "round 2 of subnet 24, pool cpu"


def test_an_api_that_is_away_has_one_row():
    found = found_at(f"http://127.0.0.1:{free_port()}")
    assert list(found) == ["api"]
    assert "QUASAR_API_URL" in found["api"].fix


def test_what_an_api_lacks_is_told():
    ill = Health(status="unavailable", checks={"broker": "unavailable"})
    pages = WELL | {"/health/ready": ill.model_dump_json()}
    with telling(pages, now=time.time()) as url:
        found = found_at(url)
    assert found["api"].ok is False
    assert found["api"].detail.endswith("unavailable; broker: unavailable")


def test_an_api_of_another_subnet_is_told():
    with telling(WELL, now=time.time()) as url:
        found = found_at(url, netuid=439)
    assert found["round"].ok is False
    assert "our subnet is 439" in found["round"].fix


def test_an_api_without_a_round_is_told():
    pages = {"/health/ready": WELL["/health/ready"]}
    with telling(pages, now=time.time()) as url:
        found = found_at(url)
    assert found["round"].ok is False
    assert "scheduler" in found["round"].fix


@pytest.mark.parametrize(
    ("hours", "told"), [(2, "behind the API's"), (-2, "ahead of the API's")]
)
def test_a_clock_that_no_request_would_pass_with_is_told(hours, told):
    with telling(WELL, now=time.time() + hours * 3_600) as url:
        clock = found_at(url)["clock"]
    assert clock.ok is False
    assert told in clock.detail
    assert "10 s behind to 2 s ahead" in clock.fix
