"""The deed: standings over HTTP, weights on chain, a report of it.

One `turn` asks, decides, sets if it is time, and says what it did. A turn
never raises for the world's faults: weights stay as they are, the reason
is reported, and the next turn tries again. Where a chain did not say
whether it took the weights, the next turn asks it before trying again.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from quasar_core.chain.chain import (
    Chain,
    ChainUnavailable,
    MetagraphSnapshot,
    SetOutcome,
    SubnetRules,
)
from quasar_core.chain.signatures import RequestSigner, WrongReceiver
from quasar_core.client.answers import ApiUnavailable, ProblemAnswer
from quasar_core.contracts.http import RoundView, Standings, WeightsReport
from quasar_core.telemetry.metrics import WEIGHTS_DUE_SINCE, WEIGHTS_SET_AT

from services.weight_setter.decision import (
    Decision,
    NotTrusted,
    decide,
)
from services.weight_setter.reports import Reports, ReportsDoor

REASON_LIMIT = 500

_OUTCOMES: Mapping[SetOutcome, str] = {
    SetOutcome.SET: "set",
    SetOutcome.RATE_LIMITED: "skipped",
    SetOutcome.REFUSED: "refused",
    SetOutcome.FAILED: "failed",
}


class Api(ReportsDoor, Protocol):
    """What the setter asks of the API."""

    def current_round(self) -> RoundView:
        """The open round."""
        ...

    def standings(self, round_number: int) -> Standings:
        """A round's standings."""
        ...


@dataclass(frozen=True)
class _LastSet:
    round_number: int
    block: int


@dataclass(frozen=True)
class _Unsure:
    """An attempt of which the chain did not say what became of it."""

    decision: Decision
    last_update: int | None
    """What the chain said before the attempt."""


class Skip(Exception):
    """Nothing is set this time, and why."""

    def __init__(
        self, outcome: str, reason: str, decision: Decision | None = None
    ) -> None:
        super().__init__(reason)
        self.outcome = outcome
        self.reason = reason
        self.decision = decision


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
        self._unsure: _Unsure | None = None
        self._reports = Reports(api, signer)
        WEIGHTS_DUE_SINCE.set_to_current_time()

    def turn(self) -> WeightsReport | None:
        """Set what is due; the report of it, or None if nothing is due."""
        report = self._report()
        if report is not None:
            self._reports.tell(report)
        if not self._dry_run:
            self._reports.send()
        return report

    def plan(self) -> Decision:
        """What would be set now; raises Skip with the reason if nothing."""
        number = self._latest_final_round()
        return self._decision(number, self._rules(), self._metagraph())

    def _report(self) -> WeightsReport | None:
        number: int | None = None
        try:
            number = self._latest_final_round()
            rules = self._rules()
            if self._unsure is not None:
                found = self._found(self._unsure)
                if found is not None:
                    return found
            if not self._due(number, rules):
                return None
            metagraph = self._metagraph()
            decision = self._decision(number, rules, metagraph)
            if self._dry_run:
                return self._reported(decision, "dry_run", decision.reason)
            return self._set(decision, metagraph)
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
            WEIGHTS_DUE_SINCE.set_to_current_time()
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

    def _metagraph(self) -> MetagraphSnapshot:
        try:
            return self._chain.metagraph()
        except ChainUnavailable as fault:
            raise Skip("failed", _left_alone(fault)) from fault

    def _decision(
        self, number: int, rules: SubnetRules, metagraph: MetagraphSnapshot
    ) -> Decision:
        try:
            standings = self._api.standings(number)
            decision = decide(standings, number, metagraph, rules)
        except (ApiUnavailable, ProblemAnswer) as fault:
            reason = f"the standings could not be read: {fault}"
            raise Skip("failed", reason) from fault
        except NotTrusted as fault:
            reason = f"what was read is not to be trusted: {fault}"
            raise Skip("refused", reason) from fault
        if not decision.shares:
            raise Skip("skipped", decision.reason, decision)
        return decision

    def _set(
        self, decision: Decision, metagraph: MetagraphSnapshot
    ) -> WeightsReport:
        unsure = _Unsure(decision, self._last_update(metagraph))
        try:
            result = self._chain.set_weights(decision.shares, self._hotkey)
        except ChainUnavailable as fault:
            self._unsure = unsure
            raise Skip("failed", f"not known to be set: {fault}") from fault
        if result.outcome is SetOutcome.FAILED:
            self._unsure = unsure
        if result.outcome is not SetOutcome.SET:
            raise Skip(_OUTCOMES[result.outcome], result.reason)
        return self._was_set(decision, self._block_of(result.block))

    def _was_set(self, decision: Decision, block: int) -> WeightsReport:
        self._unsure = None
        self._last_set = _LastSet(decision.round_number, block)
        WEIGHTS_SET_AT.set_to_current_time()
        return self._reported(decision, "set", decision.reason, block)

    def _found(self, unsure: _Unsure) -> WeightsReport | None:
        """The report of weights that the chain took without saying so."""
        block = self._last_update(self._metagraph())
        if block is None or block == unsure.last_update:
            return None
        return self._was_set(unsure.decision, block)

    def _last_update(self, metagraph: MetagraphSnapshot) -> int | None:
        neuron = metagraph.by_hotkey().get(self._hotkey)
        return None if neuron is None else neuron.last_update

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


def _left_alone(fault: ChainUnavailable) -> str:
    return f"weights are left as they are, the chain cannot be read: {fault}"
