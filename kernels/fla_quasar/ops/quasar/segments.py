"""Where the Triton forms find their tokens, and how they cut them up."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import torch

from .inputs import PADDING, Inputs

# Segments enough to fill a device this often, the second where a segment
# then still has so many chunks that its map is a small part of its work.
FILLED = 2
FILLED_TWICE_FROM = 256
SHORTEST_SEGMENT = 16
# Multiprocessors of the largest devices, where there is none to ask.
PROCESSORS = 132


@dataclass(frozen=True)
class Memory:
    """Where position p of head h lies in row b of `[B, T, H, S]`.

    At b * strides[0] + h * strides[1] + p * strides[2], as far as
    p < last - h * pitch: so the interleaved reading needs no copy, and its
    padding is rows that are not there. `tokens` is T', the positions of a
    head; outputs have `length` = T of them, in true `[B, T, H, S]` order.
    """

    batch: int
    heads: int
    tokens: int
    length: int
    last: int
    pitch: int
    head_dim: int
    strides: tuple[int, int, int]
    is_causal: bool

    def compact(self) -> Memory:
        """The same reading of contiguous memory."""
        return _memory(
            (self.batch, self.length, self.heads, self.head_dim),
            None,
            self.is_causal,
        )


def read_memory(
    inputs: Inputs, *tensors: torch.Tensor
) -> tuple[Memory, tuple[torch.Tensor, ...]]:
    """The reading of `tensors` of the shape of q, copied where they must be.

    They share strides, tokens lie whole, and the interleaved layout reads
    memory from one end to the other.
    """
    is_causal = inputs.layout == "causal"
    alike = len({x.stride() for x in tensors}) == 1
    if not (alike and is_causal and tensors[0].stride(-1) == 1):
        tensors = tuple(x.contiguous() for x in tensors)
    strides = tensors[0].stride() if is_causal else None
    return _memory(tuple(inputs.q.shape), strides, is_causal), tensors


def _memory(
    shape: tuple[int, ...], strides: tuple[int, ...] | None, is_causal: bool
) -> Memory:
    B, T, H, S = shape
    if not is_causal:
        longer = T + -T % PADDING
        steps = (T * H * S, longer * S, S)
        return Memory(B, H, longer, T, T * H, longer, S, steps, False)
    b, t, h = strides[:3] if strides else (T * H * S, H * S, S)
    return Memory(B, H, T, T, T, 0, S, (b, h, t), True)


@dataclass(frozen=True)
class Segments:
    """How the sequences are cut into chunks and runs of chunks.

    Each of the B rows has `chunks` chunks of `size` tokens and `each`
    segments of `length` chunks; there are `number` sequences. Of packed
    sequences, which begin a chunk each, `table` tells every segment's
    (sequence, first token, end, first chunk, chunks, 1 if the sequence's
    last and 2 if its first, or 3), `firsts` `[N + 1]` the first segment of
    each sequence, and `spans` every chunk's (first token, end of its
    sequence); all int64, on the device.
    """

    size: int
    chunks: int
    each: int
    length: int
    number: int
    table: torch.Tensor | None = None
    firsts: torch.Tensor | None = None
    spans: torch.Tensor | None = None

    @property
    def is_cut(self) -> bool:
        """Whether any sequence has two segments or more."""
        return self.each > (self.number if self.is_varlen else 1)

    @property
    def is_varlen(self) -> bool:
        """Whether sequences are packed."""
        return self.table is not None


def cut(
    inputs: Inputs, memory: Memory, size: int, length: int | None = None
) -> Segments:
    """Cut into chunks of `size` and segments of `length`, or of our choice.

    Every sequence has at least one segment, an empty sequence too.
    """
    rows = memory.batch * memory.heads
    if inputs.bounds is None:
        chunks = -(-memory.tokens // size)
        length = length or _length(rows, chunks, inputs.q.device)
        each = -(-chunks // length)
        return Segments(size, chunks, each, length, memory.batch)
    chunks = sum(-(-(stop - start) // size) for start, stop in inputs.bounds)
    length = length or _length(rows, max(chunks, 1), inputs.q.device)
    return _cut_packed(inputs, inputs.bounds, size, length)


def _cut_packed(
    inputs: Inputs,
    bounds: tuple[tuple[int, int], ...],
    size: int,
    length: int,
) -> Segments:
    rows: list[tuple[int, ...]] = []
    firsts = [0]
    spans: list[torch.Tensor] = []
    done = 0
    for n, (start, stop) in enumerate(bounds):
        chunks = -(-(stop - start) // size)
        begins = range(0, max(chunks, 1), length)
        for begin in begins:
            place = (begin == begins[-1]) + 2 * (begin == 0)
            first = start + begin * size
            count = min(length, chunks - begin)
            rows.append((n, first, stop, done + begin, count, place))
        firsts.append(len(rows))
        tokens = torch.arange(start, stop, size)
        spans.append(torch.stack((tokens, torch.full_like(tokens, stop)), 1))
        done += chunks

    def there(x: torch.Tensor) -> torch.Tensor:
        return x.to(inputs.q.device)

    return Segments(
        size,
        done,
        len(rows),
        length,
        len(bounds),
        there(torch.tensor(rows, dtype=torch.int64)),
        there(torch.tensor(firsts, dtype=torch.int64)),
        there(torch.cat(spans)),
    )


@lru_cache(maxsize=16)
def processors(device: torch.device) -> int:
    """Multiprocessors of `device`."""
    if device.type != "cuda":
        return PROCESSORS
    return torch.cuda.get_device_properties(device).multi_processor_count


def _length(rows: int, chunks: int, device: torch.device) -> int:
    each = max(FILLED * processors(device) // rows, 1)
    if chunks >= each * FILLED_TWICE_FROM and each > 1:
        each *= 2
    each = min(each, max(chunks // SHORTEST_SEGMENT, 1))
    return -(-chunks // each)
