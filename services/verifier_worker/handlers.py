"""What a verifier worker does about a job: the logits of both kernels."""

from __future__ import annotations

from typing import Protocol

from quasar_core.contracts.events import VerificationRequested
from quasar_core.contracts.reports import LogitsReport, Manifest, Rejection
from quasar_core.worker.attempt import Attempt

Verification = tuple[Manifest, LogitsReport | None, Rejection | None]


class Verify(Protocol):
    """The logit check, in a process of its own."""

    def __call__(
        self, job: VerificationRequested, attempt: Attempt
    ) -> Verification:
        """Run the reference model with both kernels and compare."""
        ...


def verify_submission(
    job: VerificationRequested, attempt: Attempt, *, verify: Verify
) -> None:
    """Compare the logits with the trusted kernel's, and tell the verdict.

    Raises TransientError where the world is at fault, and ValueError for a
    verification that ended without a verdict.
    """
    manifest, logits, rejection = verify(job, attempt)
    if rejection is not None:
        attempt.rejected(rejection, manifest, logits)
    elif logits is not None:
        attempt.verified(manifest, logits)
    else:
        raise ValueError("a verification ended without logits or verdict")
