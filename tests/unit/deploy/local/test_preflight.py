"""Before an operator starts: what he lacks is said, and how to mend it."""

from __future__ import annotations

import pytest
from quasar_core.chain.local import LocalChain
from quasar_core.chain.local_state import Genesis
from quasar_core.chain.wallets import create_wallet
from quasar_core.errors import QuasarError
from typer.testing import CliRunner

from deploy.local.cli import validator
from deploy.local.preflight import check_operator
from services.weight_setter.settings import WeightSetterSettings
from tests.support.api_server import round_view, serving
from tests.support.wallets import address


@pytest.fixture(scope="module")
def api():
    with serving() as api:
        yield api


@pytest.fixture
def chain(tmp_path) -> LocalChain:
    return LocalChain.create(tmp_path / "chain.json", Genesis(netuid=24))


@pytest.fixture
def settings(tmp_path, api, chain):
    api.round = round_view()

    def make(**changes) -> WeightSetterSettings:
        given = {
            "api_url": api.url,
            "chain_url": f"local://{tmp_path}/chain.json",
            "netuid": 24,
            "wallet_path": tmp_path / "wallets",
        }
        return WeightSetterSettings(**given | changes)

    return make


@pytest.fixture
def hotkey(tmp_path) -> str:
    return create_wallet("validator", "default", tmp_path / "wallets").hotkey


def refusal(settings: WeightSetterSettings) -> str:
    with pytest.raises(QuasarError) as caught:
        check_operator(settings)
    return str(caught.value)


def test_a_validator_with_a_permit_is_told_who_he_is(settings, chain, hotkey):
    chain.register(hotkey, address("cold"), validator_permit=True)

    lines = check_operator(settings())

    assert lines[0].startswith(f"validator {hotkey} is uid 0 of subnet 24")


def test_a_wallet_that_is_missing_is_named(settings):
    assert "there is no wallet validator/default" in refusal(settings())


def test_a_hotkey_that_is_not_registered_is_refused(settings, hotkey):
    assert refusal(settings()).startswith(
        f"not_registered: {hotkey} has no uid on subnet 24"
    )


def test_a_hotkey_without_a_permit_is_refused(settings, chain, hotkey):
    chain.register(hotkey, address("cold"))

    assert "has no validator permit" in refusal(settings())


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"chain_url": "nowhere"}, "is no chain"),
        ({"chain_url": "local:///no/chain.json"}, "there is no local chain"),
        ({"netuid": 439}, "has subnet 24, not 439"),
        ({"api_url": "http://127.0.0.1:9"}, "no round could be read"),
    ],
)
def test_what_does_not_answer_is_named(settings, chain, hotkey, changes, why):
    chain.register(hotkey, address("cold"), validator_permit=True)

    assert why in refusal(settings(**changes))


def test_an_api_of_another_subnet_is_refused(settings, chain, hotkey, api):
    chain.register(hotkey, address("cold"), validator_permit=True)
    api.round = round_view(netuid=439)

    assert "plays on subnet 439, not on 24" in refusal(settings())


def test_the_command_ends_in_a_sentence_before_anything_is_started(
    settings, tmp_path, api
):
    folder = tmp_path / "operator"
    ended = CliRunner().invoke(
        validator,
        [
            *("run", "--api-url", api.url, "--directory", str(folder)),
            *("--network", settings().chain_url, "--netuid", "24"),
            *("--wallet-name", "nobody", "--wallet-hotkey", "default"),
            *("--wallet-path", str(tmp_path / "wallets")),
        ],
    )

    assert ended.exit_code == 1
    assert "there is no wallet nobody/default" in " ".join(
        ended.stderr.split()
    )
    assert list(folder.iterdir()) == []
