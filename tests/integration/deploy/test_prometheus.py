"""Prometheus itself reads our configuration, and its rules are proved."""

import re
import subprocess

import pytest

from tests.support.prometheus import CONFIGURATION, needs_prometheus

pytestmark = needs_prometheus


def promtool(*words):
    return subprocess.run(
        ["promtool", *map(str, words)],
        check=False,
        capture_output=True,
        text=True,
        timeout=60,
    )


def test_prometheus_takes_the_configuration_and_its_rules():
    found = promtool("check", "config", CONFIGURATION / "prometheus.yml")
    assert found.returncode == 0, found.stdout + found.stderr
    for rules in CONFIGURATION.glob("rules/*.yml"):
        number = len(re.findall("- (alert|record):", rules.read_text()))
        assert number
        assert f"{number} rules found" in found.stdout, rules.name


@pytest.mark.parametrize(
    "cases",
    sorted(CONFIGURATION.glob("tests/*.yml")),
    ids=lambda path: path.stem,
)
def test_each_alert_fires_on_its_trouble_and_not_before(cases):
    found = promtool("test", "rules", cases)
    assert found.returncode == 0, found.stdout + found.stderr


def test_every_alert_is_tried_both_ways():
    rules = (CONFIGURATION / "rules/alerts.yml").read_text()
    tried = (CONFIGURATION / "tests/alerts.yml").read_text()
    names = [
        line.split()[-1] for line in rules.splitlines() if "- alert:" in line
    ]
    assert names
    for name in names:
        assert f"alertname: {name}}}" in tried, f"{name} when all is quiet"
        assert f"alertname: {name}\n" in tried, f"{name} in its trouble"
