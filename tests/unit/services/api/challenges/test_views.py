from datetime import timedelta
from uuid import UUID

import pytest
from quasar_core.domain.outcomes import Outcome
from quasar_core.domain.rounds import RoundSettings

from services.api.challenges.repository import Duel
from services.api.challenges.views import OUTCOME_SENTENCES, page, seen_by
from services.api.db.models import Challenge, Round, Submission
from tests.support.played import NOW, hotkey_of, id_of

ROUND = Round(
    number=3,
    status="evaluating",
    settings=RoundSettings(min_improvement=0.1).to_dict(),
)


def entry(number):
    return Submission(
        id=id_of(number),
        hotkey=hotkey_of(number),
        league="200k",
        target_sequence_length=1_024,
        weighted_score=750.0,
    )


def duel(number, outcome=None):
    row = Challenge(
        id=UUID(int=number),
        round_number=3,
        outcome=outcome,
        created_at=NOW,
        decided_at=NOW + timedelta(hours=1) if outcome else None,
    )
    return Duel(row, entry(1), entry(2))


@pytest.mark.parametrize(
    ("outcome", "challenger_won"),
    [(None, None), ("won", True), ("no_better", False), ("undecided", False)],
)
def test_one_of_the_two_wins_whenever_it_is_decided(outcome, challenger_won):
    attacks = seen_by(hotkey_of(1), duel(1, outcome))
    defends = seen_by(hotkey_of(2), duel(1, outcome))
    assert (attacks.side, attacks.won) == ("challenger", challenger_won)
    held = None if challenger_won is None else not challenger_won
    assert (defends.side, defends.won) == ("defender", held)


def test_every_outcome_has_a_sentence():
    assert set(OUTCOME_SENTENCES) == set(Outcome)


def test_a_page_says_what_it_takes_and_where_the_next_begins():
    duels = [duel(number) for number in (3, 2, 1)]
    first = page(ROUND, duels, 2)
    assert [one.challenge_id.int for one in first.challenges] == [3, 2]
    assert first.next_cursor == str(UUID(int=2))
    assert first.passes_above == pytest.approx(1.05)
    assert first.no_better_up_to == pytest.approx(1.1)
    assert page(ROUND, duels, 3).next_cursor is None
