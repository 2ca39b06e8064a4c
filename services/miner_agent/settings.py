"""Settings of the miner's commands."""

from __future__ import annotations

from pathlib import Path

from pydantic import AliasChoices, Field
from quasar_core.contracts.values import Hotkey
from quasar_core.judge.settings import JudgeSettings
from quasar_core.settings import CoreSettings


class MinerSettings(CoreSettings):
    """What the miner's commands read from the environment."""

    api_url: str = Field(
        default="http://127.0.0.1:8000",
        validation_alias=AliasChoices("QUASAR_API_URL", "VALIDATOR_API_URL"),
        description="Where the API of the competition answers.",
    )
    receiver_hotkey: Hotkey | None = Field(
        default=None,
        description=(
            "The API's hotkey; unset, the one that it names itself the"
            " first time."
        ),
    )
    chain_url: str = Field(
        default="finney",
        validation_alias=AliasChoices("QUASAR_CHAIN_URL", "SUBTENSOR_NETWORK"),
        description="finney, test, a ws:// URL, or local:///PATH.",
    )
    netuid: int = Field(
        default=439,
        ge=0,
        le=65_535,
        validation_alias=AliasChoices("QUASAR_NETUID", "NETUID"),
    )
    wallet_name: str = Field(
        default="miner",
        validation_alias=AliasChoices(
            "QUASAR_WALLET_NAME", "WALLET_MINER_NAME"
        ),
    )
    wallet_hotkey: str = Field(
        default="default",
        validation_alias=AliasChoices("QUASAR_WALLET_HOTKEY", "WALLET_HOTKEY"),
    )
    wallet_path: Path = Field(
        default=Path("~/.bittensor/wallets"),
        description="The folder of the wallets.",
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
        if self.reference_model is None:
            return self.judge
        logits = self.judge.logits.model_copy(
            update={"model_path": self.reference_model}
        )
        return self.judge.model_copy(update={"logits": logits})
