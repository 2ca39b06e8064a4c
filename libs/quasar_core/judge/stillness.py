"""Stillness: a kernel that is frozen works no more, and holds so much.

Freezing stops a process, not the device: what it launched before goes on
there and takes turns with whoever is timed next (measured: a kernel of one
program makes another process's work 4.5 times slower, asleep or awake). So
whoever is frozen is looked at before anybody else runs. Everyone else has
been found still before, so what is found is his.
"""

from __future__ import annotations

import time
from collections.abc import Iterable

from quasar_core.errors import RejectionCode
from quasar_core.execution.limits import MIB
from quasar_core.judge.ground import Ground
from quasar_core.judge.health import SETTLING, UnhealthyError
from quasar_core.judge.seat import Seat

SLOWER = 2.0
"""A device that is so many times slower than before works for somebody."""

ENDING = (0.005, 0.02, 0.1)
"""Seconds to wait before a slow device is looked at again: an honest kernel's
last launches, a workspace that is cleared say, are done by then."""


class Stillness:
    """What is known of a device, and of what each seat has taken of it.

    To be made before any stranger's code runs. A processor is always still:
    there the control group holds all that there is.
    """

    def __init__(self, ground: Ground, most_bytes: int) -> None:
        self._ground = ground
        self._most_bytes = most_bytes
        self._usual = ground.pace()
        self._taken = ground.taken_bytes()
        self._held: dict[int, int] = {}
        self._most: dict[int, int] = {}

    def freeze(self, seat: Seat) -> None:
        """Freeze a seat whose kernel has answered.

        Raises KernelFault where its work goes on, or it holds too much of
        the device's memory; UnhealthyError where the device is slow, but
        not by its fault.
        """
        seat.freeze()
        self.look(seat)
        slow = self._slow(ENDING)
        if slow is None:
            return
        fault = seat.fault(
            RejectionCode.PROTOCOL_VIOLATION,
            "its work on the device goes on after its answer",
            {"pace_seconds": slow, "usual_seconds": self._usual},
        )
        # it is killed: if the device is slow still, it was not the kernel
        if self._slow(SETTLING) is not None:
            raise UnhealthyError(
                f"the device became slow: {slow:.2e} s for what took"
                f" {self._usual:.2e} s before the job"
            )
        raise fault

    def look(self, seat: Seat) -> None:
        """Charge a seat with what was taken since the last look at any.

        Raises KernelFault where that is more than a kernel may hold.
        """
        taken = self._ground.taken_bytes()
        held = self._held.get(id(seat), 0) + taken - self._taken
        self._held[id(seat)], self._taken = held, taken
        self._most[id(seat)] = max(self.most(seat), held)
        if held > self._most_bytes:
            raise seat.fault(
                RejectionCode.MEMORY_LIMIT,
                f"it holds {held // MIB} MiB of the device's memory, and may"
                f" hold {self._most_bytes // MIB}",
                {"held_bytes": held, "bound_bytes": self._most_bytes},
            )

    def most(self, seat: Seat) -> int:
        """The most bytes of the device that a seat was seen to hold."""
        return self._most.get(id(seat), 0)

    def _slow(self, pauses: Iterable[float]) -> float | None:
        """The device's pace where it stays slow; None where it is usual."""
        found = self._ground.pace()
        for pause in pauses:
            if found <= SLOWER * self._usual:
                return None
            time.sleep(pause)
            found = self._ground.pace()
        return found if found > SLOWER * self._usual else None
