"""Rejections: a submission's faults as verdicts that are told."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from quasar_core.contracts.reports import LOG_TAIL_LIMIT, Rejection
from quasar_core.errors import QuasarError, Stage, SubmissionFault
from quasar_core.judge.faults import KernelFault

DETAIL_LIMIT = 1_000


class RejectedError(QuasarError):
    """The verdict against the submission is in."""

    def __init__(self, rejection: Rejection) -> None:
        super().__init__(f"{rejection.code.value}: {rejection.detail}")
        self.rejection = rejection


def rejection_of(fault: SubmissionFault) -> Rejection:
    """A fault that was found without running anything."""
    return Rejection(
        code=fault.code,
        stage=fault.stage,
        detail=fault.detail[:DETAIL_LIMIT],
        evidence=dict(fault.evidence),
    )


@contextmanager
def blamed(stage: Stage) -> Iterator[None]:
    """What the kernel does wrong in here rejects the submission."""
    try:
        yield
    except KernelFault as fault:
        raise RejectedError(
            Rejection(
                code=fault.code,
                stage=stage,
                detail=fault.detail[:DETAIL_LIMIT],
                evidence=fault.evidence,
                log_tail=fault.log_tail[-LOG_TAIL_LIMIT:],
            )
        ) from fault


def refuse(rejection: Rejection | None) -> None:
    """Raise RejectedError where there is a rejection."""
    if rejection is not None:
        raise RejectedError(rejection)
