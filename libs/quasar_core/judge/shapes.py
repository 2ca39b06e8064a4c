"""The shape of one call: what lies where in the memory that is shared."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

ALIGNMENT = 64
FLOAT32_BYTES = 4


class ElementType(IntEnum):
    """The type of q, k, v and o on the wire; beta and states are float32."""

    FLOAT32 = 0
    BFLOAT16 = 1

    @property
    def size(self) -> int:
        """Bytes of one element."""
        return 4 if self is ElementType.FLOAT32 else 2


def aligned(size: int) -> int:
    """`size` bytes, rounded up so that the next section is aligned."""
    return -(-size // ALIGNMENT) * ALIGNMENT


@dataclass(frozen=True)
class CallShape:
    """One call of chunk_quasar: its sizes and whether states take part.

    X holds q, k, v (each `[B, H, T, S]` in memory), beta `[H]` in float32
    and, where asked, the initial state `[B, H, S, S]` in float32. Y holds o
    and, where asked, the final state. Every section starts aligned.
    """

    tokens: int
    heads: int = 8
    head_dim: int = 64
    batch: int = 1
    element: ElementType = ElementType.FLOAT32
    initial_state: bool = False
    final_state: bool = False

    @property
    def elements(self) -> int:
        """Elements of each of q, k, v and o."""
        return self.batch * self.heads * self.tokens * self.head_dim

    @property
    def state_bytes(self) -> int:
        """Bytes of a state."""
        per_head = self.head_dim * self.head_dim * FLOAT32_BYTES
        return self.batch * self.heads * per_head

    @property
    def input_sections(self) -> tuple[tuple[int, int], ...]:
        """(offset, bytes) of q, k, v, beta and perhaps the state in X."""
        tensor = self.elements * self.element.size
        sizes = [tensor, tensor, tensor, self.heads * FLOAT32_BYTES]
        if self.initial_state:
            sizes.append(self.state_bytes)
        return _sections(sizes)

    @property
    def output_sections(self) -> tuple[tuple[int, int], ...]:
        """(offset, bytes) of o and perhaps the final state in Y."""
        sizes = [self.elements * self.element.size]
        if self.final_state:
            sizes.append(self.state_bytes)
        return _sections(sizes)

    @property
    def input_bytes(self) -> int:
        """Bytes of X."""
        return _end(self.input_sections)

    @property
    def output_bytes(self) -> int:
        """Bytes of Y."""
        return _end(self.output_sections)


@dataclass(frozen=True)
class Extent:
    """Bytes of the largest X and of the largest Y of a run."""

    input_bytes: int
    output_bytes: int

    @classmethod
    def of(cls, *shapes: CallShape) -> Extent:
        """What holds each of these calls."""
        return cls(
            max(shape.input_bytes for shape in shapes),
            max(shape.output_bytes for shape in shapes),
        )


def _sections(sizes: list[int]) -> tuple[tuple[int, int], ...]:
    sections: list[tuple[int, int]] = []
    offset = 0
    for size in sizes:
        sections.append((offset, size))
        offset += aligned(size)
    return tuple(sections)


def _end(sections: tuple[tuple[int, int], ...]) -> int:
    offset, size = sections[-1]
    return offset + aligned(size)
