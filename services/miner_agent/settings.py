"""Settings of the miner's commands."""

from __future__ import annotations

from pathlib import Path

from pydantic import AliasChoices, Field
from quasar_core.judge.settings import JudgeSettings
from quasar_core.settings import WalletSettings


class MinerSettings(WalletSettings):
    """What the miner's commands read from the environment."""

    wallet_name: str = Field(
        default="miner",
        validation_alias=AliasChoices(
            "QUASAR_WALLET_NAME", "WALLET_MINER_NAME"
        ),
        description="Your wallet.",
    )
    reference_model: Path | None = Field(
        default=None,
        validation_alias=AliasChoices(
            "QUASAR_REFERENCE_MODEL", "REFERENCE_MODEL"
        ),
        description="The reference model's folder; unset, a stand-in.",
    )
    judge: JudgeSettings = Field(
        default=JudgeSettings(),
        description="How `quasar validate` judges, as JSON.",
    )

    @property
    def judging(self) -> JudgeSettings:
        """The judge's settings, with the reference model in its place."""
        return self.judge.with_model(self.reference_model)
