"""Pages: boards, standings and weights as bytes, one to a name."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import suppress

from quasar_core.contracts.http import Standings, StandingsRow
from quasar_core.domain.leagues import MULTIPLIERS
from quasar_core.domain.rounds import RoundStatus
from sqlalchemy import select
from sqlalchemy.orm import Session

from services.api.db.models import Round
from services.api.leaderboard import service
from services.api.leaderboard.contest import Contest, contest_of
from services.api.rebuild.books import UNREADABLE, Books

Pages = Mapping[str, bytes]

ALL_ROWS = 1_000_000


def pages_of_tables(session: Session) -> Pages:
    """What the API shows of every round; nothing where it cannot."""
    pages: dict[str, bytes] = {}
    for row in session.scalars(select(Round).order_by(Round.number)).all():
        with suppress(*UNREADABLE):
            shown = service.standings(session, row)
            pages.update(_of_round(contest_of(session, row), shown))
    return pages


def pages_of_books(books: Books, hashes: Mapping[int, str]) -> Pages:
    """The same from the log alone.

    `hashes`: of each final round, the block that covers its end.
    """
    pages: dict[str, bytes] = {}
    for number in sorted(books.rounds):
        with suppress(*UNREADABLE):
            shown = _shown(books, number, hashes.get(number))
            pages.update(_of_round(books.contest(number), shown))
    return pages


def _shown(books: Books, number: int, log_hash: str | None) -> Standings:
    frozen = books.standings.get(number)
    if frozen is not None:
        rows, burn_share = frozen.rows, frozen.burn_share
    else:
        ranking = books.contest(number).ranking()
        rows, burn_share = ranking.rows(), ranking.rewards.burn
    return Standings(
        round_number=number,
        status=books.rounds[number]["status"],
        final=frozen is not None,
        log_hash=log_hash,
        rows=rows,
        burn_share=burn_share,
    )


def _of_round(
    contest: Contest, standings: Standings
) -> Iterator[tuple[str, bytes]]:
    folder = f"round-{contest.row.number}"
    yield f"{folder}/standings.json", standings.model_dump_json().encode()
    for league in (None, *(name for name, _ in MULTIPLIERS)):
        board = contest.board(league, ALL_ROWS)
        name = f"leaderboard-{league}" if league else "leaderboard"
        yield f"{folder}/{name}.json", board.model_dump_json().encode()
    if contest.row.status not in (RoundStatus.OPEN, RoundStatus.EVALUATING):
        yield (
            f"{folder}/weights.json",
            _weights(standings.rows, standings.burn_share),
        )


def _weights(rows: tuple[StandingsRow, ...], burn_share: float) -> bytes:
    """What a validator has to set: shares by hotkey, and what burns."""
    shares = {row.hotkey: row.share for row in rows if row.share > 0}
    return json.dumps(
        {"shares": shares, "burn_share": burn_share},
        sort_keys=True,
        separators=(",", ":"),
    ).encode()
