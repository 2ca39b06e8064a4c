"""Settings of the administrator's commands."""

from __future__ import annotations

from pydantic import Field
from quasar_core.settings import WalletSettings


class AdminSettings(WalletSettings):
    """What `quasar admin` reads from the environment."""

    wallet_name: str = Field(
        default="owner",
        validation_alias="QUASAR_WALLET_NAME",
        description="The administrator's wallet.",
    )
