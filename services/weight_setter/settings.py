"""Settings of the weight setter."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from pydantic import AliasChoices, Field
from quasar_core.contracts.values import Hotkey
from quasar_core.settings import CoreSettings


class WeightSetterSettings(CoreSettings):
    """What the weight setter reads from its environment."""

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
        default="validator",
        validation_alias=AliasChoices(
            "QUASAR_WALLET_NAME", "WALLET_VALIDATOR_NAME"
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
    weights_poll_seconds: Annotated[float, Field(gt=0)] = Field(
        default=12.0,
        description="How often the API is asked for a newer round.",
    )
