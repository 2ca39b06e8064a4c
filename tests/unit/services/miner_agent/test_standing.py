from uuid import UUID

from quasar_core.contracts.http import (
    Contender,
    ExplainedChallenge,
    ExplainedSubmission,
    Explanation,
    LevelFounder,
    Neighbour,
    ShareFactors,
)

from services.miner_agent.standing import told
from tests.support.played import NOW, hotkey_of, id_of, standings_row

MINE = ExplainedSubmission(
    submission_id=id_of(1),
    status="scored",
    league="200k",
    target_sequence_length=1_024,
    commit_block=5,
    tokens_per_sec=1_000.0,
    tokens_per_sec_low=900.0,
    tokens_per_sec_high=1_100.0,
    multiplier=0.75,
    weighted_score=750.0,
    speedup_vs_baseline=1.25,
    is_rerun=False,
    counted=True,
    reason="counted",
    sentence="It is the miner's entry on the ladder.",
)


def explanation(**changes):
    values = {
        "round_number": 1,
        "round_status": "open",
        "final": False,
        "hotkey": hotkey_of(1),
        "ranked": 2,
        "min_improvement": 0.1,
        "must_beat_baseline": True,
        "one_paid_per_coldkey": True,
        "records_only": False,
        "entry": None,
        "founder": None,
        "above": None,
        "below": None,
        "share": ShareFactors(
            paid_place=None,
            place_share=0.0,
            filled_places=1,
            unfilled_policy="burn",
            burn_share=0.4,
            share=0.0,
        ),
        "unpaid_reason": None,
        "unpaid_sentence": None,
        "paid_instead": None,
        "submissions": (MINE,),
    }
    return Explanation(**{**values, **changes})


def test_who_has_no_place_is_told_so_and_what_he_sent():
    assert told(explanation()) == [
        "round 1 (open): as if it ended now",
        "place:  none; nothing of yours counts yet",
        (
            f"  {id_of(1)} scored in 200k, 1,000 tokens/s (900 to 1,100):"
            " counted. It is the miner's entry on the ladder."
        ),
    ]


def test_a_copy_is_told_who_is_above_and_whose_level_it_is():
    lines = told(
        explanation(
            final=True,
            entry=standings_row(2, 1, 0.0, "not_a_founder"),
            founder=LevelFounder(
                submission_id=id_of(0),
                hotkey=hotkey_of(0),
                commit_block=3,
                weighted_score=700.0,
                is_me=False,
                same_code=True,
            ),
            above=Neighbour(
                place=1,
                submission_id=id_of(0),
                hotkey=hotkey_of(0),
                weighted_score=700.0,
                ahead_by=-0.05,
                score_to_pass=770.0,
            ),
            unpaid_reason="not_a_founder",
            unpaid_sentence="Somebody was first.",
            submissions=(),
        )
    )
    first = hotkey_of(0)
    assert lines == [
        "round 1 (open): final",
        f"place:  2 of 2, by submission {id_of(1)}",
        "score:  750 in league 200k, 1.25 x the baseline",
        (
            f"above:  {first} with 700, 5.00% slower than you; to pass,"
            " exceed 770"
        ),
        (
            f"level:  founded by {first}, with the same code (block 3,"
            f" submission {id_of(0)})"
        ),
        "share:  none. Somebody was first.",
    ]


def test_a_founder_is_told_his_share_and_who_is_below():
    lines = told(
        explanation(
            entry=standings_row(1, 1, 0.6),
            founder=LevelFounder(
                submission_id=id_of(1),
                hotkey=hotkey_of(1),
                commit_block=3,
                weighted_score=750.0,
                is_me=True,
                same_code=True,
            ),
            below=Neighbour(
                place=2,
                submission_id=UUID(int=9),
                hotkey=hotkey_of(2),
                weighted_score=900.0,
                ahead_by=0.2,
                score_to_pass=825.0,
            ),
            share=ShareFactors(
                paid_place=1,
                place_share=0.6,
                filled_places=1,
                unfilled_policy="burn",
                burn_share=0.4,
                share=0.6,
            ),
            submissions=(),
        )
    )
    assert lines[3:] == [
        (
            f"below:  {hotkey_of(2)} with 900, 20.00% faster than you; passes"
            " you above 825"
        ),
        "level:  yours; you founded it",
        "share:  60.00% for paid place 1 (60%); 1 of four filled, burn",
    ]


def test_a_challenge_is_told_from_the_side_of_who_asks():
    sides = {
        name: Contender(
            submission_id=id_of(number),
            hotkey=hotkey_of(number),
            league="200k",
            target_sequence_length=1_024,
            weighted_score=750.0,
        )
        for number, name in enumerate(("challenger", "defender"))
    }
    common = {
        **sides,
        "challenge_id": id_of(9),
        "outcome": None,
        "sentence": "So it is.",
        "ratio_low": None,
        "ratio_high": None,
        "fault_of": None,
        "code": None,
        "run_id": None,
        "asked_at": NOW,
        "decided_at": None,
    }
    decided = {
        "outcome": "won",
        "ratio_low": 1.25,
        "ratio_high": 1.5,
        "decided_at": NOW,
    }
    lines = told(
        explanation(
            submissions=(),
            challenges=(
                ExplainedChallenge(**common, side="challenger", won=None),
                ExplainedChallenge(
                    **{**common, **decided}, side="challenger", won=True
                ),
                ExplainedChallenge(
                    **{**common, **decided}, side="defender", won=False
                ),
            ),
        )
    )
    first, second = hotkey_of(0), hotkey_of(1)
    assert lines[2:] == [
        f"  {id_of(0)} challenged {second}: open. So it is.",
        (
            f"  {id_of(0)} challenged {second}: won on 2026-01-02 03:04, your"
            " score over his 1.2500 to 1.5000. So it is."
        ),
        (
            f"  {id_of(1)} was challenged by {first}: lost on 2026-01-02"
            " 03:04, his score over yours 1.2500 to 1.5000. So it is."
        ),
    ]
