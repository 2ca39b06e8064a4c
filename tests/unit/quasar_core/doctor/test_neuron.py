"""Chain, wallet, registration and permit, each missing in turn."""

import pytest
from quasar_core.chain.local import LocalChain
from quasar_core.chain.local_state import Genesis
from quasar_core.chain.wallets import create_wallet
from quasar_core.doctor.neuron import (
    check_miner,
    check_validator,
    check_wallet,
)
from quasar_core.settings import WalletSettings

from tests.support.bad_nodes import refusing
from tests.support.wallets import address


@pytest.fixture
def settings(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return WalletSettings(
        chain_url=f"local://{tmp_path}/chain.json",
        netuid=24,
        wallet_name="somebody",
        wallet_path=tmp_path / "wallets",
    )


@pytest.fixture
def chain(tmp_path) -> LocalChain:
    return LocalChain.create(tmp_path / "chain.json", Genesis(netuid=24))


@pytest.fixture
def hotkey(tmp_path) -> str:
    return create_wallet("somebody", "default", tmp_path / "wallets").hotkey


def states(findings):
    return {each.name: each.state for each in findings}


def test_a_validator_with_all_he_needs(settings, chain, hotkey):
    chain.register(hotkey, address("cold"), validator_permit=True)
    assert states(check_validator(settings)) == {
        "chain": "ok",
        "wallet": "ok",
        "registration": "ok",
        "permit": "ok",
    }


def test_a_miner_needs_no_permit(settings, chain, hotkey):
    chain.register(hotkey, address("cold"))
    assert states(check_miner(settings)) == {
        "chain": "ok",
        "wallet": "ok",
        "registration": "ok",
    }
    *_, permit = check_validator(settings)
    assert permit.state == "FAIL"
    assert "no validator permit" in permit.fix


def test_an_administrator_needs_no_registration(settings, chain, hotkey):
    assert states(check_wallet(settings)) == {"chain": "ok", "wallet": "ok"}
    *_, registration = check_miner(settings)
    assert registration.state == "FAIL"
    assert "register it" in registration.fix
    *_, permit = check_validator(settings)
    assert "register it there first" in permit.fix


def test_without_a_wallet_nothing_is_known_of_its_hotkey(settings, chain):
    assert states(check_validator(settings)) == {
        "chain": "ok",
        "wallet": "FAIL",
        "registration": "FAIL",
        "permit": "FAIL",
    }


def test_a_chain_that_is_missing_or_away_is_told(settings, hotkey):
    found, *_ = check_wallet(settings)
    assert found.state == "FAIL"
    assert "QUASAR_CHAIN_URL" in found.fix
    with refusing() as url:
        away = settings.model_copy(update={"chain_url": url})
        found, *_ = check_wallet(away)
    assert "no usable answer" in found.detail


def test_what_is_no_chains_address_is_told(settings, hotkey):
    wrong = settings.model_copy(update={"chain_url": "http://example.org"})
    found, *_ = check_wallet(wrong)
    assert "is no chain" in found.detail
