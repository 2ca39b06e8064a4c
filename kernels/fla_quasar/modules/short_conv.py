"""A short causal convolution over tokens, each channel by itself."""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import nn
from torch.nn.functional import silu

from ..ops.quasar.dispatch import runs_triton

# The kernels unroll their window; a longer one is PyTorch's.
LONGEST_WINDOW = 8


class ShortConvolution(nn.Module):
    """Each channel is a weighted sum of its last `size` values, then SiLU.

    Tap i of `weight` `[channels, size]` weighs the value of size - 1 - i
    tokens ago. Values before a sequence's start are zero, or what `past`
    says they were.
    """

    def __init__(self, channels: int, size: int, bias: bool = False) -> None:
        super().__init__()
        if channels < 1 or size < 1:
            raise ValueError(
                f"{channels} channels and a window of {size} tokens make no"
                " convolution; both must be at least 1"
            )
        self.channels = channels
        self.size = size
        bound = size**-0.5
        self.weight = nn.Parameter(
            torch.empty(channels, size).uniform_(-bound, bound)
        )
        self.bias = nn.Parameter(torch.zeros(channels)) if bias else None

    def forward(
        self,
        x: torch.Tensor,
        past: torch.Tensor | None = None,
        cu_seqlens: torch.Tensor | None = None,
    ) -> torch.Tensor:
        """`[B, T, channels]` to the same shape.

        `past` is `[N, size - 1, channels]`, the values before the first
        token of each of the N sequences, or None for zeros; `cu_seqlens`
        `[N + 1]` are the boundaries of sequences packed into one row.
        Raises ValueError if a shape is not as above.
        """
        if x.dim() != 3 or x.shape[2] != self.channels:
            raise ValueError(
                f"x has shape {list(x.shape)}; it must be"
                f" [B, T, {self.channels}]"
            )
        if past is None and self.size <= LONGEST_WINDOW and runs_triton(x):
            from .fused import conv_silu

            return conv_silu(x, self.weight, self.bias, cu_seqlens)
        sequences = _sequences(x, cu_seqlens)
        past = self._past(past, sequences, x)
        rows = [
            self._convolve(torch.cat((before, sequence), 1))
            for before, sequence in zip(
                past.split([len(row) for row in sequences]),
                sequences,
                strict=True,
            )
        ]
        return torch.cat(rows, 1)

    def last(
        self,
        x: torch.Tensor,
        past: torch.Tensor | None = None,
        cu_seqlens: torch.Tensor | None = None,
    ) -> torch.Tensor:
        """The `past` of the tokens that follow, `[N, size - 1, channels]`.

        Arguments as in `forward`.
        """
        sequences = _sequences(x, cu_seqlens)
        past = self._past(past, sequences, x)
        rows = [
            _ending(before, sequence)
            for before, sequence in zip(
                past.split([len(row) for row in sequences]),
                sequences,
                strict=True,
            )
        ]
        return torch.cat(rows, 0)

    def _convolve(self, x: torch.Tensor) -> torch.Tensor:
        """`[n, size - 1 + T, channels]` to `[n, T, channels]`."""
        tokens = x.shape[1] - self.size + 1
        y = x[:, :tokens] * self.weight[:, 0]
        for tap in range(1, self.size):
            y = torch.addcmul(y, x[:, tap : tap + tokens], self.weight[:, tap])
        if self.bias is not None:
            y = y + self.bias
        return silu(y)

    def _past(
        self,
        past: torch.Tensor | None,
        sequences: list[torch.Tensor],
        x: torch.Tensor,
    ) -> torch.Tensor:
        shape = (sum(map(len, sequences)), self.size - 1, self.channels)
        if past is None:
            return x.new_zeros(shape)
        if past.shape != shape:
            raise ValueError(
                f"past has shape {list(past.shape)}; it must be"
                f" {list(shape)}"
            )
        return past.to(x.dtype)


def _sequences(
    x: torch.Tensor, cu_seqlens: torch.Tensor | None
) -> list[torch.Tensor]:
    """The rows that share a length, `[n, T, channels]` each."""
    if cu_seqlens is None:
        return [x]
    marks = [int(mark) for mark in cu_seqlens.tolist()]
    return [x[:, start:stop] for start, stop in pairwise(marks)]


def _ending(before: torch.Tensor, sequence: torch.Tensor) -> torch.Tensor:
    """As many tokens as `before` has, from the end of the two together."""
    size = before.shape[1]
    if sequence.shape[1] >= size:
        return sequence[:, sequence.shape[1] - size :].clone()
    return torch.cat((before, sequence), 1)[:, sequence.shape[1] :]
