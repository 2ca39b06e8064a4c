"""The audit's story: what is compared, and what is made of it."""

from __future__ import annotations

from uuid import UUID

import pytest
from quasar_core.contracts.http import RoundView, Standings
from quasar_core.contracts.reports import Source
from quasar_core.domain.audits import Rejudged
from quasar_core.errors import TransientError

from deploy.local.audit import NothingToAudit, audit_round, final_round, sample
from tests.support.api_server import (
    round_view,
    standings,
    standings_row,
    submission_view,
)
from tests.support.judged import a_source, a_timing
from tests.support.wallets import address

FINAL = standings(
    rows=tuple(
        standings_row(place, share, name)
        for place, (share, name) in enumerate(
            [(0.6, "first"), (0.25, "second"), (0.15, "third")], start=1
        )
    )
)


class Archive:
    """An API with one final round of three, each with a source of his own."""

    def __init__(self) -> None:
        self.board: Standings = FINAL
        self.latest: int | None = 1
        self.sources = {
            row.submission_id: a_source(f"name = {row.hotkey!r}\n")
            for row in FINAL.rows
        }
        self.views = {}
        for row in FINAL.rows:
            source = self.sources[row.submission_id]
            self.views[row.submission_id] = submission_view(
                row.submission_id,
                hotkey=row.hotkey,
                identity=source.identity,
                tree_hash=source.tree_hash,
                timing=a_timing(512, 512 / row.tokens_per_sec),
            )

    def current_round(self) -> RoundView:
        return round_view(latest_finalised_round=self.latest)

    def round(self, round_number: int) -> RoundView:
        return round_view(round_number=round_number)

    def standings(self, _: int) -> Standings:
        return self.board

    def submission(self, submission_id: UUID):
        return self.views[submission_id]

    def source(self, submission_id: UUID):
        return self.sources[submission_id]

    def doctor(self, place: int, **changes) -> None:
        rows = list(self.board.rows)
        rows[place - 1] = rows[place - 1].model_copy(update=changes)
        self.board = self.board.model_copy(update={"rows": tuple(rows)})


@pytest.fixture
def archive() -> Archive:
    return Archive()


@pytest.fixture
def run(archive):
    judged: list[tuple[Source, int]] = []
    verdict = Rejudged(tokens_per_sec=9.0, speedup_vs_baseline=2.1)

    def judge(source, sequence_length, current):
        assert current.round_number == 1
        judged.append((source, sequence_length))
        if isinstance(run.verdict, Exception):
            raise run.verdict
        return run.verdict

    def run(size=3, **options):
        options = {"seed": 7, "tolerance": 0.25} | options
        return audit_round(
            archive,
            judge,
            round_number=1,
            size=size,
            tell=run.told.append,
            **options,
        )

    run.verdict, run.told, run.judged = verdict, [], judged
    return run


def outcomes(audit) -> list[str]:
    return [each.outcome for each in audit.findings]


def test_honest_standings_agree(run):
    audit = run()

    assert outcomes(audit) == ["agrees"] * 3
    assert [length for _, length in run.judged] == [512] * 3
    assert run.told[0].startswith("1 of 3: place 1, ")


def test_a_sample_is_drawn_by_its_seed(run):
    (one,) = run(size=1, seed=3).findings
    (again,) = run(size=1, seed=3).findings

    assert one == again
    assert len(run.judged) == 2


@pytest.mark.parametrize(
    ("doctored", "why"),
    [
        ({"speedup_vs_baseline": 5.0}, "5.000 x the baseline stand, 2.100"),
        ({"tokens_per_sec": 2_000.0}, "its own samples amount to 1000"),
        ({"weighted_score": 900.0}, "a weighted score of 900"),
        ({"league": "1M"}, "league 1M stands, the submission has 100k"),
        ({"hotkey": address("thief")}, "hotkey "),
    ],
)
def test_a_doctored_standing_is_found(archive, run, doctored, why):
    archive.doctor(1, **doctored)

    audit = run()

    assert outcomes(audit) == ["disagrees", "agrees", "agrees"]
    assert why in " ".join(audit.findings[0].reasons)


def test_a_source_that_was_swapped_is_found(archive, run):
    archive.sources[UUID(int=2)] = a_source("other = 1\n")

    audit = run()

    assert outcomes(audit) == ["agrees", "disagrees", "agrees"]
    assert len(audit.findings[1].reasons) == 2
    assert "the archived files have identity" in audit.findings[1].reasons[0]


def test_another_verdict_is_found(run):
    run.verdict = Rejudged(rejection="output_mismatch")

    (found,) = run(size=1).findings

    assert found.outcome == "disagrees"
    assert found.reasons == ("it is rejected here: output_mismatch",)


def test_what_cannot_be_judged_is_neither(archive, run):
    run.verdict = TransientError("the machine is busy")
    archive.doctor(3, weighted_score=1.0)

    audit = run()

    assert outcomes(audit) == ["not_audited", "not_audited", "disagrees"]
    assert audit.findings[0].reasons == (
        "it could not be judged here: the machine is busy",
    )


def test_a_submission_that_shows_no_samples_is_judged_all_the_same(
    archive, run
):
    archive.views = {
        key: view.model_copy(update={"timing": None})
        for key, view in archive.views.items()
    }

    assert outcomes(run()) == ["agrees"] * 3


def test_samples_that_amount_to_nothing_are_found(archive, run):
    views = archive.views
    for key, view in views.items():
        timing = view.timing.model_copy(update={"samples": (1.0,)})
        views[key] = view.model_copy(update={"timing": timing})

    audit = run(size=1)

    assert outcomes(audit) == ["disagrees"]
    assert "its own samples amount to nan" in audit.findings[0].reasons[0]


def test_people_and_machines_read_the_same(archive, run):
    archive.doctor(2, speedup_vs_baseline=5.0)

    audit = run()
    lines, value = audit.as_lines(), audit.as_dict()

    assert lines[0] == "round 1: 3 of 3 standings again (seed 7)"
    assert lines[2].split() == [
        *("1", str(UUID(int=1)), "2.00x", "2.10x", "agrees")
    ]
    assert "more than 25% apart" in lines[4]
    assert (value["seed"], value["tolerance"]) == (7, 0.25)
    assert [each["outcome"] for each in value["findings"]] == outcomes(audit)
    run.verdict = TransientError("busy")
    assert run(size=1).as_lines()[2].split()[-2:] == ["-", "not_audited"]


def test_a_round_that_is_not_final_or_empty_is_nothing_to_audit(archive, run):
    archive.board = FINAL.model_copy(update={"final": False})
    with pytest.raises(NothingToAudit, match="not final yet"):
        run()
    archive.board = FINAL.model_copy(update={"rows": ()})
    with pytest.raises(NothingToAudit, match="nobody stands"):
        run()


def test_the_newest_final_round_is_audited_unless_another_is_named(archive):
    assert final_round(archive, None) == 1
    assert final_round(archive, 9) == 9
    archive.latest = None
    with pytest.raises(NothingToAudit, match="no round is final yet"):
        final_round(archive, None)


def test_a_seed_tells_which_rows_are_looked_at():
    rows = tuple(range(100))

    chosen = sample(rows, 5, seed=7)

    assert chosen == sample(rows, 5, seed=7) == tuple(sorted(set(chosen)))
    assert len(chosen) == 5
    assert chosen != sample(rows, 5, seed=8)


@pytest.mark.parametrize("size", [3, 4, 99])
def test_a_sample_as_large_as_all_is_all(size):
    assert sample(("a", "b", "c"), size, seed=1) == ("a", "b", "c")


def test_a_sample_of_nothing_is_none():
    with pytest.raises(ValueError, match="one standing at least"):
        sample(("a",), 0, seed=1)
