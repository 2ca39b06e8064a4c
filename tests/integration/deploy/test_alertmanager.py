"""Alertmanager itself reads our configuration, and an alert arrives."""

import subprocess

from tests.support.alertmanager import (
    alertmanager,
    configured,
    fire,
    needs_alertmanager,
    receiver,
)
from tests.support.prometheus import needs_prometheus, prometheus
from tests.support.waiting import eventually

pytestmark = needs_alertmanager

WAIT_SECONDS = 30


def labels_of(message):
    return [alert["labels"] for alert in message["alerts"]]


def test_amtool_takes_the_configuration(tmp_path):
    found = subprocess.run(
        ["amtool", "check-config", configured(tmp_path, "http://nobody/")],
        check=False,
        capture_output=True,
        text=True,
    )
    assert found.returncode == 0, found.stdout + found.stderr


def test_what_fires_under_one_name_is_one_message_to_the_secret_url(tmp_path):
    down = [
        {"alertname": "ProcessDown", "severity": "page", "process": name}
        for name in ("recorder", "web")
    ]
    drift = {"alertname": "BaselineDrift", "severity": "ticket"}
    with receiver() as (url, told), alertmanager(tmp_path, url) as address:
        fire(address, *down, drift)
        messages = [told.get(timeout=WAIT_SECONDS) for _ in range(2)]
        assert told.empty()
    by_name = {
        message["groupLabels"]["alertname"]: labels_of(message)
        for message in messages
    }
    assert by_name == {"ProcessDown": down, "BaselineDrift": [drift]}


@needs_prometheus
def test_prometheus_sends_its_alerts_to_whom_a_file_names(tmp_path):
    targets = tmp_path / "targets"
    targets.mkdir()
    with (
        receiver() as (url, _),
        alertmanager(tmp_path, url) as address,
        prometheus(
            tmp_path / "prometheus", targets, alertmanagers=[address]
        ) as server,
    ):
        eventually(
            lambda: (
                server.alertmanagers() == [f"http://{address}/api/v2/alerts"]
            ),
            "Prometheus to find Alertmanager",
            WAIT_SECONDS,
        )
