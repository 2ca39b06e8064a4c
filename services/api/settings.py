"""Settings of the API's three processes."""

from __future__ import annotations

from typing import Annotated

from pydantic import AliasChoices, Field, model_validator
from quasar_core.contracts.values import (
    CommitHash,
    Hotkey,
    PoolName,
    Sha256Hex,
    WorkerName,
)
from quasar_core.domain.rewards import Unfilled
from quasar_core.domain.workload import Profile
from quasar_core.settings import ChainSettings, CoreSettings

Count = Annotated[int, Field(ge=1)]
PositiveFloat = Annotated[float, Field(gt=0)]
Fraction = Annotated[float, Field(ge=0, le=1)]


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
    admin_hotkeys: tuple[Hotkey, ...] = ()
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
    event_poll_seconds: PositiveFloat = 0.25
    event_heartbeat_seconds: PositiveFloat = 15.0

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
