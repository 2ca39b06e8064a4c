"""Settings of the queue: how far ahead, and when something counts as lost."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field
from quasar_core.settings import CanarySettings

PositiveFloat = Annotated[float, Field(gt=0)]


class QueueSettings(CanarySettings):
    """How jobs are dispatched and leased, and how often that is looked at."""

    dispatch_ahead: Annotated[int, Field(ge=1)] = Field(
        default=2, description="Messages that may wait in a worker queue."
    )
    dispatch_lost_seconds: PositiveFloat = Field(
        default=30.0,
        description="A message that no worker took for so long is lost.",
    )
    lease_seconds: PositiveFloat = Field(
        default=45.0,
        description="How long an attempt lives without a heartbeat.",
    )
    lease_grace_seconds: PositiveFloat = Field(
        default=600.0,
        description=(
            "For how long a silent worker keeps its lease while messages"
            " wait to be recorded: its heartbeat may be among them."
        ),
    )
    retry_backoff_seconds: PositiveFloat = Field(
        default=5.0,
        description="The pause before a second attempt; then it doubles.",
    )
    scheduler_poll_seconds: PositiveFloat = Field(
        default=0.05, description="How often there is looked for what is due."
    )
    round_poll_seconds: PositiveFloat = Field(
        default=1.0, description="How often rounds are asked to turn."
    )
    seal_seconds: PositiveFloat = Field(
        default=60.0, description="How often the event log is sealed."
    )
