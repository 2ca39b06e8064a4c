"""One exchange: an X in waiting, and a Y that was read to its end."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Self

import torch

from quasar_core.judge.buffers import Buffers
from quasar_core.judge.inputs import DTYPES
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


class PreparedInput:
    """An X in waiting; closed when its call is over."""

    def __init__(
        self,
        buffers: Buffers,
        shape: CallShape,
        sections: Sequence[torch.Tensor],
    ) -> None:
        self._window = buffers.input(shape, sections)

    @property
    def descriptor(self) -> int:
        """What travels with the call."""
        return self._window.descriptor

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._window.close()


def private_memory(size: int) -> torch.Tensor:
    """`size` bytes that no other process sees, touched once."""
    return torch.zeros(size, dtype=torch.uint8)


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
