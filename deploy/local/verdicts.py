"""Whether every miner of the demo got what he deserves."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from quasar_core.contracts.http import LeaderboardRow, SubmissionView

from deploy.local.miners.kinds import Kind

BEHIND = {"honest_slow": "honest_fast", "copy": "honest_fast"}
"""Who must not stand above whom: a gap of at least three times, and the
rule that a copy never passes its original."""


@dataclass(frozen=True)
class Played:
    """A miner of the demo and what became of his submission."""

    kind: Kind
    view: SubmissionView

    @property
    def code(self) -> str | None:
        """Why he was rejected, if he was."""
        verdict = self.view.verdict
        return verdict.rejection.code.value if verdict else None

    @property
    def sentence(self) -> str:
        """The same in plain words."""
        return self.view.verdict.sentence if self.view.verdict else ""


def injustices(
    played: Sequence[Played], board: Sequence[LeaderboardRow]
) -> tuple[str, ...]:
    """What is not as it should be, a sentence each; none if all is well."""
    places = {row.hotkey: row.place for row in board}
    by_kind = {one.kind.name: one.view.hotkey for one in played}
    return (
        *_wrong_verdicts(played),
        *_wrong_order(places, by_kind),
        *_wrong_rows(places, played),
    )


def _wrong_verdicts(played: Sequence[Played]) -> Iterator[str]:
    for one in played:
        code = one.kind.code.value if one.kind.code else None
        deserved = (one.kind.status.value, code)
        if (one.view.status, one.code) != deserved:
            yield (
                f"{one.kind.name} ended {_said(one.view.status, one.code)}"
                f" and deserves {_said(*deserved)}"
            )


def _wrong_order(
    places: Mapping[str, int], by_kind: Mapping[str, str]
) -> Iterator[str]:
    for lower, upper in BEHIND.items():
        below = places.get(by_kind.get(lower, ""))
        above = places.get(by_kind.get(upper, ""))
        if below is not None and above is not None and below < above:
            yield f"{lower} stands above {upper}"


def _wrong_rows(
    places: Mapping[str, int], played: Sequence[Played]
) -> Iterator[str]:
    for one in played:
        ranked = one.view.hotkey in places
        if ranked and one.kind.code is not None:
            yield f"{one.kind.name} is on the leaderboard"
        if not ranked and one.kind.code is None:
            yield f"{one.kind.name} is missing from the leaderboard"


def _said(status: str, code: str | None) -> str:
    return f"{status} ({code})" if code else status
