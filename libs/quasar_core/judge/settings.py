"""JudgeSettings: how runs are judged, frozen for the length of a round."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Any, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from quasar_core.domain.workload import HEAD_DIM, NUM_HEADS, Profile
from quasar_core.errors import Stage
from quasar_core.execution.limits import MIB, Limits
from quasar_core.judge.shapes import CallShape, ElementType

PositiveInt = Annotated[int, Field(gt=0)]
PositiveFloat = Annotated[float, Field(gt=0)]


ON_A_DEVICE: Mapping[str, Any] = MappingProxyType(
    {
        "samples": 30,
        "exchange_samples": 25,
        "memory_bytes": 32 * 1024 * MIB,
        "pids": 1_024,
        "tmp_bytes": 1_024 * MIB,
        "logits": {"prompt_lengths": (128, 1_024, 8_192, 32_768)},
    }
)
"""Defaults of profile `gpu`, where they are not those of `cpu`.

CUDA's driver reserves host memory and starts threads of its own.
"""


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class StageLimits(_Frozen):
    """Seconds that the referee waits for the submission, stage by stage.

    Only waiting counts: what the referee itself computes between two calls
    is not charged to anybody.
    """

    smoke_seconds: PositiveFloat = 30.0
    correctness_seconds: PositiveFloat = 300.0
    warm_up_seconds: PositiveFloat = 300.0
    timed_seconds: PositiveFloat = 120.0
    logits_seconds: PositiveFloat = 300.0

    def seconds(self, stage: Stage) -> float:
        """The limit of a stage that runs the kernel."""
        table = {
            Stage.SMOKE: self.smoke_seconds,
            Stage.CORRECTNESS: self.correctness_seconds,
            Stage.WARM_UP: self.warm_up_seconds,
            Stage.TIMED: self.timed_seconds,
            Stage.LOGITS: self.logits_seconds,
        }
        return table[stage]


class LogitSettings(_Frozen):
    """The logit check: which model, which prompts, how many layers.

    `model_path` is a folder, or the name of a model in the local hub cache;
    without it a stand-in is made from `stand_in_seed`.
    """

    model_path: Path | None = None
    stand_in_seed: int = 7
    replaced_layers: PositiveInt = 4
    prompt_lengths: Annotated[
        tuple[Annotated[int, Field(ge=64)], ...], Field(min_length=1)
    ] = (128, 512)
    captured_positions: PositiveInt = 16


class JudgeSettings(_Frozen):
    """What a verdict depends on, beside the submission and the seed.

    The defaults are those of the profile: profile `gpu` asks for bf16, more
    samples and `ON_A_DEVICE`. `num_threads` is for kernels
    and for the referee's own arithmetic alike; it is also how much processor
    time a sandbox may use per second: a quota, not a set of processors.
    """

    profile: Profile = Profile.CPU
    num_heads: PositiveInt = NUM_HEADS
    head_dim: PositiveInt = HEAD_DIM
    num_threads: PositiveInt = 1
    samples: Annotated[int, Field(ge=4, multiple_of=2)] = 10
    challenge_blocks: Annotated[int, Field(ge=8, multiple_of=4)] = Field(
        default=8, description="Of a challenge: A B B A, twice."
    )
    warm_up_calls: PositiveInt = 3
    warm_up_seconds: Annotated[float, Field(ge=0)] = 1.0
    back_to_back_calls: PositiveInt = 16
    exchange_samples: PositiveInt = 9
    rest_samples: PositiveInt = 5
    correctness_lengths: tuple[int, ...] | None = Field(
        default=None,
        description="None: those of domain.workload for this profile.",
    )
    memory_bytes: PositiveInt = 4 * 1024 * MIB
    device_memory_bytes: PositiveInt = Field(
        default=16 * 1024 * MIB,
        description="What a kernel may hold of a device beside its windows.",
    )
    pids: PositiveInt = 128
    tmp_bytes: PositiveInt = 256 * MIB
    limits: StageLimits = StageLimits()
    total_seconds: PositiveFloat = Field(
        default=1_500.0,
        description="The referee's own deadline for a whole job.",
    )
    lock_path: Path | None = Field(
        default=None,
        description="One job at a time holds it; None: beside the leases.",
    )
    lock_seconds: PositiveFloat = Field(
        default=1_800.0, description="How long a job waits for its turn."
    )
    logits: LogitSettings = LogitSettings()

    @model_validator(mode="before")
    @classmethod
    def _by_profile(cls, given: Any) -> Any:
        if isinstance(given, dict) and given.get("profile") == Profile.GPU:
            return {**ON_A_DEVICE, **given}
        return given

    @property
    def element(self) -> ElementType:
        """The type of q, k, v and o."""
        if self.profile is Profile.GPU:
            return ElementType.BFLOAT16
        return ElementType.FLOAT32

    def shape(self, tokens: int, *, states: bool = False) -> CallShape:
        """A call of so many tokens, perhaps with both states."""
        return CallShape(
            tokens,
            heads=self.num_heads,
            head_dim=self.head_dim,
            element=self.element,
            initial_state=states,
            final_state=states,
        )

    @property
    def block_samples(self) -> int:
        """Calls of a block: half of the samples."""
        return self.samples // 2

    def with_model(self, folder: Path | None) -> JudgeSettings:
        """These settings with the reference model in its place, if any."""
        if folder is None:
            return self
        logits = self.logits.model_copy(update={"model_path": folder})
        return self.model_copy(update={"logits": logits})

    def published(self) -> str:
        """All that a verdict depends on, as JSON; no path of this machine."""
        return self.model_dump_json(
            exclude={
                "lock_path": True,
                "lock_seconds": True,
                "logits": {"model_path"},
            }
        )

    @classmethod
    def from_published(cls, text: str) -> Self:
        """The settings of another machine's run, with no path of its own.

        Raises ValueError where they are not settings of this judge.
        """
        told = cls.model_validate_json(text)
        logits = told.logits.model_copy(update={"model_path": None})
        return told.model_copy(update={"lock_path": None, "logits": logits})

    @property
    def sandbox_limits(self) -> Limits:
        """What one sandboxed kernel may use."""
        return Limits(
            wall_seconds=self.total_seconds,
            cpus=float(self.num_threads),
            memory_bytes=self.memory_bytes,
            pids=self.pids,
            tmp_bytes=self.tmp_bytes,
        )
