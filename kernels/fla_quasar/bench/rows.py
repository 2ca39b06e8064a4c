"""What there is to measure, the most valuable first."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

LENGTHS = (4096, 16_384, 100_000, 300_000, 1_000_000)
LONGEST, JUDGED = 1_000_000, 100_000
ACCURATE_AT = (4096, 65_536)
FAMILIES = ("plain", "long memory", "stiff", "subspace", "scaled")
# Beyond this, quadratic attention takes longer than it teaches.
LONGEST_QUADRATIC = 100_000
# Backward passes keep several inputs' worth of memory alive.
LONGEST_BACKWARD = 300_000

OURS, OURS_CAUSAL = "chunk_quasar interleaved", "chunk_quasar causal"
DELTA, DELTA_SPLIT = "fla chunk_delta_rule", "fla chunk_delta_rule, split"
GATED, KDA = "fla chunk_gated_delta_rule", "fla chunk_kda"
SOFTMAX = "softmax attention (SDPA)"
LAYER, COMPILED_LAYER = "QuasarAttention", "QuasarAttention, torch.compile"
DELTA_NET, DELTA_NET_SPLIT = "fla DeltaNet", "fla DeltaNet, split"
KIMI = "fla KimiDeltaAttention"

KINDS = {
    "forward": "Operators, forward",
    "both": "Operators, forward and backward",
    "layer": "Layers of hidden size 512, forward",
    "training": "Layers of hidden size 512, forward and backward",
    "kernel": "The operator's kernels, launched one by one",
    "profile": "Where a call's time goes, kernel by kernel",
    "accuracy": "The worst token's error",
    "limit": "What the card reaches",
}
# The rest of these has one, that splits nothing without a packed call.
SPLITS = frozenset({DELTA_SPLIT, DELTA_NET_SPLIT})
# Their backward passes tune themselves for minutes.
TUNES_LONG = frozenset({GATED, KDA, KIMI})


@dataclass(frozen=True)
class Row:
    """One thing to measure: a kind of `KINDS`, a name, a length."""

    kind: str
    name: str
    tokens: int

    @property
    def key(self) -> str:
        """As `--only` and the record spell it: `forward/NAME/TOKENS`."""
        return f"{self.kind}/{self.name}/{self.tokens}"

    @property
    def is_tuned_briefly(self) -> bool:
        """Whether a peer is given a few configurations to choose from."""
        return self.name in TUNES_LONG

    @property
    def patience_seconds(self) -> float:
        """How long it may take; fla tunes itself on its first call."""
        return 240.0 if self.name.startswith("fla ") else 120.0


def plan(lengths: Sequence[int] = LENGTHS) -> list[Row]:
    """Every row at `lengths`, by value: what was asked for comes first.

    A stop at any time leaves the rows that matter most.
    """
    rows = [Row("limit", name, 0) for name in ("copy", "product")]
    rows += _claims()
    rows += _others(lengths)
    return [
        row
        for row in dict.fromkeys(rows)
        if row.tokens in (0, *lengths) or row.kind == "accuracy"
    ]


def _claims() -> Iterable[Row]:
    """What targets speak of: ours, and the best of the rest."""
    for tokens in (LONGEST, JUDGED):
        for name in (OURS, DELTA_SPLIT, DELTA, OURS_CAUSAL):
            yield Row("forward", name, tokens)
    for tokens in (LONGEST, JUDGED):
        for name in (LAYER, DELTA_NET_SPLIT, DELTA_NET):
            yield Row("layer", name, tokens)
    for name in (OURS, DELTA, OURS_CAUSAL):
        yield Row("both", name, JUDGED)
    yield Row("kernel", "chunk_quasar", LONGEST)
    yield Row("profile", LAYER, LONGEST)
    yield Row("profile", f"{LAYER}, training", JUDGED)
    yield Row("kernel", "chunk_quasar", JUDGED)
    for name in (LAYER, COMPILED_LAYER, DELTA_NET):
        yield Row("training", name, JUDGED)
    for tokens in ACCURATE_AT:
        for family in FAMILIES:
            yield Row("accuracy", family, tokens)


def _others(lengths: Sequence[int]) -> Iterable[Row]:
    """The other lengths, then the other peers, the slowest to tune last."""
    rest = [t for t in lengths if t not in (LONGEST, JUDGED)]
    for tokens in rest:
        for name in (OURS, DELTA, DELTA_SPLIT, OURS_CAUSAL):
            yield Row("forward", name, tokens)
        for name in (LAYER, DELTA_NET, DELTA_NET_SPLIT):
            yield Row("layer", name, tokens)
        yield Row("kernel", "chunk_quasar", tokens)
    for tokens in rest:
        if tokens <= LONGEST_BACKWARD:
            for name in (OURS, DELTA, OURS_CAUSAL):
                yield Row("both", name, tokens)
            for name in (LAYER, DELTA_NET):
                yield Row("training", name, tokens)
    yield Row("layer", COMPILED_LAYER, JUDGED)
    short = [t for t in lengths if t <= LONGEST_QUADRATIC]
    for kind in ("forward", "both"):
        for tokens in short:
            yield Row(kind, SOFTMAX, tokens)
    for name in (GATED, KDA):
        for tokens in reversed(lengths):
            yield Row("forward", name, tokens)
    for tokens in reversed(lengths):
        yield Row("layer", KIMI, tokens)
    for name in (GATED, KDA):
        for tokens in reversed(lengths):
            if tokens <= LONGEST_BACKWARD:
                yield Row("both", name, tokens)


def chosen(rows: Iterable[Row], only: Sequence[str]) -> list[Row]:
    """The rows whose key contains one of `only`, or all of them."""
    return [
        row
        for row in rows
        if not only or any(part in row.key for part in only)
    ]
