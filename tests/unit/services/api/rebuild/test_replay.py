from datetime import UTC, datetime
from uuid import UUID

import pytest
from quasar_core.domain.rounds import RoundSettings

from services.api.db.records import LogRow
from services.api.rebuild.replay import replay

ID = UUID(int=7)
HOTKEY = "5" + "A" * 47
SETTINGS = RoundSettings(must_beat_baseline=False).to_dict()
ENTRY = {
    "hotkey": HOTKEY,
    "coldkey": "c",
    "fork_url": "https://github.com/h/f",
    "commit_hash": "a" * 40,
    "target_sequence_length": 300_000,
    "league": "300k",
    "multiplier": 1.0,
    "commit_block": 5,
    "is_rerun": False,
    "claimed_tokens_per_sec": None,
    "identity": None,
    "tree_hash": None,
}
SCORE = {
    "tokens_per_sec": 10.0,
    "tokens_per_sec_low": 9.0,
    "tokens_per_sec_high": 11.0,
    "speedup_vs_baseline": 2.0,
    "weighted_score": 10.0,
    "identity": "i",
    "tree_hash": "t",
    "run_id": "run-1",
}


def log(*rows):
    return [
        LogRow(
            sequence=number,
            submission_id=ID,
            round_number=1,
            actor="test",
            occurred_at=datetime(2027, 1, 2, tzinfo=UTC),
            **{**dict.fromkeys(("from_status", "to_status", "stage")), **row},
        )
        for number, row in enumerate(rows, start=1)
    ]


def moved(start, end, **evidence):
    return {
        "kind": "moved",
        "from_status": start,
        "to_status": end,
        "evidence": evidence,
    }


def turned(start, end, **evidence):
    return {**moved(start, end, **evidence), "kind": "round"}


OPENED = turned(None, "open", settings=SETTINGS, block=3)
ENTERED = moved(None, "queued", **ENTRY)
RUN = (
    ENTERED,
    moved("queued", "benchmarking"),
    moved("benchmarking", "verifying", **SCORE),
    moved("verifying", "scored", tokens_per_sec=99.0),
)


def found(*rows):
    return [str(one) for one in replay(log(*rows)).findings]


def test_a_life_becomes_facts_and_a_round_freezes_them():
    shares = {HOTKEY: 1.0}
    books = replay(
        log(
            OPENED,
            *RUN,
            turned("open", "evaluating", block=9),
            turned("evaluating", "finalised", block=9, shares=shares),
        )
    )
    assert books.findings == []
    facts = books.submissions[ID]
    assert facts["status"] == "scored"
    assert facts["tokens_per_sec"] == 10.0, "a worker's word is no fact"
    (row,) = books.standings[1].rows
    assert (row.hotkey, row.share, row.founded_by) == (HOTKEY, 1.0, ID)
    assert books.rounds[1]["closes_at_block"] == 3 + SETTINGS["round_blocks"]
    board = books.contest(1).board(None, 9)
    assert board.rows[0].run_id == "run-1"


def test_what_is_judged_once_more_has_no_score_until_then():
    books = replay(
        log(
            OPENED,
            ENTERED,
            moved("queued", "benchmarking"),
            moved("benchmarking", "verifying", **SCORE),
            moved("verifying", "rejected", code="logits_mismatch"),
            moved("rejected", "queued", reason="again"),
        )
    )
    assert books.findings == []
    assert "code" not in books.submissions[ID]
    assert "tokens_per_sec" not in books.submissions[ID]


def test_a_sealed_submission_is_known_when_it_is_revealed():
    unknown = dict.fromkeys(ENTRY, None)
    hidden = {**unknown, "hotkey": HOTKEY, "coldkey": "c"}
    books = replay(
        log(
            moved(None, "committed", **hidden),
            moved("committed", "queued", **ENTRY),
        )
    )
    assert books.findings == []
    assert books.submissions[ID] == {
        **ENTRY,
        "status": "queued",
        "round_number": 1,
    }


def test_an_early_close_and_a_carried_submission_are_followed():
    carried = {
        "kind": "carried",
        "evidence": {"league": "200k", "multiplier": 0.75},
    }
    archived = {
        "kind": "stage",
        "stage": "fetch",
        "evidence": {"state": "archived", "identity": "i", "tree_hash": "t"},
    }
    rows = log(OPENED, ENTERED, carried, turned("open", "open", block=4))
    rows[2].round_number = 2
    rows += log(archived)
    books = replay(rows)
    facts = books.submissions[ID]
    assert (facts["round_number"], facts["league"]) == (2, "200k")
    assert facts["identity"] == "i"
    assert books.rounds[1]["closes_at_block"] == 4


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        (
            [moved("queued", "benchmarking")],
            f"row 1 of the log: tells of submission {ID}, which never entered",
        ),
        (
            [ENTERED, ENTERED],
            f"row 2 of the log: enters submission {ID} once more",
        ),
        (
            [ENTERED, moved("verifying", "scored")],
            (
                f"row 2 of the log: moves submission {ID} from verifying to"
                " scored, and it was queued"
            ),
        ),
        (
            [turned("open", "evaluating", block=3)],
            "row 1 of the log: turns round 1, which never opened",
        ),
        (
            [OPENED, turned("evaluating", "finalised", shares={}, block=3)],
            "row 2 of the log: turns round 1 from evaluating, and it was open",
        ),
        (
            [
                OPENED,
                *RUN,
                turned("open", "finalised", shares={"me": 1.0}, block=3),
            ],
            "row 6 of the log: tells other shares than the rules give",
        ),
        (
            [turned(None, "open", settings={}, block=3)],
            "row 1 of the log: cannot be replayed (KeyError)",
        ),
    ],
)
def test_what_cannot_have_happened_is_named(rows, expected):
    assert found(*rows) == [expected]
