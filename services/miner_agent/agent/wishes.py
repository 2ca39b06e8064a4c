"""Wishes: what `quasar miner run` is asked for, and what goes together."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from quasar_core.options import OptionFault

from services.miner_agent.agent.settings import AgentSettings


@dataclass(frozen=True)
class Wish:
    """What `quasar miner run` was asked for."""

    repo_path: Path
    sequence_length: int | None = None
    base: str | None = None
    github: str | None = None
    fork_url: str | None = None
    remote: str = "origin"
    uses_model: bool = False
    seed: int = 0
    restarts: int = 8
    with_logits: bool = True
    once: bool = False
    dry_run: bool = False


def check(settings: AgentSettings, wish: Wish) -> None:
    """Raise OptionFault for what does not go together."""
    if wish.github is not None and settings.github_token is None:
        raise OptionFault(
            "--github needs a token: put it into GITHUB_TOKEN, never on the"
            " command line"
        )
    if wish.uses_model and settings.model_url is None:
        raise OptionFault(
            "--proposer model needs --model-url, what stands before"
            " /chat/completions at the endpoint"
        )
    priced = settings.model_prompt_price or settings.model_reply_price
    if wish.uses_model and settings.max_cost is not None and not priced:
        raise OptionFault(
            "--max-cost needs prices: QUASAR_MODEL_PROMPT_PRICE and"
            " QUASAR_MODEL_REPLY_PRICE, for a million tokens"
        )
