"""What the judge reports of a run: samples, verdicts and the manifest."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from quasar_core.contracts.values import (
    Contract,
    Evidence,
    PositiveSeconds,
    Seconds,
    Sha256Hex,
)
from quasar_core.domain.scores import DerivedScore, derive
from quasar_core.errors import RejectionCode, Stage

LOG_TAIL_LIMIT = 8_192
SOURCE_FILES_LIMIT = 16
SOURCE_FILE_BYTES_LIMIT = 256 * 1024


class SourceFile(Contract):
    """One file of `fla/ops/quasar/` as it was taken from a commit."""

    name: Annotated[str, Field(pattern=r"^[a-z_][a-z0-9_]*\.py$")]
    text: Annotated[str, Field(max_length=SOURCE_FILE_BYTES_LIMIT)]


class Source(Contract):
    """All that is ever run of a submission.

    `identity` is the SHA-256 over the sorted (name, normalised AST) pairs:
    the same code laid out otherwise has the same identity. `tree_hash` is
    the SHA-256 over the sorted (name, raw bytes) pairs.
    """

    files: Annotated[
        tuple[SourceFile, ...],
        Field(min_length=1, max_length=SOURCE_FILES_LIMIT),
    ]
    identity: Sha256Hex
    tree_hash: Sha256Hex


class Timing(Contract):
    """The samples of a timed stage: all that a score is derived from.

    Times are in seconds with the exchange's constant cost (`overhead`)
    already taken off each sample. `samples` are single calls of the
    candidate, `baseline_samples` the trusted kernel's in the same job, in
    the order in which they were taken; `back_to_back` is one call's share
    of a run of `back_to_back_calls` fresh inputs; `rest` is the trusted
    layer without its core.
    """

    sequence_length: Annotated[int, Field(gt=0)]
    samples: Annotated[
        tuple[PositiveSeconds, ...], Field(min_length=3, max_length=1_000)
    ]
    baseline_samples: Annotated[
        tuple[PositiveSeconds, ...], Field(min_length=3, max_length=1_000)
    ]
    back_to_back: PositiveSeconds
    back_to_back_calls: Annotated[int, Field(ge=1)]
    rest: Seconds
    overhead: Seconds

    def derived(self) -> DerivedScore:
        """The score that these samples amount to; ValueError for none."""
        return derive(
            self.samples,
            self.baseline_samples,
            self.back_to_back,
            self.rest,
            self.sequence_length,
        )


class CorrectnessReport(Contract):
    """The worst errors met in stage correctness, relative per row."""

    checks: Annotated[int, Field(ge=1)]
    worst_row_error: Seconds
    worst_family: str
    bound: PositiveSeconds


class Manifest(Contract):
    """Everything needed to run the same judging again, beside the source.

    `settings` are the judge's, as JSON. The commitment was published before
    the run; who is shown a manifest before its round is final is not shown
    the `seed`.
    """

    run_id: str
    harness_digest: Sha256Hex
    profile: str
    seed_commitment: Sha256Hex
    seed: Sha256Hex | None
    sandbox: str
    isolation: dict[str, bool]
    environment: dict[str, str]
    settings: Annotated[str, Field(max_length=16_384)] = ""


class Rejection(Contract):
    """A verdict against a submission, with what shows it."""

    code: RejectionCode
    stage: Stage
    detail: Annotated[str, Field(max_length=1_000)] = ""
    evidence: Evidence = {}
    log_tail: Annotated[str, Field(max_length=LOG_TAIL_LIMIT)] = ""


class ChallengeSide(Contract):
    """One of the two of a challenge: its samples, as in a `Timing`."""

    sequence_length: Annotated[int, Field(gt=0)]
    samples: Annotated[
        tuple[PositiveSeconds, ...], Field(min_length=8, max_length=1_000)
    ]
    back_to_back: PositiveSeconds
    back_to_back_calls: Annotated[int, Field(ge=1)]
    rest: Seconds
    overhead: Seconds


class ChallengeTiming(Contract):
    """Both sides of a challenge, in alternating blocks of one job.

    The blocks come in the order A B B A: A is who wants to pass.
    """

    blocks: Annotated[int, Field(ge=8)]
    challenger: ChallengeSide
    defender: ChallengeSide


class ChallengeFault(Contract):
    """What one of the two did wrong when it was run once more."""

    side: Literal["challenger", "defender"]
    rejection: Rejection


class ChallengeReport(Contract):
    """The end of a challenge: the times of both, or the fault of one."""

    manifest: Manifest
    timing: ChallengeTiming | None = None
    fault: ChallengeFault | None = None

    @model_validator(mode="after")
    def _one_end(self) -> Self:
        if (self.timing is None) == (self.fault is None):
            raise ValueError("a challenge ends with times, or with a fault")
        return self


class Score(Contract):
    """What the recorder derives from a `Timing`; never sent by a worker."""

    tokens_per_sec: Annotated[float, Field(gt=0)]
    tokens_per_sec_low: Annotated[float, Field(gt=0)]
    tokens_per_sec_high: Annotated[float, Field(gt=0)]
    speedup_vs_baseline: Annotated[float, Field(gt=0)]


class PromptLogits(Contract):
    """The logit check of one prompt: the worst captured position."""

    tokens: Annotated[int, Field(gt=0)]
    positions: Annotated[int, Field(gt=0)]
    worst_cosine_sim: Annotated[float, Field(ge=-1.0001, le=1.0001)]
    worst_max_diff: Seconds
    top1_agreement: Annotated[float, Field(ge=0, le=1)]
    mean_kl_divergence: float


class LogitsReport(Contract):
    """The logit check of a submission, prompt by prompt."""

    model: str
    model_digest: Sha256Hex
    stand_in: bool
    replaced_layers: tuple[int, ...]
    prompts: Annotated[tuple[PromptLogits, ...], Field(min_length=1)]


class JudgeReport(Contract):
    """The end of a judging: a rejection, or a timing; never both."""

    manifest: Manifest
    rejection: Rejection | None = None
    correctness: CorrectnessReport | None = None
    timing: Timing | None = None
