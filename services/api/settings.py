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
from quasar_core.contracts.values import (
    CommitHash,
    PoolName,
    Sha256Hex,
    WorkerName,
)
from quasar_core.contracts.values import Hotkey as AnyHotkey
from quasar_core.domain.rewards import Unfilled
from quasar_core.domain.workload import Profile
from quasar_core.messaging.limits import LimitRules
from quasar_core.settings import ChainSettings, CoreSettings

Count = Annotated[int, Field(ge=1)]
Bound = Annotated[int, Field(ge=0)]
PositiveFloat = Annotated[float, Field(gt=0)]
Fraction = Annotated[float, Field(ge=0, le=1)]


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
    """All that a migration needs to know."""

    database_url: str = Field(
        default="sqlite:///quasar.db",
        validation_alias=AliasChoices("QUASAR_DATABASE_URL", "DATABASE_URL"),
        description="sqlite:///FILE or postgresql://USER:PASSWORD@HOST/NAME.",
    )


class Settings(DatabaseSettings, ChainSettings):
    """What the API reads from its environment.

    The rules among them are frozen into a round when it opens; a change
    counts from the next round on.
    """

    # --- where things are --------------------------------------------------
    host: str = Field(default="127.0.0.1", description="Where HTTP listens.")
    port: int = Field(default=8000, ge=0, le=65_535)
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
    auth_failure_seconds: Count = 600
    auth_ban_seconds: Count = 3_600
    worker_hotkeys: dict[WorkerName, Hotkey] = Field(
        default_factory=dict,
        description=(
            'Whose results count, as JSON: {"worker-1": "5F..."}. Empty,'
            " on a laptop only: anybody's on this broker."
        ),
    )
    git_schemes: tuple[str, ...] = ("https",)
    git_hosts: tuple[str, ...] = ("github.com", "gitlab.com", "codeberg.org")

    # --- what a round is judged by -----------------------------------------
    pool: PoolName = "cpu"
    profile: Profile = Profile.CPU
    base_commit: CommitHash | None = Field(
        default=None, description="The base repository's first commit."
    )
    harness_digest: Sha256Hex | None = Field(
        default=None,
        description="The judge's; unset, the round's first run decides.",
    )
    league_unit: Count = 100_000
    max_sequence_length: Count = 2_000_000
    min_improvement: Annotated[float, Field(ge=0, lt=10)] = 0.015
    must_beat_baseline: bool = True
    one_paid_per_coldkey: bool = True
    records_only: bool = False
    unfilled: Unfilled = Unfilled.RENORMALISE
    reenter_paid_places: bool = True
    round_blocks: Count = 14_400
    evaluating_blocks: Count = 1_800
    accepts_unsealed: bool = Field(
        default=True,
        description="Whether commits may be sent without sealing them first.",
    )
    blocks_until_reveal: Annotated[int, Field(ge=0)] = Field(
        default=100,
        validation_alias=AliasChoices(
            "QUASAR_BLOCKS_UNTIL_REVEAL", "BLOCKS_UNTIL_REVEAL"
        ),
        description="How long a commitment stays sealed at least.",
    )
    reveal_window: Count = Field(
        default=300,
        description="Until when it may be revealed, counted from its commit.",
    )
    challenges_per_round: int = Field(
        default=16,
        ge=0,
        description=(
            "How many passages into paid places are run once more before"
            " they count; 0: the scores alone decide."
        ),
    )
    challenging_blocks: Count = Field(
        default=600,
        description="For how long a drained round waits for them at most.",
    )
    cosine_sim_threshold: Annotated[float, Field(ge=-1, le=1)] = Field(
        default=0.99,
        validation_alias=AliasChoices(
            "QUASAR_COSINE_SIM_THRESHOLD", "COSINE_SIM_THRESHOLD"
        ),
    )
    max_diff_threshold: PositiveFloat = Field(
        default=0.1,
        validation_alias=AliasChoices(
            "QUASAR_MAX_DIFF_THRESHOLD", "MAX_ABS_DIFF_THRESHOLD"
        ),
    )
    quota_waiting_per_league: Count = 1
    quota_judged_per_round: Count = 12
    quota_unrevealed: Count = 2

    # --- the queue ---------------------------------------------------------
    dispatch_ahead: Count = 2
    dispatch_lost_seconds: PositiveFloat = 30.0
    lease_seconds: PositiveFloat = 45.0
    lease_grace_seconds: PositiveFloat = Field(
        default=600.0,
        description=(
            "For how long a silent worker keeps its lease while messages"
            " wait to be recorded: its heartbeat may be among them."
        ),
    )
    retry_backoff_seconds: PositiveFloat = 5.0
    scheduler_poll_seconds: PositiveFloat = 0.05
    round_poll_seconds: PositiveFloat = 1.0
    seal_seconds: PositiveFloat = 60.0
    metagraph_refresh_seconds: PositiveFloat = 60.0
    metagraph_stale_seconds: PositiveFloat = 600.0

    # --- the web -----------------------------------------------------------
    max_event_streams: Count = 200
    max_event_streams_per_client: Count = 8
    event_poll_seconds: PositiveFloat = 0.25
    event_heartbeat_seconds: PositiveFloat = 15.0

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
    def _the_window_opens_before_it_ends(self) -> Settings:
        if self.reveal_window < self.blocks_until_reveal:
            raise ValueError(
                "QUASAR_REVEAL_WINDOW ends before QUASAR_BLOCKS_UNTIL_REVEAL"
            )
        return self

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
