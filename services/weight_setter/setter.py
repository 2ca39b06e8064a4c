"""The deed: standings over HTTP, weights on chain, a report of it.

One `turn` asks, decides, sets if it is time, and says what it did. A turn
never raises for the world's faults: weights stay as they are, the reason
is reported, and the next turn tries again.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from quasar_core.chain.chain import (
    Chain,
    ChainUnavailable,
    SetOutcome,
    SubnetRules,
)
from quasar_core.chain.signatures import RequestSigner, WrongReceiver
from quasar_core.client.answers import ApiUnavailable, ProblemAnswer
from quasar_core.contracts.http import (
    Accepted,
    RoundView,
    Standings,
    WeightsReport,
)
from quasar_core.telemetry.logs import get_logger
from quasar_core.telemetry.metrics import WEIGHT_SETTINGS, WEIGHTS_SET_AT

from services.weight_setter.decision import (
    Decision,
    NotTrusted,
    decide,
)

UNSENT_LIMIT = 100
REASON_LIMIT = 500

_OUTCOMES: Mapping[SetOutcome, str] = {
    SetOutcome.SET: "set",
    SetOutcome.RATE_LIMITED: "skipped",
    SetOutcome.REFUSED: "refused",
    SetOutcome.FAILED: "failed",
}

log = get_logger("weight_setter")


class Api(Protocol):
    """What the setter asks of the API."""

    def current_round(self) -> RoundView:
        """The open round."""
        ...

    def standings(self, round_number: int) -> Standings:
        """A round's standings."""
        ...

    def report_weights(self, report: WeightsReport) -> Accepted:
        """Hand in a report."""
        ...


@dataclass(frozen=True)
class _LastSet:
    round_number: int
    block: int


class Skip(Exception):
    """Nothing is set this time, and why."""

    def __init__(self, outcome: str, reason: str) -> None:
        super().__init__(reason)
        self.outcome = outcome
        self.reason = reason


class WeightSetter:
    """One validator's weights, kept as the last final round says."""

    def __init__(
        self,
        api: Api,
        chain: Chain,
        hotkey: str,
        signer: RequestSigner,
        *,
        dry_run: bool = False,
    ) -> None:
        self._api = api
        self._chain = chain
        self._hotkey = hotkey
        self._signer = signer
        self._dry_run = dry_run
        self._last_set: _LastSet | None = None
        self._last_told: tuple[str, str, int | None] | None = None
        self._unsent: deque[WeightsReport] = deque(maxlen=UNSENT_LIMIT)

    def turn(self) -> WeightsReport | None:
        """Set what is due; the report of it, or None if nothing is due."""
        report = self._report()
        if report is not None:
            self._tell(report)
        if not self._dry_run:
            self._send()
        return report

    def plan(self) -> Decision:
        """What would be set now; raises Skip with the reason if nothing."""
        number = self._latest_final_round()
        return self._decision(number, self._rules())

    def _report(self) -> WeightsReport | None:
        number: int | None = None
        try:
            number = self._latest_final_round()
            rules = self._rules()
            if not self._due(number, rules):
                return None
            decision = self._decision(number, rules)
            if self._dry_run:
                return self._reported(decision, "dry_run", decision.reason)
            return self._set(decision)
        except Skip as skip:
            return WeightsReport(
                round_number=number,
                outcome=skip.outcome,
                reason=skip.reason[:REASON_LIMIT],
                netuid=self._chain.netuid,
            )

    def _latest_final_round(self) -> int:
        try:
            current = self._api.current_round()
            self._signer.learn(current.receiver_hotkey)
        except (ApiUnavailable, ProblemAnswer) as fault:
            raise Skip("failed", f"no round could be read: {fault}") from fault
        except WrongReceiver as fault:
            raise Skip("refused", str(fault)) from fault
        if current.netuid != self._chain.netuid:
            raise Skip(
                "refused",
                f"the API plays on subnet {current.netuid}, this wallet sets"
                f" weights on {self._chain.netuid}",
            )
        if current.latest_finalised_round is None:
            raise Skip("skipped", "no round is final yet")
        return current.latest_finalised_round

    def _rules(self) -> SubnetRules:
        try:
            return self._chain.rules()
        except ChainUnavailable as fault:
            raise Skip("failed", _left_alone(fault)) from fault

    def _due(self, number: int, rules: SubnetRules) -> bool:
        last = self._last_set
        if last is None:
            return True
        try:
            passed = self._chain.block() - last.block
        except ChainUnavailable as fault:
            raise Skip("failed", _left_alone(fault)) from fault
        newer = number != last.round_number
        wait = 1 if newer else rules.tempo
        return passed >= max(wait, rules.weights_rate_limit)

    def _decision(self, number: int, rules: SubnetRules) -> Decision:
        try:
            standings = self._api.standings(number)
            metagraph = self._chain.metagraph()
            decision = decide(standings, number, metagraph, rules)
        except (ApiUnavailable, ProblemAnswer) as fault:
            reason = f"the standings could not be read: {fault}"
            raise Skip("failed", reason) from fault
        except NotTrusted as fault:
            reason = f"what was read is not to be trusted: {fault}"
            raise Skip("refused", reason) from fault
        except ChainUnavailable as fault:
            raise Skip("failed", _left_alone(fault)) from fault
        if not decision.shares:
            raise Skip("skipped", decision.reason)
        return decision

    def _set(self, decision: Decision) -> WeightsReport:
        try:
            result = self._chain.set_weights(decision.shares, self._hotkey)
        except ChainUnavailable as fault:
            raise Skip("failed", _left_alone(fault)) from fault
        outcome = _OUTCOMES[result.outcome]
        if result.outcome is not SetOutcome.SET:
            raise Skip(outcome, result.reason)
        block = self._block_of(result.block)
        self._last_set = _LastSet(decision.round_number, block)
        WEIGHTS_SET_AT.set_to_current_time()
        return self._reported(decision, outcome, decision.reason, block)

    def _block_of(self, block: int | None) -> int:
        """Where it was set: by the chain's word, or by its height now."""
        if block is not None:
            return block
        try:
            return self._chain.block()
        except ChainUnavailable as fault:
            reason = "set, but the chain does not say in which block"
            raise Skip("failed", reason) from fault

    def _reported(
        self,
        decision: Decision,
        outcome: str,
        reason: str,
        block: int | None = None,
    ) -> WeightsReport:
        dropped = [f"{key}: {why}" for key, why in decision.dropped.items()]
        told = "; ".join(part for part in (reason, *dropped) if part)
        return WeightsReport(
            round_number=decision.round_number,
            outcome=outcome,
            reason=told[:REASON_LIMIT],
            block=block,
            netuid=self._chain.netuid,
            weights={str(uid): s for uid, s in decision.shares.items()},
            hotkeys={str(uid): key for uid, key in decision.hotkeys.items()},
        )

    def _tell(self, report: WeightsReport) -> None:
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

    def _send(self) -> None:
        while self._unsent and self._signer.receiver is not None:
            try:
                self._api.report_weights(self._unsent[0])
            except ProblemAnswer as fault:
                if fault.transient:
                    log.warning("report.delayed", reason=str(fault))
                    return
                log.warning("report.refused", reason=str(fault))
            except ApiUnavailable as fault:
                log.warning("report.delayed", reason=str(fault))
                return
            self._unsent.popleft()


def _left_alone(fault: ChainUnavailable) -> str:
    return f"weights are left as they are, the chain cannot be read: {fault}"
