"""Jobs: what the referee's process is asked, and what it answers.

The specification goes in as one JSON line; progress and the end come back
as JSON lines on a descriptor of their own, so that nothing that a library
prints can be taken for an answer.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from quasar_core.contracts.events import Contender
from quasar_core.contracts.reports import (
    ChallengeReport,
    JudgeReport,
    LogitsReport,
    Manifest,
    Rejection,
    Source,
)
from quasar_core.contracts.values import (
    Evidence,
    PositiveSeconds,
    Sha256Hex,
)
from quasar_core.domain.tolerance import (
    DEFAULT_COSINE_SIM_THRESHOLD,
    DEFAULT_MAX_DIFF_THRESHOLD,
)
from quasar_core.judge.progress import Progress
from quasar_core.judge.settings import JudgeSettings


class _Message(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class SandboxChoice(_Message):
    """Which sandbox a job runs in.

    A `backend` that is named is used or refused. `allow_degraded` is for
    one's own fork: limits may rest on rlimits alone. `image` is Docker's,
    and `production` refuses an engine with known leaks.
    """

    backend: str | None = None
    allow_degraded: bool = False
    image: str | None = None
    production: bool = False


Seed = Annotated[
    Sha256Hex | None,
    Field(description="The master that was committed to; None: a new one."),
]


class JudgeSpec(_Message):
    """Judge this source at this length."""

    kind: Literal["judge"] = "judge"
    run_id: Annotated[str, Field(max_length=128)]
    seed: Seed = None
    source: Source
    target_sequence_length: Annotated[int, Field(gt=0)]
    settings: JudgeSettings = JudgeSettings()
    sandbox: SandboxChoice = SandboxChoice()


class ReproduceSpec(_Message):
    """Call this source once more with the input that it failed on."""

    kind: Literal["reproduce"] = "reproduce"
    run_id: Annotated[str, Field(max_length=128)]
    seed: Sha256Hex
    source: Source
    evidence: Evidence
    settings: JudgeSettings = JudgeSettings()
    sandbox: SandboxChoice = SandboxChoice()


class ChallengeSpec(_Message):
    """Time these two in turns."""

    kind: Literal["challenge"] = "challenge"
    run_id: Annotated[str, Field(max_length=128)]
    seed: Seed = None
    challenger: Contender
    defender: Contender
    settings: JudgeSettings = JudgeSettings()
    sandbox: SandboxChoice = SandboxChoice()


class VerifySpec(_Message):
    """Check the logits of this source."""

    kind: Literal["verify"] = "verify"
    run_id: Annotated[str, Field(max_length=128)]
    seed: Seed = None
    source: Source
    cosine_sim_threshold: float = DEFAULT_COSINE_SIM_THRESHOLD
    max_diff_threshold: float = DEFAULT_MAX_DIFF_THRESHOLD
    settings: JudgeSettings = JudgeSettings()
    sandbox: SandboxChoice = SandboxChoice()


class BaselineSpec(_Message):
    """Time the trusted kernel at this length."""

    kind: Literal["baseline"] = "baseline"
    run_id: Annotated[str, Field(max_length=128)]
    target_sequence_length: Annotated[int, Field(gt=0)]
    settings: JudgeSettings = JudgeSettings()
    sandbox: SandboxChoice = SandboxChoice()


Spec = JudgeSpec | ChallengeSpec | VerifySpec | BaselineSpec | ReproduceSpec


class SpecLine(_Message):
    """The one line that goes in."""

    spec: Annotated[Spec, Field(discriminator="kind")]


class VerifyReport(_Message):
    """The end of a verification: logits, and a rejection if they differ.

    Without `logits` the kernel failed before there were any.
    """

    manifest: Manifest
    logits: LogitsReport | None = None
    rejection: Rejection | None = None


class BaselineReport(_Message):
    """The trusted kernel's samples, in seconds, overhead taken off."""

    sequence_length: int
    samples: tuple[PositiveSeconds, ...]
    environment: dict[str, str]


class ReproducedReport(_Message):
    """One row of an output, beside the truth; None: the kernel failed.

    `input_sha256` is over the tensors of the call, as they lay in memory.
    """

    sequence_length: int
    family: str
    head: int
    token: int
    truth: tuple[float, ...]
    output: tuple[float | str, ...] | None
    error: float | str | None
    bound: float
    fault: str = ""
    input_sha256: Sha256Hex


class Failed(_Message):
    """The world's fault: another attempt may do."""

    reason: str


class AnswerLine(_Message):
    """One line that comes out; exactly one field is set."""

    progress: Progress | None = None
    judged: JudgeReport | None = None
    challenged: ChallengeReport | None = None
    verified: VerifyReport | None = None
    measured: BaselineReport | None = None
    reproduced: ReproducedReport | None = None
    failed: Failed | None = None
    unhealthy: Failed | None = None
    """The device failed its health check."""
    unavailable: Failed | None = None
    """No sandbox can be had: a sentence says what to mend."""
