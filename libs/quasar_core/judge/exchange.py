"""One exchange: an X in waiting, and a Y that was read to its end."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import torch

from quasar_core.judge.buffers import BLOCK_BYTES, Buffers, Order
from quasar_core.judge.inputs import DTYPES
from quasar_core.judge.seeds import CPU
from quasar_core.judge.shapes import CallShape


@dataclass(frozen=True)
class Exchange:
    """One call: the raw time until its output was read, and that output.

    `state` is the final state where it was asked for. Both are private
    copies, `[B, H, T, S]` and `[B, H, S, S]`, head-first; they are valid
    until the next call with the same `into`.
    """

    seconds: float
    output: torch.Tensor
    state: torch.Tensor | None


class PreparedCall:
    """A call in waiting: an X that nobody has seen, and where its Y goes.

    All that a call takes is made before its clock starts. Closed when the
    call is over; its outputs can be had after that.
    """

    def __init__(
        self,
        buffers: Buffers,
        shape: CallShape,
        sections: Sequence[torch.Tensor],
        into: torch.Tensor,
        chance: random.Random,
    ) -> None:
        self.shape = shape
        self.into = into
        self.order: Order = buffers.order(shape.output_bytes, chance)
        self.window = buffers.input(shape, sections)
        self._buffers = buffers

    def outputs(self) -> tuple[torch.Tensor, torch.Tensor | None]:
        """What was read; asked for once, after the clock has stopped."""
        size = self.shape.output_bytes
        self._buffers.sort(self.into, size, self.order)
        return outputs_in(self.shape, self.into[:size])

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.window.close()


def private_memory(size: int, device: torch.device = CPU) -> torch.Tensor:
    """`size` bytes that no other process sees, in whole blocks, touched."""
    whole = -(-size // BLOCK_BYTES) * BLOCK_BYTES
    return torch.zeros(whole, dtype=torch.uint8, device=device)


def outputs_in(
    shape: CallShape, private: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor | None]:
    """The o and perhaps the final state that a call left in Y, head-first."""
    sections = shape.output_sections
    offset, size = sections[0]
    output = private[offset : offset + size].view(DTYPES[shape.element])
    # Inputs are read head-first, but outputs are written token by token:
    # that is the convention of the competition.
    output = output.view(
        shape.batch, shape.tokens, shape.heads, shape.head_dim
    ).transpose(1, 2)
    if not shape.final_state:
        return output, None
    offset, size = sections[1]
    edge = shape.head_dim
    state = private[offset : offset + size].view(torch.float32)
    return output, state.view(shape.batch, shape.heads, edge, edge)
