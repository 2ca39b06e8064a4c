from uuid import UUID

from quasar_core.domain.rounds import RoundSettings

from services.api.rebuild.books import Books

KNOWN = {
    "hotkey": "h",
    "coldkey": "c",
    "identity": "i",
    "league": "300k",
}


def test_whoever_committed_first_in_any_round_keeps_the_block():
    books = Books()
    for number, (status, block) in enumerate(
        [("rejected", 4), ("invalidated", 1), ("scored", 9)]
    ):
        books.submissions[UUID(int=number)] = {
            **KNOWN,
            "status": status,
            "round_number": 2,
            "commit_block": block,
        }
    books.rounds[2] = {
        "number": 2,
        "status": "open",
        "settings": RoundSettings().to_dict(),
    }
    contest = books.contest(2)
    assert contest.precedence.block_of("h", "i", "300k", otherwise=9) == 4
    assert not contest.precedence.is_original("x", "x", "i", "300k")
    assert [row.id for row in contest.scored] == [UUID(int=2)]
