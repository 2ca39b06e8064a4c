"""Options: what is given counts, what is not comes from the environment."""

from __future__ import annotations

from pathlib import Path

import pytest
from quasar_core.options import OptionFault

from services.miner_agent.options import settings_of


def test_what_is_given_outweighs_the_environment(monkeypatch):
    monkeypatch.setenv("NETUID", "24")
    monkeypatch.setenv("WALLET_MINER_NAME", "pickaxe")

    settings = settings_of(netuid=439, wallet_name=None)

    assert (settings.netuid, settings.wallet_name) == (439, "pickaxe")


def test_the_subnets_names_are_known_beside_our_own(monkeypatch):
    monkeypatch.setenv("VALIDATOR_API_URL", "http://there")
    assert settings_of().api_url == "http://there"

    monkeypatch.setenv("QUASAR_API_URL", "http://here")
    assert settings_of().api_url == "http://here"


def test_the_reference_model_goes_to_the_judge(monkeypatch):
    assert settings_of().judging.logits.model_path is None

    monkeypatch.setenv("REFERENCE_MODEL", "/models/qwen")

    assert settings_of().judging.logits.model_path == Path("/models/qwen")


def test_what_is_out_of_range_is_refused():
    with pytest.raises(OptionFault):
        settings_of(netuid=70_000)
