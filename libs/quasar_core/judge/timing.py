"""How time is measured: the exchange's own cost, blocks, one long run.

The clock is the referee's. What is subtracted was measured before the
submission existed; whatever disturbs a timed call is charged to it.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from contextlib import ExitStack
from dataclasses import dataclass
from statistics import median

import torch

from quasar_core.contracts.reports import Timing
from quasar_core.errors import Stage
from quasar_core.judge.exchange import Exchange
from quasar_core.judge.faults import Patience
from quasar_core.judge.ground import Ground
from quasar_core.judge.inputs import Inputs, draw_inputs
from quasar_core.judge.protocol import Ask
from quasar_core.judge.seat import Seat
from quasar_core.judge.seeds import Seeds
from quasar_core.judge.settings import JudgeSettings
from quasar_core.judge.shapes import CallShape
from quasar_core.judge.stillness import Stillness
from quasar_core.judge.table import Table

LEAST_SHARE = 0.1
"""An exchange is never all overhead: so much of it is always charged."""

BACK_TO_BACK = "back_to_back"
FEWEST_BACK_TO_BACK = 2
"""All inputs and outputs of the long run are in memory at once: at lengths
where that is too much there are fewer of them, but never less than these."""


def measure_exchange(
    seat: Seat,
    shape: CallShape,
    seeds: Seeds,
    settings: JudgeSettings,
    ground: Ground,
    ask: Ask = Ask.NOTHING,
) -> float:
    """K: the median cost in seconds of an exchange that computes nothing.

    `seat` holds the trusted empty candidate on an idle machine; `ask` is
    what makes it compute nothing.
    """
    patience = Patience(settings.limits.smoke_seconds)
    inputs = draw_inputs(seeds, "exchange", 0, shape, device=ground.device)
    memory = ground.memory(shape.output_bytes)
    seat.ready(patience)
    calls = settings.warm_up_calls + settings.exchange_samples
    seconds = [
        seat.call(
            shape, inputs.sections, patience, into=memory, ask=ask
        ).seconds
        for _ in range(calls)
    ]
    return median(seconds[settings.warm_up_calls :])


def charged(raw_seconds: float, overhead: float) -> float:
    """A sample: what the exchange took, less what any exchange takes."""
    return max(raw_seconds - overhead, LEAST_SHARE * raw_seconds)


@dataclass(frozen=True)
class RawTimes:
    """Seconds of a timed stage, the exchange's own cost still in them.

    `back_to_back` is one call's share of a run of so many.
    """

    candidate: tuple[float, ...]
    baseline: tuple[float, ...]
    back_to_back: float
    back_to_back_calls: int


@dataclass
class Race:
    """The two kernels of a timed stage, and what they are timed on."""

    candidate: Table
    baseline: Table
    shape: CallShape
    settings: JudgeSettings
    patience: Patience
    baseline_patience: Patience
    dtype: torch.dtype
    ground: Ground
    still: Stillness
    label: str = ""
    """Sets the draws of one race of a job apart from another's."""

    def run(self, blame: Callable[[Callable[[], float]], float]) -> RawTimes:
        """The timed stage: blocks of single calls, then the long run."""
        candidate, baseline = self.blocks(blame)
        return RawTimes(
            tuple(candidate),
            tuple(baseline),
            self.back_to_back(),
            self.back_to_back_calls,
        )

    def blocks(
        self, blame: Callable[[Callable[[], float]], float]
    ) -> tuple[list[float], list[float]]:
        """Raw samples of candidate and baseline, in blocks B C C B.

        While one runs the other is frozen. `blame` runs a baseline's call:
        its faults are never the submission's.
        """
        half = self.settings.block_samples
        candidate: list[float] = []
        baseline: list[float] = []
        for block, trusted in enumerate((True, False, False, True)):
            with alone(self, trusted=trusted):
                for index in range(half):
                    call = block * half + index
                    if trusted:
                        baseline.append(blame(lambda c=call: self._trusted(c)))
                    else:
                        candidate.append(self._raced(call))
        return candidate, baseline

    def block(self, calls: Iterable[int]) -> list[float]:
        """Raw samples of the candidate, while the other is frozen."""
        with alone(self, trusted=False):
            return [self._raced(call) for call in calls]

    def back_to_back(self) -> float:
        """Raw seconds per call of one run of fresh inputs without a gap.

        Work that was put off from one call into the pause after it has no
        pause here.
        """
        count = self.back_to_back_calls
        memories = [
            self.ground.memory(self.shape.output_bytes) for _ in range(count)
        ]
        seat = self.candidate.seat
        with ExitStack() as stack, alone(self, trusted=False):
            calls = [
                stack.enter_context(
                    seat.prepared(
                        self.shape, self._long_run(index).sections, memory
                    )
                )
                for index, memory in enumerate(memories)
            ]
            self.ground.wait()
            each = seat.exchange_in_a_row(calls, self.patience) / count
        for index, call in enumerate(calls):
            exchange = Exchange(each, *call.outputs())
            self.candidate.check(self._long_run(index), exchange, self.dtype)
        return each

    @property
    def back_to_back_calls(self) -> int:
        """Calls of the long run: as many as are asked for, and fit."""
        size = self.shape.input_bytes + self.shape.output_bytes
        fitting = max(FEWEST_BACK_TO_BACK, self.ground.long_run_bytes // size)
        return min(self.settings.back_to_back_calls, fitting)

    def _long_run(self, index: int) -> Inputs:
        # Drawn again when it is checked: held, it would be in memory twice.
        seeds = self.candidate.seeds
        return draw_inputs(
            seeds,
            self._stage(BACK_TO_BACK),
            index,
            self.shape,
            device=self.ground.device,
        )

    def warm_up(self) -> int:
        """Calls until the kernel is warm; how many it took."""
        return self._warm(self.candidate, Stage.WARM_UP.value, self.patience)

    def warm_up_alone(self) -> int:
        """The same while the other stands still."""
        with alone(self, trusted=False):
            return self._warm(
                self.candidate,
                self._stage(Stage.WARM_UP.value),
                self.patience,
            )

    def warm_up_baseline(self) -> int:
        """The same for the trusted kernel, while the other stands still."""
        with alone(self, trusted=True):
            return self._warm(
                self.baseline, "baseline_warm_up", self.baseline_patience
            )

    def _warm(self, table: Table, stage: str, patience: Patience) -> int:
        calls, started = 0, time.monotonic()
        while (
            calls < self.settings.warm_up_calls
            or time.monotonic() - started < self.settings.warm_up_seconds
        ):
            table.fresh_call(stage, calls, self.shape, patience, self.dtype)
            calls += 1
        return calls

    def _raced(self, call: int) -> float:
        return self.candidate.fresh_call(
            self._stage(Stage.TIMED.value),
            call,
            self.shape,
            self.patience,
            self.dtype,
        )

    def _stage(self, name: str) -> str:
        return f"{name} of {self.label}" if self.label else name

    def _trusted(self, call: int) -> float:
        return self.baseline.fresh_call(
            "baseline", call, self.shape, self.baseline_patience, self.dtype
        )


class alone:  # noqa: N801 -- reads as a word in `with alone(...)`
    """One of the two runs, the other stands still.

    A stranger's kernel that has answered all calls is looked at once it is
    frozen; raises KernelFault for what it left behind.
    """

    def __init__(self, race: Race, *, trusted: bool) -> None:
        seats = (race.baseline.seat, race.candidate.seat)
        self._runs, self._rests = seats if trusted else seats[::-1]
        self._still = None if trusted else race.still

    def __enter__(self) -> None:
        self._rests.freeze()
        self._runs.thaw()

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if self._still is None or kind is not None:
            self._runs.freeze()
        else:
            self._still.freeze(self._runs)


def timing_report(
    tokens: int, raw: RawTimes, overhead: float, rest: float
) -> Timing:
    """The samples with the exchange's own cost taken off each."""
    return Timing(
        sequence_length=tokens,
        samples=tuple(charged(each, overhead) for each in raw.candidate),
        baseline_samples=tuple(
            charged(each, overhead) for each in raw.baseline
        ),
        back_to_back=charged(raw.back_to_back, overhead),
        back_to_back_calls=raw.back_to_back_calls,
        rest=rest,
        overhead=overhead,
    )
