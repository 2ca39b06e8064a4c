"""The weight setter as its users meet it: a process and a command."""

from __future__ import annotations

import json
import logging
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import structlog
from quasar_core.chain.local import LocalChain
from quasar_core.chain.local_state import Genesis
from quasar_core.chain.wallets import create_wallet
from typer.testing import CliRunner

from services.weight_setter.cli import weights
from tests.support.api_server import FakeApi, round_view
from tests.support.wallets import address


@pytest.fixture(autouse=True)
def _logs_as_before():
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers, root.level = handlers, level
    structlog.reset_defaults()


SHARES = {1: 0.6, 2: 0.25, 3: 0.1, 4: 0.05}


@pytest.fixture
def validator(tmp_path) -> str:
    return create_wallet("validator", "default", tmp_path / "wallets").hotkey


@pytest.fixture
def chain(tmp_path, validator) -> LocalChain:
    chain = LocalChain.create(tmp_path / "chain.json", Genesis())
    chain.register(validator, address("cold"), validator_permit=True)
    for name in ("first", "second", "third", "fourth"):
        chain.register(address(name), address(f"{name}-cold"))
    return chain


@pytest.fixture
def environment(tmp_path, api) -> dict[str, str]:
    return {
        "QUASAR_API_URL": api.url,
        "QUASAR_CHAIN_URL": f"local://{tmp_path}/chain.json",
        "QUASAR_NETUID": "24",
        "QUASAR_WALLET_PATH": str(tmp_path / "wallets"),
        "QUASAR_WEIGHTS_POLL_SECONDS": "0.05",
        "WALLET_VALIDATOR_NAME": "validator",
    }


def start(environment: dict[str, str]) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "services.weight_setter"],
        env=os.environ | environment,
        stderr=subprocess.PIPE,
        text=True,
    )


def await_reports(api: FakeApi, process: subprocess.Popen[str]) -> None:
    deadline = time.monotonic() + 60
    while not api.reports:
        assert process.poll() is None, process.stderr
        assert time.monotonic() < deadline, "no report came"
        time.sleep(0.02)


def test_the_process_sets_weights_and_ends_on_sigterm(
    api, chain, validator, environment
):
    process = start(environment)
    await_reports(api, process)

    process.send_signal(signal.SIGTERM)
    _, stderr = process.communicate(timeout=30)

    assert process.returncode == 0
    assert chain.weights_of(validator) == pytest.approx(SHARES, abs=1e-4)
    assert [report["outcome"] for report in api.reports] == ["set"]
    events = [json.loads(line)["event"] for line in stderr.splitlines()]
    assert events == [
        "weight_setter.started",
        "weights.reported",
        "weight_setter.stopped",
    ]


def test_it_does_not_start_without_a_wallet(chain, environment, tmp_path):
    environment["QUASAR_WALLET_PATH"] = str(tmp_path / "nowhere")
    process = start(environment)

    _, stderr = process.communicate(timeout=60)

    assert process.returncode == 2
    assert stderr.startswith("the weight setter cannot start: there is no")
    assert "Traceback" not in stderr


@pytest.fixture
def command(environment):
    runner = CliRunner(env=environment)

    def call(*arguments: str):
        return runner.invoke(weights, list(arguments))

    return call


def test_show_tells_that_nothing_stands_yet(command, chain, validator):
    shown = command("show")

    assert shown.exit_code == 0
    assert f"no weights stand on chain for {validator}" in shown.output


def test_a_dry_run_shows_the_vector_and_sets_nothing(
    command, api, chain, validator
):
    chain.deregister(address("fourth"))

    shown = json.loads(command("show", "--dry-run", "--json").output)
    plain = command("show", "--dry-run").output

    assert [row["uid"] for row in shown["weights"]] == [1, 2, 3]
    assert sum(row["share"] for row in shown["weights"]) == pytest.approx(1)
    assert shown["dropped"] == {address("fourth"): "not registered"}
    assert f"{address('fourth')}: not registered" in plain
    assert (chain.weights_of(validator), api.reports) == ({}, [])


def test_one_turn_sets_and_show_tells_what_stands(command, chain, validator):
    first = command("run", "--once", "--json")
    shown = json.loads(command("show", "--json").output)

    assert json.loads(first.output)["outcome"] == "set"
    assert {row["uid"]: row["share"] for row in shown["weights"]} == (
        pytest.approx(SHARES, abs=1e-4)
    )
    assert shown["weights"][0]["hotkey"] == address("first")
    assert validator in shown["title"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--wallet-name", "nobody"], "there is no wallet nobody/default"),
        (["--api-url", "127.0.0.1:80"], "is no address of an API"),
        (["--chain-url", "main"], "is no chain"),
        (["--chain-url", "local:///nowhere/c.json"], "no local chain"),
        (["--netuid", "439"], "has subnet 24, not 439"),
        (["--netuid", "-1"], "greater than or equal to 0"),
    ],
)
def test_what_is_missing_is_said_and_how_to_mend_it(
    command, chain, arguments, message
):
    plain = command("run", "--once", *arguments)
    machine = command("run", "--once", "--json", *arguments)

    assert (plain.exit_code, machine.exit_code) == (2, 2)
    assert message in plain.output
    assert message in json.loads(machine.output)["error"]["message"]


def test_a_dry_run_without_a_final_round_says_so(command, api, chain):
    api.round = round_view(latest_finalised_round=None)

    shown = command("show", "--dry-run")
    turn = command("run", "--once", "--dry-run")

    assert (shown.exit_code, turn.exit_code) == (0, 0)
    assert "no round is final yet" in shown.output
    assert "no round is final yet" in turn.output


@pytest.mark.parametrize("name", ["run", "show"])
def test_help_teaches(command, name):
    shown = command(name, "--help")

    assert shown.exit_code == 0
    assert "--wallet-name" in shown.output
    assert "--dry-run" in shown.output


def test_the_settings_file_of_the_folder_is_not_needed(
    command, chain, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    Path(".env").write_text("QUASAR_SOMETHING_ELSE=1\n", encoding="utf-8")

    assert command("show").exit_code == 0
