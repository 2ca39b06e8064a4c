"""Entries of a round, made up for the tests of the ladder."""

from __future__ import annotations

from hypothesis import strategies as st
from quasar_core.domain.entries import Entry


def entry(
    name: str,
    score: float,
    *,
    block: int = 0,
    hotkey: str | None = None,
    coldkey: str | None = None,
    identity: str | None = None,
    speedup: float = 2.0,
    league: str = "300k",
    length: int = 300_000,
    original: bool = True,
) -> Entry:
    """An entry whose miner, owner and code are its own unless told."""
    return Entry(
        submission_id=name,
        hotkey=hotkey or f"hot-{name}",
        coldkey=coldkey or f"cold-{name}",
        commit_block=block,
        sequence_length=length,
        league=league,
        tokens_per_sec=score,
        weighted_score=score,
        speedup_vs_baseline=speedup,
        identity=identity or f"code-{name}",
        original=original,
    )


_drawn = st.tuples(
    st.floats(90, 110) | st.floats(1e-3, 1e9),
    st.integers(0, 4),
    st.sampled_from("ABCDEF"),
    st.sampled_from("XYZ"),
    st.sampled_from("pqrstuvw"),
    st.sampled_from([0.5, 1.01, 2.0]),
    st.sampled_from([300_000, 300_001]),
)


def _made(drawn: list[tuple[float, int, str, str, str, float, int]]):
    return [
        entry(
            f"{number:02d}",
            score,
            block=block,
            hotkey=hotkey,
            coldkey=coldkey,
            identity=identity,
            speedup=speedup,
            length=length,
        )
        for number, (
            score,
            block,
            hotkey,
            coldkey,
            identity,
            speedup,
            length,
        ) in enumerate(drawn)
    ]


def rounds() -> st.SearchStrategy[list[Entry]]:
    """The entries of a round, crowded enough to meet each other."""
    return st.lists(_drawn, max_size=10).map(_made)


gains = st.sampled_from([0.0, 0.015, 0.5])
