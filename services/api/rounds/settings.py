"""Settings of rounds: what is played by, frozen when a round opens."""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import AliasChoices, Field, model_validator
from quasar_core.contracts.values import CommitHash, PoolName, Sha256Hex
from quasar_core.domain.rewards import Unfilled
from quasar_core.domain.workload import Profile
from quasar_core.settings import CoreSettings

Count = Annotated[int, Field(ge=1)]
Bound = Annotated[int, Field(ge=0)]
PositiveFloat = Annotated[float, Field(gt=0)]


class RoundRules(CoreSettings):
    """What a round is judged by; a change counts from the next round on."""

    pool: PoolName = Field(
        default="cpu", description="Whose workers judge the round."
    )
    profile: Profile = Field(
        default=Profile.CPU,
        description="How they judge: float32 (`cpu`) or bf16 (`gpu`).",
    )
    base_commit: CommitHash | None = Field(
        default=None,
        description="The base repository's first commit: what forks share.",
    )
    harness_digest: Sha256Hex | None = Field(
        default=None,
        description="The judge's; unset, the round's first run decides.",
    )
    league_unit: Count = Field(
        default=100_000,
        description="Tokens of the smallest league, and of each step up.",
    )
    max_sequence_length: Count = Field(
        default=2_000_000, description="The longest that is judged, in tokens."
    )
    min_improvement: Annotated[float, Field(ge=0, lt=10)] = Field(
        default=0.015,
        description="By how much faster passes another entry: 0.015 is 1.5 %.",
    )
    must_beat_baseline: bool = Field(
        default=True,
        description="Whether only what beats the baseline is paid.",
    )
    one_paid_per_coldkey: bool = Field(
        default=True, description="Whether a coldkey has one paid place."
    )
    records_only: bool = Field(
        default=False,
        description="Whether only what beats all that was before is paid.",
    )
    unfilled: Unfilled = Field(
        default=Unfilled.RENORMALISE,
        description=(
            "What becomes of places that nobody fills: shared out among the"
            " others, or to the subnet's owner (`burn`)."
        ),
    )
    reenter_paid_places: bool = Field(
        default=True,
        description="Whether paid entries compete in the next round again.",
    )
    round_blocks: Count = Field(
        default=14_400, description="How many blocks a round is open."
    )
    evaluating_blocks: Count = Field(
        default=1_800,
        description="For how many blocks a closed round's queue may drain.",
    )
    accepts_unsealed: bool = Field(
        default=True,
        description="Whether commits may be sent without sealing them first.",
    )
    blocks_until_reveal: Bound = Field(
        default=100,
        validation_alias=AliasChoices(
            "QUASAR_BLOCKS_UNTIL_REVEAL", "BLOCKS_UNTIL_REVEAL"
        ),
        description="How long a commitment stays sealed at least, in blocks.",
    )
    reveal_window: Count = Field(
        default=300,
        description="Until when it may be revealed, counted from its commit.",
    )
    challenges_per_round: Bound = Field(
        default=16,
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
        description="How alike the logits of kernel and reference must be.",
    )
    max_diff_threshold: PositiveFloat = Field(
        default=0.1,
        validation_alias=AliasChoices(
            "QUASAR_MAX_DIFF_THRESHOLD", "MAX_ABS_DIFF_THRESHOLD"
        ),
        description="How far apart one logit of theirs may be at most.",
    )
    quota_waiting_per_league: Count = Field(
        default=1,
        description="A coldkey's submissions in a league's queue at once.",
    )
    quota_judged_per_round: Count = Field(
        default=12, description="A coldkey's submissions judged in a round."
    )
    quota_unrevealed: Count = Field(
        default=2, description="A hotkey's commitments that are still sealed."
    )

    @model_validator(mode="after")
    def _the_window_opens_before_it_ends(self) -> Self:
        if self.reveal_window < self.blocks_until_reveal:
            raise ValueError(
                "QUASAR_REVEAL_WINDOW ends before QUASAR_BLOCKS_UNTIL_REVEAL"
            )
        return self
