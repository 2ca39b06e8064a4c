from quasar_core.contracts.http import Standings
from quasar_core.domain.ladder import UnpaidReason
from quasar_core.domain.rounds import RoundSettings
from quasar_core.domain.submissions import Status

from services.api.leaderboard.explaining import (
    STATUS_SENTENCES,
    UNPAID_SENTENCES,
    Case,
    explain,
)
from tests.support.played import hotkey_of, standings_row

EMPTY = Standings(
    round_number=1, status="open", final=False, log_hash=None, rows=()
)


def test_every_reason_has_a_sentence():
    assert set(UnpaidReason) <= set(UNPAID_SENTENCES)
    told = {Status.SCORED, Status.REJECTED}
    assert set(Status) - told <= set(STATUS_SENTENCES)


def test_no_administrator_is_blamed_for_what_was_set_aside_by_itself():
    assert "below what its GPU allows" in STATUS_SENTENCES[Status.QUARANTINED]


def test_who_has_no_place_has_no_neighbour_no_level_and_no_share():
    case = Case(EMPTY, RoundSettings(), hotkey_of(1), (), None)
    found = explain(case)
    assert (found.entry, found.above, found.below) == (None, None, None)
    assert (found.founder, found.share.share) == (None, 0.0)


def test_neighbours_are_told_with_what_it_takes_to_pass():
    rows = tuple(standings_row(place, place, 0.0) for place in (1, 2, 3))
    case = Case(
        EMPTY.model_copy(update={"rows": rows}),
        RoundSettings(min_improvement=0.1),
        hotkey_of(2),
        (),
        None,
    )
    found = explain(case)
    assert found.above is not None
    assert found.below is not None
    assert (found.above.place, found.below.place) == (1, 3)
    assert found.above.ahead_by == 0.0
    assert found.above.score_to_pass == 1.1 * 750.0
