"""CoreSettings: what every process reads from its environment."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AliasChoices, Field
from pydantic_settings import BaseSettings, SettingsConfigDict

from quasar_core.contracts.values import Hotkey


@dataclass(frozen=True)
class Secret:
    """Marks a setting that nobody else may read: what of it is secret."""

    what: str


class CoreSettings(BaseSettings):
    """What every process reads; each service adds its own.

    Every name is read from `QUASAR_<NAME>`, or from an alias of the
    existing subnet where the field names one. What is empty is unset.
    """

    model_config = SettingsConfigDict(
        env_prefix="QUASAR_",
        env_file=".env",
        env_ignore_empty=True,
        extra="ignore",
        populate_by_name=True,
        frozen=True,
    )

    environment: Literal["local", "production"] = Field(
        default="local",
        description="`production` refuses every shortcut of a laptop.",
    )
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field(
        default="INFO", description="What is logged: this and worse."
    )
    log_json: bool = Field(
        default=True, description="One JSON object per line; else coloured."
    )
    redis_url: Annotated[str, Secret("its password")] = Field(
        default="redis://127.0.0.1:6379/0",
        description="The broker; redis:// or redis+socket://PATH.",
    )
    state_directory: Path = Field(
        default=Path(".run"),
        description="Where a process keeps what must survive a restart.",
    )
    metrics_port: int = Field(
        default=0,
        ge=0,
        le=65_535,
        description="Where /metrics is served; 0 serves none.",
    )
    metrics_host: str = Field(
        default="127.0.0.1",
        description="The address of /metrics; 0.0.0.0 inside a container.",
    )


class ChainSettings(CoreSettings):
    """Which chain, and which subnet of it."""

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
        description="The subnet; 24 on the test network.",
    )


class ParticipantSettings(ChainSettings):
    """What whoever talks to the API with a wallet needs to know.

    The wallet's name is each participant's own: its default differs.
    """

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
    wallet_hotkey: str = Field(
        default="default",
        validation_alias=AliasChoices("QUASAR_WALLET_HOTKEY", "WALLET_HOTKEY"),
        description="Which hotkey of the wallet signs.",
    )
    wallet_path: Annotated[Path, Secret("the keys that lie there")] = Field(
        default=Path("~/.bittensor/wallets"),
        description="The folder of the wallets.",
    )
