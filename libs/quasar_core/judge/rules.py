"""Rules of tolerance: an output's rows in, what was found of them out.

On a CPU one bound holds for every row. In bf16 the trusted kernel's own
errors on the very same input set the bounds, for each head and family; it is
run here, and only once the candidate has answered.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Protocol

import torch

from quasar_core.domain.tolerance import (
    BFLOAT16_FLOOR,
    CPU_ROW_ERROR_BOUND,
    SHARE_BOUND,
    Breach,
    ErrorFactors,
    check_absolute,
    check_relative,
    inputs_can_tell,
    worst_share,
)
from quasar_core.domain.workload import Profile
from quasar_core.errors import TransientError
from quasar_core.judge.errors import (
    compare,
    finite_errors,
    summary_of,
)
from quasar_core.judge.inputs import Inputs, Span
from quasar_core.judge.oracle import Truth
from quasar_core.judge.settings import JudgeSettings
from quasar_core.judge.trusted import trusted_answer

STATE_FAMILY = "final_state"


class TrustedKernelError(TransientError):
    """The trusted kernel gave no numbers to hold another against."""


@dataclass(frozen=True)
class Finding:
    """The worst that was found in an output, or in a final state.

    `error` is what a report tells: a row's error, or its share of a bound.
    """

    error: float
    head: int
    token: int
    family: str
    breach: Breach | None


class Bar(Protocol):
    """How high the bar lies for mutants on one input."""

    def shows(self, rows: torch.Tensor, start: int, margin: float) -> bool:
        """Whether row errors `[B, H, t]`, from token `start` on, tell.

        They do where they are `margin` bounds or more somewhere.
        """
        ...


class Rule(Protocol):
    """How an output is held against the truth."""

    @property
    def bound(self) -> float:
        """What a report's errors must not exceed."""
        ...

    @property
    def relative(self) -> bool:
        """Whether the bounds are the trusted kernel's."""
        ...

    def findings(
        self,
        inputs: Inputs,
        exact: Truth,
        output: torch.Tensor,
        state: torch.Tensor | None,
    ) -> Iterator[Finding]:
        """Of the output, and of the state where it was asked for."""
        ...

    def bar(self, inputs: Inputs, exact: Truth) -> Bar:
        """The bar for mutants on these inputs."""
        ...


@dataclass(frozen=True)
class AbsoluteRule:
    """One bound on the worst row: float32 on a CPU."""

    bound: float = CPU_ROW_ERROR_BOUND
    relative: bool = False

    def findings(
        self,
        inputs: Inputs,
        exact: Truth,
        output: torch.Tensor,
        state: torch.Tensor | None,
    ) -> Iterator[Finding]:
        """See `Rule.findings`."""
        found = compare(output, exact.output)
        family = inputs.family_at(found.head, found.token)
        yield Finding(
            found.errors.worst,
            found.head,
            found.token,
            family,
            check_absolute(found.errors, self.bound),
        )
        if state is not None:
            found = compare(state, exact.state)
            yield Finding(
                found.errors.worst,
                found.head,
                found.token,
                STATE_FAMILY,
                check_absolute(found.errors, self.bound),
            )

    def bar(self, inputs: Inputs, exact: Truth) -> Bar:
        """See `Rule.bar`."""
        del inputs, exact
        return AbsoluteBar(self.bound)


@dataclass(frozen=True)
class AbsoluteBar:
    """The worst row against one bound."""

    bound: float

    def shows(self, rows: torch.Tensor, start: int, margin: float) -> bool:
        """See `Bar.shows`."""
        del start
        return inputs_can_tell(float(rows.max()), self.bound, margin)


@dataclass(frozen=True)
class RelativeRule:
    """Bounds by the trusted kernel's errors, per head and family: bf16."""

    factors: ErrorFactors = field(default_factory=ErrorFactors)
    floor: float = BFLOAT16_FLOOR
    bound: float = SHARE_BOUND
    relative: bool = True

    def findings(
        self,
        inputs: Inputs,
        exact: Truth,
        output: torch.Tensor,
        state: torch.Tensor | None,
    ) -> Iterator[Finding]:
        """See `Rule.findings`.

        Raises TrustedKernelError where that kernel itself is wrong.
        """
        trusted = trusted_answer(inputs)
        yield self._worst(
            inputs.spans,
            finite_errors(output, exact.output),
            finite_errors(trusted.output, exact.output),
        )
        if state is not None:
            edge = state.shape[-1]
            whole = ((Span(0, edge, STATE_FAMILY),),) * state.shape[1]
            yield self._worst(
                whole,
                finite_errors(state, exact.state),
                finite_errors(trusted.state, exact.state),
            )

    def bar(self, inputs: Inputs, exact: Truth) -> Bar:
        """See `Rule.bar`."""
        trusted = trusted_answer(inputs)
        rows = finite_errors(trusted.output, exact.output)
        return RelativeBar(self, inputs.spans, rows)

    def share(self, rows: torch.Tensor, trusted: torch.Tensor) -> float:
        """The largest share of a bound that these rows use up."""
        return worst_share(
            summary_of(rows), summary_of(trusted), self.factors, self.floor
        )

    def _worst(
        self,
        spans: tuple[tuple[Span, ...], ...],
        rows: torch.Tensor,
        trusted: torch.Tensor,
    ) -> Finding:
        shares = [
            (self.share(_part(rows, head, span), _part(trusted, head, span)))
            for head, span in _groups(spans)
        ]
        if not all(math.isfinite(float(x)) for x in trusted.amax((0, 2))):
            raise TrustedKernelError("the trusted kernel is wrong here")
        worst = max(range(len(shares)), key=shares.__getitem__)
        head, span = list(_groups(spans))[worst]
        found = _part(rows, head, span)
        breach = check_relative(
            summary_of(found),
            summary_of(_part(trusted, head, span)),
            self.factors,
            self.floor,
        )
        token = span.start + int(found.amax(0).argmax())
        return Finding(shares[worst], head, token, span.family, breach)


@dataclass(frozen=True)
class RelativeBar:
    """Each head's and family's rows against the trusted kernel's."""

    rule: RelativeRule
    spans: tuple[tuple[Span, ...], ...]
    trusted: torch.Tensor

    def shows(self, rows: torch.Tensor, start: int, margin: float) -> bool:
        """See `Bar.shows`."""
        return any(
            inputs_can_tell(share, SHARE_BOUND, margin)
            for share in self.shares(rows, start)
        )

    def shares(self, rows: torch.Tensor, start: int) -> Iterator[float]:
        """The share of its bounds that each head and family uses up."""
        end = start + rows.shape[2]
        for head, span in _groups(self.spans):
            first, last = max(span.start, start), min(span.end, end)
            if first < last:
                yield self.rule.share(
                    rows[:, head, first - start : last - start],
                    self.trusted[:, head, first:last],
                )


def rule_of(settings: JudgeSettings) -> Rule:
    """The rule of the settings' profile."""
    if settings.profile is Profile.GPU:
        return RelativeRule()
    return AbsoluteRule()


def _groups(
    spans: tuple[tuple[Span, ...], ...],
) -> Iterator[tuple[int, Span]]:
    return (
        (head, span) for head, pieces in enumerate(spans) for span in pieces
    )


def _part(rows: torch.Tensor, head: int, span: Span) -> torch.Tensor:
    return rows[:, head, span.start : span.end]
