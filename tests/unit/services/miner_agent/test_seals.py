"""Which sealed submission is meant; the whole way is an integration test."""

from dataclasses import replace
from uuid import UUID

import pytest
from quasar_core.execution.git import create_repository, head

from services.miner_agent.journal import Journal, Step
from services.miner_agent.sealing import SealEnded, Tools
from services.miner_agent.seals import Wish, resume, submit_sealed
from services.miner_agent.taking_part import NotSent
from tests.support.api_server import round_view, submission_view
from tests.support.wallets import address
from tests.unit.services.miner_agent.test_journal import a_page
from tests.unit.services.miner_agent.test_sealing import (
    ACCEPTED,
    ID,
    Scripted,
)

KERNEL = b"def chunk_quasar(q, k, v, beta):\n    return v, None\n"
ROUND = round_view(current_block=99)
WISH = Wish(address("miner"), "https://github.com/miner/fork", None, 1_000, "")


@pytest.fixture
def fork(tmp_path):
    create_repository(
        tmp_path / "fork", {"fla/ops/quasar/__init__.py": KERNEL}
    )
    return tmp_path / "fork"


@pytest.fixture
def tools(fork, tmp_path):
    def made(**answers):
        journal = Journal(tmp_path / "journal")
        return Tools(
            Scripted(**answers),  # type: ignore[arg-type]
            journal,
            fork,
            lambda _: None,
            lambda _: None,
        )

    return made


@pytest.mark.parametrize(
    ("status", "round_number", "is_new"),
    [
        ("queued", 2, False),
        ("scored", 2, False),
        ("infra_failed", 2, True),
        ("scored", 1, True),
    ],
)
def test_a_commit_is_sealed_again_only_where_the_round_takes_it_again(
    tools, fork, status, round_number, is_new
):
    view = submission_view(ID, status=status, round_number=round_number)
    commit = [ACCEPTED.model_copy()]
    made = tools(submission=[view], reveal=[ACCEPTED], commit=commit)
    made.journal.put(
        a_page(step=Step.REVEALED, commit_hash=head(fork), submission_id=ID)
    )
    if is_new:
        # a commitment's answer has blocks, which this one lacks
        with pytest.raises(AttributeError):
            submit_sealed(made, ROUND, WISH)
    else:
        assert submit_sealed(made, ROUND, WISH)[0] == ACCEPTED
    assert len(made.journal.pages()) == 1 + is_new


def test_what_opens_first_is_resumed_first(tools):
    view = submission_view(UUID(int=7), status="committed")
    made = tools(
        current_round=[ROUND] * 2,
        submission=[view] * 2,
        reveal=[ACCEPTED] * 2,
    )
    for digit, block in (("a", 20), ("b", 10)):
        made.journal.put(
            a_page(
                step=Step.COMMITTED,
                remote=None,
                commitment_hash=digit * 64,
                reveal_from_block=block,
                reveal_until_block=190,
                submission_id=view.submission_id,
            )
        )
    done = resume(made, ROUND, address("miner"))
    assert [page.commitment_hash[0] for _, page in done] == ["b", "a"]


def test_one_that_has_ended_keeps_no_other_from_being_resumed(tools):
    made = tools(
        current_round=[ROUND] * 2,
        submission=[submission_view(ID, status="committed")],
        reveal=[ACCEPTED],
    )
    for digit, block, last in (("a", 10, 30), ("b", 20, 190)):
        made.journal.put(
            a_page(
                step=Step.COMMITTED,
                remote=None,
                commitment_hash=digit * 64,
                reveal_from_block=block,
                reveal_until_block=last,
                submission_id=ID,
            )
        )
    told: list[str] = []
    made = replace(made, tell=told.append)
    with pytest.raises(SealEnded, match="until block 30"):
        resume(made, ROUND, address("miner"))
    steps = {p.commitment_hash[0]: p.step for p in made.journal.pages()}
    assert steps == {"a": Step.LOST, "b": Step.REVEALED}
    ended, revealed = told
    assert ended.startswith(f"{ID}: it could be revealed until block 30")
    assert revealed == f"revealed as {ID}"
    assert resume(made, ROUND, address("miner")) == []


def test_a_remote_that_git_does_not_know_is_refused(tools, fork):
    wish = Wish(WISH.hotkey, WISH.fork_url, "origin", 1_000, "")
    made = tools()
    with pytest.raises(NotSent, match="git remote add origin URL"):
        submit_sealed(made, ROUND, wish)
    assert made.journal.pages() == []
