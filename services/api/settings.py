"""Settings of the API's three processes."""

from __future__ import annotations

import ipaddress
from datetime import datetime
from typing import Annotated

from pydantic import (
    AfterValidator,
    AliasChoices,
    AwareDatetime,
    Field,
    model_validator,
)
from quasar_core.chain.keys import KeyFault, canonical_hotkey
from quasar_core.contracts.values import Hotkey as AnyHotkey
from quasar_core.contracts.values import WorkerName
from quasar_core.messaging.limits import LimitRules
from quasar_core.settings import ChainSettings, CoreSettings, Secret

from services.api.attempts.settings import PositiveFloat, QueueSettings
from services.api.rounds.settings import Bound, Count, RoundRules


def _canonical(address: str) -> str:
    try:
        return canonical_hotkey(address)
    except KeyFault as fault:
        raise ValueError(str(fault)) from fault


def _network(text: str) -> str:
    return str(ipaddress.ip_network(text, strict=False))


Hotkey = Annotated[AnyHotkey, AfterValidator(_canonical)]
"""One key has an address per prefix; ours are kept with prefix 42."""

Network = Annotated[str, AfterValidator(_network)]


class DatabaseSettings(CoreSettings):
    """Where the database is: all that a migration needs to know."""

    database_url: Annotated[str, Secret("its password")] = Field(
        default="sqlite:///quasar.db",
        validation_alias=AliasChoices("QUASAR_DATABASE_URL", "DATABASE_URL"),
        description="sqlite:///FILE or postgresql://USER:PASSWORD@HOST/NAME.",
    )


class Settings(RoundRules, QueueSettings, DatabaseSettings, ChainSettings):
    """What the API reads beside rules, queue, database and chain."""

    # --- where things are --------------------------------------------------
    host: str = Field(default="127.0.0.1", description="Where HTTP listens.")
    port: int = Field(
        default=8000, ge=0, le=65_535, description="0: any free port."
    )
    receiver_hotkey: Hotkey = Field(
        description="The API's own hotkey: signed requests are for it alone."
    )

    # --- who may do what ---------------------------------------------------
    former_receiver_hotkeys: dict[Hotkey, AwareDatetime] = Field(
        default_factory=dict,
        description=(
            "Hotkeys that the API had before, and until when requests to"
            ' them are still accepted: {"5F...": "2027-01-31T00:00:00Z"}.'
        ),
    )
    admin_hotkeys: tuple[Hotkey, ...] = Field(
        default=(), description="Who administers, by signed requests."
    )
    trusted_proxies: tuple[Network, ...] = Field(
        default=(),
        description=(
            "Addresses or networks of the proxies in front: only their"
            " X-Forwarded-For is believed."
        ),
    )
    requests_per_minute: Bound = Field(
        default=120, description="By one client's address; 0: no bound."
    )
    writes_per_minute: Bound = Field(
        default=30, description="By one hotkey; 0: no bound."
    )
    auth_failures: Bound = Field(
        default=5,
        description="So many failed signatures ban an address; 0: none do.",
    )
    auth_failure_seconds: Count = Field(
        default=600, description="Over how long those failures are counted."
    )
    auth_ban_seconds: Count = Field(
        default=3_600, description="How long such a ban lasts."
    )
    worker_hotkeys: dict[WorkerName, Hotkey] = Field(
        default_factory=dict,
        description=(
            'Whose results count, as JSON: {"worker-1": "5F..."}. Empty,'
            " on a laptop only: anybody's on this broker."
        ),
    )
    git_schemes: tuple[str, ...] = Field(
        default=("https",),
        description="How forks may be fetched; `file` in demos and tests.",
    )
    git_hosts: tuple[str, ...] = Field(
        default=("github.com", "gitlab.com", "codeberg.org"),
        description="From where forks may be fetched.",
    )

    # --- the chain, as the API sees it --------------------------------------
    metagraph_refresh_seconds: PositiveFloat = Field(
        default=60.0, description="How often the chain's miners are read."
    )
    metagraph_stale_seconds: PositiveFloat = Field(
        default=600.0,
        description="After so long without the chain, nobody is let in.",
    )

    # --- the web -----------------------------------------------------------
    max_event_streams: Count = Field(
        default=200, description="Streams of events open at once."
    )
    max_event_streams_per_client: Count = Field(
        default=8, description="Of them, one address's."
    )
    event_poll_seconds: PositiveFloat = Field(
        default=0.25, description="How often streams look for what is new."
    )
    event_heartbeat_seconds: PositiveFloat = Field(
        default=15.0, description="After so long a silent stream says so."
    )

    def receivers(self, now: datetime) -> tuple[str, ...]:
        """The hotkeys that requests may be signed for, our own first."""
        former = self.former_receiver_hotkeys
        return (
            self.receiver_hotkey,
            *(hotkey for hotkey, until in former.items() if now < until),
        )

    @property
    def limits(self) -> LimitRules:
        """How often is too often."""
        return LimitRules(
            requests_per_minute=self.requests_per_minute,
            writes_per_minute=self.writes_per_minute,
            failures=self.auth_failures,
            failure_seconds=self.auth_failure_seconds,
            ban_seconds=self.auth_ban_seconds,
        )

    @model_validator(mode="after")
    def _production_takes_no_short_cut(self) -> Settings:
        if self.environment != "production":
            return self
        if not self.worker_hotkeys:
            raise ValueError(
                "production needs QUASAR_WORKER_HOTKEYS: the keys whose"
                " results count"
            )
        if "file" in self.git_schemes:
            raise ValueError("production fetches nothing from file://")
        return self
