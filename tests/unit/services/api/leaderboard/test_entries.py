from uuid import uuid4

import pytest
from quasar_core.domain.precedence import Commit, Precedence
from quasar_core.domain.rounds import RoundSettings

from services.api.db.models import Submission
from services.api.leaderboard.entries import entries_of, rank


def scored(hotkey, tokens_per_sec, **changes):
    values = {
        "id": uuid4(),
        "hotkey": hotkey,
        "coldkey": f"{hotkey}-cold",
        "commit_block": 5,
        "target_sequence_length": 1_000,
        "league": "200k",
        "tokens_per_sec": tokens_per_sec,
        "weighted_score": tokens_per_sec * 0.75,
        "speedup_vs_baseline": 2.0,
        "identity": hotkey,
    }
    return Submission(**{**values, **changes})


def test_an_entry_takes_its_precedence_from_its_first_commit():
    row = scored("a", 10.0)
    first = Commit("1", "a", "a-cold", "a", "200k", 2)
    (entry,) = entries_of([row], Precedence.of([first]))
    assert (entry.commit_block, entry.submission_id) == (2, str(row.id))
    assert entry.original
    (entry,) = entries_of([row], Precedence())
    assert entry.commit_block == 5


def test_an_entry_that_somebody_else_committed_first_is_no_original():
    row = scored("a", 10.0)
    first = Commit("1", "b", "b-cold", "a", "200k", 2)
    (entry,) = entries_of([row], Precedence.of([first]))
    assert (entry.original, entry.commit_block) == (False, 5)


@pytest.mark.parametrize(
    "missing",
    ["tokens_per_sec", "weighted_score", "speedup_vs_baseline", "identity"],
)
def test_a_missing_number_is_no_zero(missing):
    row = scored("a", 10.0)
    setattr(row, missing, None)
    with pytest.raises(ValueError, match="without a"):
        entries_of([row], Precedence())


def test_who_is_paid_has_a_share_and_who_is_not_has_none():
    rows = [
        scored(name, speed)
        for name, speed in zip("abcde", range(5, 0, -1), strict=True)
    ]
    settings = RoundSettings(must_beat_baseline=False)
    ranking = rank(entries_of(rows, Precedence()), settings)
    shares = [ranking.share_of(placing) for placing in ranking.placings]
    assert shares == pytest.approx([0.6, 0.25, 0.1, 0.05, 0])
