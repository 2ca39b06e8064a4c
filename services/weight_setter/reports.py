"""Reports: what was set or why not, told once and kept until delivered."""

from __future__ import annotations

from collections import deque
from typing import Protocol

from quasar_core.chain.signatures import RequestSigner
from quasar_core.client.answers import ApiUnavailable, ProblemAnswer
from quasar_core.contracts.http import Accepted, WeightsReport
from quasar_core.telemetry.logs import get_logger
from quasar_core.telemetry.metrics import WEIGHT_SETTINGS

UNSENT_LIMIT = 100

log = get_logger("weight_setter")


class ReportsDoor(Protocol):
    """Where reports are handed in."""

    def report_weights(self, report: WeightsReport) -> Accepted:
        """Hand in a report."""
        ...


class Reports:
    """One validator's reports, the oldest sent first."""

    def __init__(self, door: ReportsDoor, signer: RequestSigner) -> None:
        self._door = door
        self._signer = signer
        self._last_told: tuple[str, str, int | None] | None = None
        self._unsent: deque[WeightsReport] = deque(maxlen=UNSENT_LIMIT)

    def tell(self, report: WeightsReport) -> None:
        """Log and keep a report, unless it says what the last one said."""
        WEIGHT_SETTINGS.labels(report.outcome).inc()
        # what follows the colon may count blocks or seconds
        kind, _, _ = report.reason.partition(":")
        told = (report.outcome, kind, report.round_number)
        if report.outcome != "set" and told == self._last_told:
            return
        self._last_told = told
        self._unsent.append(report)
        log.info(
            "weights.reported",
            outcome=report.outcome,
            round_number=report.round_number,
            block=report.block,
            reason=report.reason,
            weights=report.weights,
        )

    def send(self) -> None:
        """Hand in what is kept, as far as the API takes it just now."""
        while self._unsent and self._signer.receiver is not None:
            try:
                self._door.report_weights(self._unsent[0])
            except ProblemAnswer as fault:
                if fault.transient:
                    log.warning("report.delayed", reason=str(fault))
                    return
                log.warning("report.refused", reason=str(fault))
            except ApiUnavailable as fault:
                log.warning("report.delayed", reason=str(fault))
                return
            self._unsent.popleft()
