"""The options of every command: settings, on top of the environment."""

from __future__ import annotations

from pathlib import Path

import pytest
import typer
from quasar_core.options import Chosen, OptionFault, neuron, with_settings
from typer.testing import CliRunner

from services.weight_setter.settings import WeightSetterSettings

app = typer.Typer()


@app.command()
@with_settings(WeightSetterSettings, neuron)
def tell(
    *, settings: Chosen[WeightSetterSettings], loud: bool = False
) -> None:
    """Tell what was given."""
    made = settings()
    typer.echo(f"{made.netuid} {made.wallet_name} {made.chain_url} {loud}")


def call(*arguments: str, **environment: str):
    return CliRunner(env=environment).invoke(app, list(arguments))


def test_a_command_has_the_shared_options_and_its_own():
    told = call("--netuid", "24", "--wallet-name", "me", "--loud")

    assert told.output == "24 me finney True\n"


def test_what_is_not_given_is_the_environments():
    told = call("--netuid", "24", WALLET_VALIDATOR_NAME="her", NETUID="7")

    assert told.output == "24 her finney False\n"


def test_the_chain_may_be_called_a_network_as_elsewhere():
    assert call("--network", "test").output == "439 validator test False\n"


def test_what_makes_no_settings_is_said_in_a_sentence():
    fault = call("--netuid", "-1").exception

    assert isinstance(fault, OptionFault)
    assert "greater than or equal to 0" in str(fault)


def test_more_may_be_given_where_it_is_known_only_later():
    chosen = Chosen(WeightSetterSettings, {"netuid": None})

    assert chosen.with_more(netuid=24)().netuid == 24


def test_the_help_shows_them_all(tmp_path: Path):
    shown = call("--help").output

    for option in ("--api-url", "--chain-url", "--wallet-path", "--loud"):
        assert option in shown
    assert "settings" not in shown


@pytest.mark.parametrize("name", ["run", "show"])
def test_both_commands_of_the_weight_setter_have_them(name):
    from services.weight_setter.cli import weights

    shown = CliRunner().invoke(weights, [name, "--help"]).output

    assert "--wallet-hotkey" in shown
