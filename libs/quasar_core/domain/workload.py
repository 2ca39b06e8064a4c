"""The workload: the shapes that are judged, and their sizes."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

HIDDEN_SIZE = 512
HEAD_DIM = 64
NUM_HEADS = 8
CHUNK = 64

FLOAT32_BYTES = 4


class Profile(StrEnum):
    """How a pool judges: float32 on processors, bf16 on accelerators."""

    CPU = "cpu"
    GPU = "gpu"

    @property
    def element_bytes(self) -> int:
        """Bytes of one number of q, k, v and o."""
        return FLOAT32_BYTES if self is Profile.CPU else 2

    @property
    def drift_bound(self) -> float | None:
        """How far the trusted kernel may drift within a run; None: as it is.

        Identical code was seen a third apart on two shared processors.
        """
        return None if self is Profile.CPU else 0.02


CORRECTNESS_LENGTHS: dict[Profile, tuple[int, ...]] = {
    Profile.CPU: (64, 128, 448, 1_024, 8_256),
    Profile.GPU: (64, 192, 1_088, 8_256, 65_600),
}
"""One chunk, a few, and lengths over which memory shows.

With 64 dimensions and chunks of 64, a kernel that keeps only its last 64
chunks is visible beyond 128 chunks, hence 8 256 = 129 chunks; 65 600 is
one chunk more than 1 024 of them.
"""


def judged_length(target_sequence_length: int) -> int:
    """The tokens that are run for a target: whole chunks, rounded up.

    The judge asks for causal results through head-first memory, which the
    interleaved convention gives for whole chunks only. Raises ValueError
    for a target below 1.
    """
    if target_sequence_length < 1:
        raise ValueError(f"{target_sequence_length} is no sequence length")
    return -(-target_sequence_length // CHUNK) * CHUNK


def correctness_lengths(
    raced_length: int, profile: Profile | str
) -> tuple[int, ...]:
    """The lengths of stage correctness, ascending: at most six.

    All are multiples of 64 and the raced length is one of them. Raises
    ValueError for an unknown profile or a length that is not whole chunks.
    """
    if raced_length < CHUNK or raced_length % CHUNK:
        raise ValueError(f"{raced_length} tokens are not whole chunks")
    lengths = CORRECTNESS_LENGTHS[Profile(profile)]
    return tuple(sorted({*lengths, raced_length}))


@dataclass(frozen=True)
class Workload:
    """One call of the raced operator.

    q, k, v and o are `[batch, sequence_length, num_heads, head_dim]`; beta
    is `[num_heads]`, float32; states are
    `[batch, num_heads, head_dim, head_dim]`, float32.
    """

    sequence_length: int
    num_heads: int = NUM_HEADS
    head_dim: int = HEAD_DIM
    batch: int = 1

    @property
    def shape(self) -> tuple[int, int, int, int]:
        """The shape of q, k, v and o."""
        return (
            self.batch,
            self.sequence_length,
            self.num_heads,
            self.head_dim,
        )

    @property
    def elements(self) -> int:
        """How many numbers one of q, k, v and o holds."""
        return (
            self.batch * self.sequence_length * self.num_heads * self.head_dim
        )

    @property
    def beta_bytes(self) -> int:
        """Size of beta."""
        return self.num_heads * FLOAT32_BYTES

    @property
    def state_bytes(self) -> int:
        """Size of an initial or final state."""
        return self.batch * self.num_heads * self.head_dim**2 * FLOAT32_BYTES

    def tensor_bytes(self, element_bytes: int) -> int:
        """Size of one of q, k, v and o."""
        return self.elements * element_bytes

    def input_bytes(self, element_bytes: int) -> int:
        """Size of q, k, v and beta together, without padding."""
        return 3 * self.tensor_bytes(element_bytes) + self.beta_bytes

    def output_bytes(self, element_bytes: int) -> int:
        """Size of o."""
        return self.tensor_bytes(element_bytes)
