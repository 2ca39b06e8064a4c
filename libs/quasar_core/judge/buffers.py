"""The windows of memory that referee and candidate share.

`Buffers` is what the referee knows of them; `SealedMemory` makes them of
sealed memfds, for a CPU.
"""

from __future__ import annotations

import fcntl
import math
import mmap
import os
import random
from collections.abc import Sequence
from typing import Protocol, TypeAlias

import torch

from quasar_core.judge.shapes import CallShape
from quasar_core.judge.timeline import Timeline

F_SEAL_FUTURE_WRITE = 0x0010
"""Since Linux 5.1; Python's fcntl has no name for it."""

FIXED_SIZE = fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW | fcntl.F_SEAL_SEAL
"""A window that could be truncated would kill the referee by SIGBUS."""

WRITTEN_ONCE = fcntl.F_SEAL_GROW | fcntl.F_SEAL_SEAL | F_SEAL_FUTURE_WRITE
"""An X: the referee has unmapped it before anybody else sees it, so it may
shrink; and shrinking it is how the referee takes its pages back from a kernel
that keeps it mapped."""

BLOCK_BYTES = 256 * 1024

SLOTS = 2
"""Windows in rotation."""

Order: TypeAlias = Sequence[int] | torch.Tensor
"""In which order the blocks of a Y are read: a secret of the call."""


class InputWindow(Protocol):
    """X of one call: born with it, written once, closed after it."""

    @property
    def travels(self) -> tuple[int, ...]:
        """The descriptors that travel with the call's frame."""
        ...

    def show(self, slot: int, turn: int) -> None:
        """Let the candidate see it, as the seat's call number `turn`.

        This only queues it, and a wait until the device has done that call.
        """
        ...

    def close(self) -> None:
        """Let go of it; idempotent."""
        ...


class OutputWindow(Protocol):
    """Y: mapped once by both sides."""

    @property
    def descriptor(self) -> int:
        """What travels with the first frame."""
        ...

    def poison(self, size: int) -> None:
        """Fill the first `size` bytes with NaN."""
        ...

    def read(self, into: torch.Tensor, size: int, order: Order) -> None:
        """Copy `size` bytes in this order into private memory (uint8, 1-D).

        It has ended when this returns, or is queued on the timeline.
        `Buffers.sort` makes the output of it, once the clock has stopped.
        """
        ...

    def close(self) -> None:
        """Let go of it; idempotent."""
        ...


class Buffers(Protocol):
    """Where windows come from."""

    def input(
        self, shape: CallShape, sections: Sequence[torch.Tensor]
    ) -> InputWindow:
        """A fresh X that holds these tensors and can't be written again."""
        ...

    def output(self, size: int) -> OutputWindow:
        """A Y of `size` bytes."""
        ...

    @property
    def standing(self) -> tuple[int, ...]:
        """Descriptors of the Xs that are mapped once, before any call."""
        ...

    @property
    def timeline(self) -> Timeline | None:
        """What calls are queued on; None: each is asked for and waited for."""
        ...

    def release(self, turn: int) -> None:
        """Let go of what waits for calls up to `turn` that nobody will end."""
        ...

    @property
    def sizes(self) -> tuple[int, int] | None:
        """Bytes of a Y and of an X where the candidate cannot ask for them.

        None: its kernel tells.
        """
        ...

    def order(self, size: int, chance: random.Random) -> Order:
        """An order in which to read `size` bytes."""
        ...

    def sort(self, into: torch.Tensor, size: int, order: Order) -> None:
        """Put what was read in this order where it belongs."""
        ...

    def clear_caches(self) -> None:
        """Leave nothing of an earlier call where it could be found fast."""
        ...

    def close(self) -> None:
        """Let go of what is mapped before any call; idempotent."""
        ...


class SealedMemory:
    """Windows of host memory: memfds, sized and then sealed."""

    standing: tuple[int, ...] = ()
    sizes: tuple[int, int] | None = None
    timeline: Timeline | None = None

    def input(
        self, shape: CallShape, sections: Sequence[torch.Tensor]
    ) -> InputWindow:
        """A fresh X; its pages are the referee's, and read-only to others."""
        descriptor = _sized("quasar-x", shape.input_bytes)
        memory = mmap.mmap(descriptor, shape.input_bytes)
        everything = torch.frombuffer(memory, dtype=torch.uint8)
        places = shape.input_sections
        for (offset, size), tensor in zip(places, sections, strict=True):
            raw = tensor.contiguous().view(-1).view(torch.uint8)
            everything[offset : offset + size].copy_(raw)
        del everything
        memory.close()
        fcntl.fcntl(descriptor, fcntl.F_ADD_SEALS, WRITTEN_ONCE)
        return _MemoryInput(descriptor)

    def output(self, size: int) -> OutputWindow:
        """A Y that both sides may write, and neither may resize."""
        descriptor = _sized("quasar-y", size)
        fcntl.fcntl(descriptor, fcntl.F_ADD_SEALS, FIXED_SIZE)
        return _MemoryOutput(descriptor, size)

    def order(self, size: int, chance: random.Random) -> Order:
        """See `reading_order`."""
        return reading_order(size, chance)

    def sort(self, into: torch.Tensor, size: int, order: Order) -> None:
        """Each block is read to its own place: there is nothing to do."""

    def clear_caches(self) -> None:
        """A processor's caches are left as they are."""

    def release(self, turn: int) -> None:
        """Nothing waits here."""

    def close(self) -> None:
        """No X is mapped before its call."""


class _MemoryInput:
    def __init__(self, descriptor: int) -> None:
        self._descriptor: int | None = descriptor

    @property
    def descriptor(self) -> int:
        if self._descriptor is None:
            raise ValueError("this input is closed")
        return self._descriptor

    @property
    def travels(self) -> tuple[int, ...]:
        return (self.descriptor,)

    def show(self, slot: int, turn: int) -> None:
        """Its descriptor travels with the call: there is nothing to do."""

    def close(self) -> None:
        if self._descriptor is not None:
            os.ftruncate(self._descriptor, 0)
            os.close(self._descriptor)
            self._descriptor = None


class _MemoryOutput:
    def __init__(self, descriptor: int, size: int) -> None:
        self._descriptor = descriptor
        memory = mmap.mmap(descriptor, size)
        self._bytes: torch.Tensor | None = torch.frombuffer(
            memory, dtype=torch.uint8
        )

    @property
    def descriptor(self) -> int:
        return self._descriptor

    def poison(self, size: int) -> None:
        self._open()[:size].view(torch.int32).fill_(-1)

    def read(self, into: torch.Tensor, size: int, order: Order) -> None:
        source = self._open()
        for block in order:
            start = int(block) * BLOCK_BYTES
            end = min(start + BLOCK_BYTES, size)
            into[start:end].copy_(source[start:end])

    def close(self) -> None:
        # The mapping goes with its last view.
        if self._bytes is not None:
            self._bytes = None
            os.close(self._descriptor)

    def _open(self) -> torch.Tensor:
        if self._bytes is None:
            raise ValueError("this output is closed")
        return self._bytes


def reading_order(size: int, chance: random.Random) -> list[int]:
    """The blocks of `size` bytes, in an order that nobody can foresee."""
    order = list(range(math.ceil(size / BLOCK_BYTES)))
    chance.shuffle(order)
    return order


def _sized(name: str, size: int) -> int:
    flags = os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING
    descriptor = os.memfd_create(name, flags)
    os.ftruncate(descriptor, size)
    return descriptor
