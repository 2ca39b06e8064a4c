"""Settings of the weight setter."""

from __future__ import annotations

from typing import Annotated

from pydantic import AliasChoices, Field
from quasar_core.settings import WalletSettings


class WeightSetterSettings(WalletSettings):
    """What the weight setter reads from its environment."""

    wallet_name: str = Field(
        default="validator",
        validation_alias=AliasChoices(
            "QUASAR_WALLET_NAME", "WALLET_VALIDATOR_NAME"
        ),
        description="The validator's wallet.",
    )
    weights_poll_seconds: Annotated[float, Field(gt=0)] = Field(
        default=12.0,
        description="How often the API is asked for a newer round.",
    )
