"""Wishes that do not go together are told before anything is done."""

from pathlib import Path

import pytest
from quasar_core.options import OptionFault

from services.miner_agent.agent.settings import AgentSettings
from services.miner_agent.agent.wishes import Wish, check

FORK = Path("fork")


@pytest.mark.parametrize(
    ("settings", "wish", "words"),
    [
        ({}, {"github": "a/b"}, "GITHUB_TOKEN"),
        ({}, {"uses_model": True}, "--model-url"),
        (
            {"model_url": "http://x", "max_cost": 1.0},
            {"uses_model": True},
            "--max-cost needs prices",
        ),
    ],
)
def test_what_is_missing_is_named(monkeypatch, settings, wish, words):
    for name in ("QUASAR_GITHUB_TOKEN", "GITHUB_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(OptionFault, match=words):
        check(AgentSettings(**settings), Wish(FORK, **wish))


def test_what_goes_together_is_let_through():
    priced = AgentSettings(
        model_url="http://x", max_cost=1.0, model_reply_price=1.0
    )
    check(priced, Wish(FORK, uses_model=True))
    check(AgentSettings(max_cost=1.0), Wish(FORK))
