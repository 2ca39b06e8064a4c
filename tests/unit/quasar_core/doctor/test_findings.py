"""Findings are told as a table or as JSON, with one exit code."""

import json

import pytest
from quasar_core.doctor.findings import Finding, fit, look, report
from quasar_core.options import Chosen
from quasar_core.settings import ChainSettings, CoreSettings

WELL = Finding("git", ok=True, detail="2.39", fix="install git")
ILL = Finding("disk", ok=False, detail="[full]", fix="make room")
TOLD = Finding("gpu", ok=False, detail="none", fix="buy one", needed=False)


@pytest.fixture(autouse=True)
def _alone(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def test_only_what_is_needed_decides():
    assert fit((WELL, TOLD))
    assert not fit((WELL, ILL))
    assert [each.state for each in (WELL, ILL, TOLD)] == ["ok", "FAIL", "note"]


def test_the_table_tells_what_to_do_where_something_fails(capsys):
    assert report((WELL, ILL, TOLD), "judge") == 1
    lines = capsys.readouterr().out.splitlines()
    rows = [" ".join(line.split()) for line in lines if line.strip()]
    assert rows[2:] == [
        "ok git 2.39",
        "FAIL disk [full]",
        "-> make room",
        "note gpu none",
        "This machine cannot judge yet: see what is marked FAIL.",
    ]


def test_a_fit_machine_ends_with_0_in_both_forms(capsys):
    assert report((WELL, TOLD), "judge") == 0
    assert capsys.readouterr().out.endswith("This machine can judge.\n")
    assert report((WELL, TOLD), "judge", as_json=True) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["fit"] is True
    assert [each["state"] for each in told["checks"]] == ["ok", "note"]


def test_an_unfit_machine_ends_with_1_as_json_too(capsys):
    assert report((ILL,), "judge", as_json=True) == 1
    assert json.loads(capsys.readouterr().out)["fit"] is False


def test_checks_look_from_the_settings_in_their_order():
    def first(settings):
        yield Finding("level", ok=True, detail=settings.log_level)

    def second(_):
        yield ILL
        yield WELL

    found = look(Chosen(CoreSettings, {}), (first, second))
    assert found == (Finding("level", ok=True, detail="INFO"), ILL, WELL)


@pytest.mark.parametrize(
    ("kind", "name", "value", "told"),
    [
        (ChainSettings, "QUASAR_NETUID", "many", "NETUID"),
        (CoreSettings, "QUASAR_METRICS_PORT", "-1", "metrics_port"),
    ],
)
def test_settings_that_are_none_are_a_finding(
    monkeypatch, kind, name, value, told
):
    monkeypatch.setenv(name, value)
    (found,) = look(Chosen(kind, {}), ())
    assert (found.name, found.state) == ("settings", "FAIL")
    assert told in found.detail
    assert "docs/configuration.md" in found.fix
