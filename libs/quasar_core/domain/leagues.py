"""Leagues: the context-length brackets that weight a score."""

from __future__ import annotations

from dataclasses import dataclass

from quasar_core.errors import QuasarError

DEFAULT_LEAGUE_UNIT = 100_000
DEFAULT_MAX_SEQUENCE_LENGTH = 2_000_000

MULTIPLIERS: tuple[tuple[str, float], ...] = (
    ("100k", 0.5),
    ("200k", 0.75),
    ("300k", 1.0),
    ("400k", 1.25),
    ("500k", 1.5),
    ("600k", 1.75),
    ("700k", 2.0),
    ("800k", 2.25),
    ("900k", 2.5),
    ("1M", 3.0),
)
"""Nominal name and multiplier; the n-th league begins at n units."""


class BelowSmallestLeague(QuasarError, ValueError):
    """The sequence is shorter than the smallest league asks for."""


class AboveLargestLength(QuasarError, ValueError):
    """The sequence is longer than the round judges."""


@dataclass(frozen=True)
class League:
    """A bracket: sequences of `smallest_length` tokens and more."""

    name: str
    smallest_length: int
    multiplier: float


def leagues(unit: int = DEFAULT_LEAGUE_UNIT) -> tuple[League, ...]:
    """The ten leagues, ascending, at `unit` tokens a step.

    The names stay the nominal ones at every unit, so that a laptop plays
    the same ten leagues. Raises ValueError for a unit below 1.
    """
    if unit < 1:
        raise ValueError(f"a league unit is at least 1 token, not {unit}")
    return tuple(
        League(name, step * unit, multiplier)
        for step, (name, multiplier) in enumerate(MULTIPLIERS, start=1)
    )


def league_for(
    sequence_length: int, unit: int = DEFAULT_LEAGUE_UNIT
) -> League:
    """The highest league that `sequence_length` (in tokens) reaches.

    Raises BelowSmallestLeague where it reaches none.
    """
    ladder = leagues(unit)
    if sequence_length < unit:
        raise BelowSmallestLeague(
            f"{sequence_length} tokens are fewer than the {unit} of the"
            f" smallest league, {ladder[0].name}"
        )
    return ladder[min(sequence_length // unit, len(ladder)) - 1]


def admit(
    sequence_length: int,
    unit: int = DEFAULT_LEAGUE_UNIT,
    max_sequence_length: int = DEFAULT_MAX_SEQUENCE_LENGTH,
) -> League:
    """The league of a length that may be submitted.

    Raises BelowSmallestLeague or AboveLargestLength.
    """
    if sequence_length > max_sequence_length:
        raise AboveLargestLength(
            f"{sequence_length} tokens are more than the"
            f" {max_sequence_length} that this round judges"
        )
    return league_for(sequence_length, unit)


def weighted_score(tokens_per_sec: float, league: League) -> float:
    """What an entry is ranked by: measured tokens/s times the multiplier."""
    return tokens_per_sec * league.multiplier
