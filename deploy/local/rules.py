"""The rules that a local stack plays by: a laptop's, of the same shape."""

from __future__ import annotations

from dataclasses import dataclass

POOL = "cpu"


@dataclass(frozen=True)
class Rules:
    """What the rounds of a local stack are frozen with.

    A laptop plays the same ten leagues at a small `league_unit` (tokens),
    under the judge's profile `cpu`, and a kernel counts as faster only
    when it is so by `min_improvement`: two shared cores are noisy.
    """

    league_unit: int = 512
    round_blocks: int = 900
    evaluating_blocks: int = 600
    block_seconds: float = 1.0
    min_improvement: float = 0.5
    judged_per_round: int = 12
    lease_seconds: float = 45.0
    heartbeat_seconds: float = 10.0
    blocks_until_reveal: int = 100
    reveal_window: int = 300
    git_schemes: tuple[str, ...] = ("file", "https")
    canary_seconds: float = 0.0
    """0: whoever watches a laptop waits for no known code to be judged."""
    judge: str | None = None
    """How the workers judge, as JSON; None: as they do by themselves."""

    @property
    def max_sequence_length(self) -> int:
        """Twice the highest league's, as on the real subnet."""
        return 20 * self.league_unit
