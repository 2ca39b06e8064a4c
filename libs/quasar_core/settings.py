"""CoreSettings: what every process reads from its environment."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AliasChoices, Field, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import InitErrorDetails, PydanticCustomError
from pydantic_settings import (
    BaseSettings,
    EnvSettingsSource,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    SettingsError,
)

from quasar_core.contracts.values import Hotkey

FILE_SUFFIX = "_FILE"


class SecretFiles(EnvSettingsSource):
    """A setting's value from the file that `<NAME>_FILE` names.

    So a secret reaches a container as a file, which no `inspect` and no
    child process shows. White space around it is no part of it.
    """

    def __call__(self) -> dict[str, Any]:
        """What the files say; ValidationError where one cannot be read."""
        try:
            return super().__call__()
        except SettingsError as fault:
            if isinstance(fault.__cause__, ValidationError):
                raise fault.__cause__ from fault
            raise

    def get_field_value(
        self, field: FieldInfo, field_name: str
    ) -> tuple[Any, str, bool]:
        """As the environment's, one step further."""
        for key, name, is_complex in self._extract_field_info(
            field, field_name
        ):
            path = os.environ.get(f"{name.upper()}{FILE_SUFFIX}")
            if path:
                return self._content(Path(path), name), key, is_complex
        return None, field_name, False

    def _content(self, path: Path, name: str) -> str:
        try:
            return path.read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as fault:
            reason = getattr(fault, "strerror", None) or "not text"
            error = PydanticCustomError(
                "secret_file",
                "the file {path} cannot be read: {reason}",
                {"path": str(path), "reason": reason},
            )
            details = InitErrorDetails(
                type=error, loc=(f"{name.upper()}{FILE_SUFFIX}",), input=None
            )
            raise ValidationError.from_exception_data(
                self.settings_cls.__name__, [details]
            ) from fault


@dataclass(frozen=True)
class Secret:
    """Marks a setting that nobody else may read: what of it is secret."""

    what: str


class CoreSettings(BaseSettings):
    """What every process reads; each service adds its own.

    Every name is read from `QUASAR_<NAME>`, or from an alias of the
    existing subnet where the field names one; what neither says, from the
    file that `QUASAR_<NAME>_FILE` names. What is empty is unset.
    """

    model_config = SettingsConfigDict(
        env_prefix="QUASAR_",
        env_file=".env",
        env_ignore_empty=True,
        extra="ignore",
        populate_by_name=True,
        frozen=True,
    )

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """What counts more comes first."""
        return (
            init_settings,
            env_settings,
            SecretFiles(settings_cls),
            dotenv_settings,
            file_secret_settings,
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


class CanarySettings(CoreSettings):
    """How often known submissions are judged: workers do it, the API asks."""

    canary_seconds: float = Field(
        default=86_400.0,
        ge=0,
        description=(
            "How often a worker judges its canaries, known submissions; 0:"
            " never. The API misses them after twice as long."
        ),
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
    block_seconds: Annotated[float, Field(gt=0)] = Field(
        default=12.0,
        validation_alias=AliasChoices(
            "QUASAR_BLOCK_SECONDS", "BLOCK_TIME_SECONDS"
        ),
        description=(
            "How long a block of a real chain lasts: its height is read"
            " twice as often, and is unknown after three. A local chain"
            " knows its own."
        ),
    )


class ParticipantSettings(ChainSettings):
    """What whoever talks to the API needs to know."""

    api_url: str = Field(
        default="http://127.0.0.1:8000",
        validation_alias=AliasChoices("QUASAR_API_URL", "VALIDATOR_API_URL"),
        description="Where the API of the competition answers.",
    )
    receiver_hotkey: Hotkey | None = Field(
        default=None,
        description=(
            "The API's hotkey: nothing is signed for another. Unset, the"
            " one that it names itself, and the new one when it rotates it."
        ),
    )


class WalletSettings(ParticipantSettings):
    """Which wallet signs; what it is called by default is each one's own."""

    wallet_name: str
    wallet_hotkey: str = Field(
        default="default",
        validation_alias=AliasChoices("QUASAR_WALLET_HOTKEY", "WALLET_HOTKEY"),
        description="Which hotkey of the wallet signs.",
    )
    wallet_path: Annotated[Path, Secret("the keys that lie there")] = Field(
        default=Path("~/.bittensor/wallets"),
        description="The folder of the wallets.",
    )
