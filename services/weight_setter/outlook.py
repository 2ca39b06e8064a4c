"""The outlook: what would be set now, or why nothing would; nothing is."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

from quasar_core.chain.chain import (
    Chain,
    ChainUnavailable,
    Epoch,
    Neuron,
    SubnetRules,
)
from quasar_core.chain.validators import (
    NoValidator,
    blocks_to_wait,
    validator_of,
)
from quasar_core.domain.weights import to_u16

from services.weight_setter.decision import Decision
from services.weight_setter.setter import Skip, WeightSetter

WOULD_SET = "would_set"


@dataclass(frozen=True)
class Outlook:
    """What a turn would do now, and all that it depends on."""

    hotkey: str
    netuid: int
    outcome: str
    reason: str = ""
    decision: Decision | None = None
    validator: Neuron | None = None
    rules: SubnetRules | None = None
    epoch: Epoch | None = None
    u16: dict[int, int] = field(default_factory=dict)

    def as_dict(self) -> dict[str, Any]:
        """For machines: plain values."""
        decision = self.decision or Decision(round_number=0)
        return {
            "outcome": self.outcome,
            "reason": self.reason,
            "round_number": decision.round_number or None,
            "hotkey": self.hotkey,
            "netuid": self.netuid,
            "weights": [
                {
                    "uid": uid,
                    "hotkey": decision.hotkeys[uid],
                    "share": share,
                    "u16": self.u16.get(uid, 0),
                }
                for uid, share in sorted(decision.shares.items())
            ],
            "dropped": dict(decision.dropped),
            "validator": _plain(self.validator),
            "subnet": _plain(self.rules),
            "epoch": _plain(self.epoch),
        }

    def as_lines(self) -> list[str]:
        """For people."""
        lines = [self._title()]
        shown = self.as_dict()
        lines += [
            f"  uid {row['uid']:>5}  {row['share']:8.4%}"
            f"  u16 {row['u16']:>5}  {row['hotkey']}"
            for row in shown["weights"]
        ]
        lines += [
            f"  dropped    {hotkey}: {why}"
            for hotkey, why in shown["dropped"].items()
        ]
        return [*lines, *self._circumstances()]

    def _title(self) -> str:
        if self.outcome != WOULD_SET:
            return f"nothing would be set ({self.outcome}): {self.reason}"
        number = self.decision.round_number if self.decision else 0
        title = f"by the standings of round {number} would be set:"
        return f"{title} ({self.reason})" if self.reason else title

    def _circumstances(self) -> list[str]:
        lines = [f"  validator  {self.hotkey}"]
        if self.validator is not None:
            last = self.validator.last_update
            when = "never set any" if last is None else f"last set at {last}"
            lines[0] += f", uid {self.validator.uid}, {when}"
        if self.rules is not None:
            kind = "timelocked" if self.rules.commit_reveal else "plain"
            lines.append(
                f"  subnet     {self.netuid}: {kind} weights, once in"
                f" {self.rules.weights_rate_limit} blocks at most, at least"
                f" {self.rules.min_allowed_weights} of them, none above"
                f" {self.rules.max_weight_limit:.2%}"
            )
        if self.epoch is not None:
            lines.append(
                f"  epoch      at block {self.epoch.block}, the next one"
                f" starts at {self.epoch.next_start}"
            )
        return lines


def outlook(setter: WeightSetter, chain: Chain, hotkey: str) -> Outlook:
    """What would be set now; the world's faults are told, never raised."""
    decision = validator = rules = epoch = None
    outcome, reason = WOULD_SET, ""
    try:
        rules, epoch = chain.rules(), chain.epoch()
        validator = validator_of(chain.metagraph(), hotkey)
        decision = setter.plan()
        reason = decision.reason
        wait = blocks_to_wait(validator, epoch.block, rules)
        if wait:
            outcome = "skipped"
            reason = f"rate_limited: the chain takes them in {wait} blocks"
    except Skip as skip:
        outcome, reason = skip.outcome, skip.reason
        decision = skip.decision
    except NoValidator as fault:
        outcome, reason = "refused", str(fault)
    except ChainUnavailable as fault:
        outcome, reason = "failed", f"the chain cannot be read: {fault}"
    return Outlook(
        hotkey=hotkey,
        netuid=chain.netuid,
        outcome=outcome,
        reason=reason,
        decision=decision,
        validator=validator,
        rules=rules,
        epoch=epoch,
        u16=to_u16(decision.shares) if decision else {},
    )


def _plain(value: Any) -> dict[str, Any] | None:
    return None if value is None else asdict(value)
