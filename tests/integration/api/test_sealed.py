"""Commit and reveal on both engines: by the book, and by thieves (D7)."""

# pylint: disable=redefined-outer-name

from concurrent.futures import ThreadPoolExecutor
from uuid import UUID

import pytest
from quasar_core.chain.chain import ChainUnavailable

from services.api.commitments.service import expire_overdue
from services.api.submissions import repository
from tests.support.api import make_world, submission
from tests.support.judged import a_source, judge, play
from tests.support.sealed import WINDOW, Seal, withdraw
from tests.support.wallets import address

SEALED = (
    "fork_url",
    "commit_hash",
    "target_sequence_length",
    "league",
    "multiplier",
    "position",
)


def make_sealing(url, directory):
    """A world whose commitments open after ten blocks, for twenty more."""
    for made in make_world(url, directory, **WINDOW):
        made.open_round()
        made.register("alice")
        made.register("bob")
        made.blocks(5)
        yield made


@pytest.fixture
def sealing(sqlite_url, tmp_path):
    yield from make_sealing(sqlite_url, tmp_path)


@pytest.fixture
def sealing_on_both(database_url, tmp_path):
    """For what the two engines lock, count or order each in its way."""
    yield from make_sealing(database_url, tmp_path)


def _id(row):
    return UUID(row["submission_id"])


def refused(answer, status, code):
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    return answer.json()["detail"]


def moves(world, submission_id):
    with world.database.read() as session:
        rows = repository.history(session, submission_id, 0)
    return [(row.actor, row.from_status, row.to_status) for row in rows]


def test_what_is_sealed_is_revealed_and_judged_in_the_order_of_its_commit(
    sealing_on_both,
):
    seal = Seal("alice")
    answer = seal.commit(sealing_on_both)
    told = answer.json()
    assert answer.status_code == 202
    assert told["status"] == "committed"
    assert (
        told["commit_block"],
        told["reveal_from_block"],
        told["reveal_until_block"],
    ) == (5, 15, 35)
    assert told["quota"] == {
        "waiting_in_league": None,
        "waiting_in_league_limit": 1,
        "judged_this_round": 1,
        "judged_this_round_limit": 12,
        "unrevealed": 1,
        "unrevealed_limit": 2,
    }
    sealing_on_both.blocks(5)
    fast = play(sealing_on_both, "bob", 0.5, text="x = 2\n")
    sealing_on_both.blocks(5)

    revealed = seal.reveal(sealing_on_both, tokens_per_sec=99.0)

    assert revealed.status_code == 202, revealed.text
    body = revealed.json()
    assert body["submission_id"] == told["submission_id"]
    assert (body["status"], body["league"], body["position"]) == (
        "queued",
        "200k",
        1,
    )
    assert body["quota"]["judged_this_round"] == 1
    assert body["quota"]["unrevealed"] == 0
    (mine,) = sealing_on_both.client.get("/submissions?status=queued").json()[
        "submissions"
    ]
    judge(sealing_on_both, _id(mine), 0.5, a_source("x = 3\n"))
    board = sealing_on_both.client.get("/leaderboard").json()["rows"]
    assert [row["submission_id"] for row in board] == [
        told["submission_id"],
        str(fast),
    ]
    view = sealing_on_both.view(_id(mine))
    assert view["claimed_tokens_per_sec"] == 99.0
    assert view["commit_block"] == 5
    assert view["commitment"]["salt"] == seal.salt
    assert moves(sealing_on_both, _id(mine))[:2] == [
        (f"miner:{address('alice')}", None, "committed"),
        (f"miner:{address('alice')}", "committed", "queued"),
    ]


def test_until_then_nothing_of_it_is_known_to_anyone(sealing):
    seal = Seal("alice")
    submission_id = seal.committed(sealing)
    refused(seal.reveal(sealing), 425, "reveal_too_early")
    view = sealing.view(submission_id)
    assert {name: view[name] for name in SEALED} == dict.fromkeys(SEALED)
    assert view["commitment"] == {
        "commitment_hash": seal.commitment,
        "reveal_from_block": 15,
        "reveal_until_block": 35,
        "salt": None,
    }
    hidden = (seal.sealed["fork_url"], seal.sealed["commit_hash"], seal.salt)
    for path in (
        f"/submissions/{submission_id}",
        "/submissions",
        "/get_submission_stats",
        f"/submissions?commitment_hash={seal.commitment}",
    ):
        text = sealing.client.get(path).text
        assert str(submission_id) in text or path == "/get_submission_stats"
        assert not any(word in text for word in hidden)
    with sealing.database.read() as session:
        rows = repository.history(session, submission_id, 0)
        told = str([row.evidence for row in rows])
    assert not any(word in told for word in hidden)
    assert seal.commitment in told


@pytest.mark.parametrize(
    ("height", "status"), [(14, 425), (15, 202), (35, 202), (36, 410)]
)
def test_d7_the_window_is_open_at_both_of_its_ends_and_not_beyond(
    sealing, height, status
):
    seal = Seal("alice")
    submission_id = seal.committed(sealing)
    sealing.blocks(height - 5)
    answer = seal.reveal(sealing)
    assert answer.status_code == status, answer.text
    expected = {425: "committed", 202: "queued", 410: "expired"}[status]
    assert sealing.status(submission_id) == expected
    if status == 425:
        assert "from block 15" in answer.json()["detail"]


def test_d7_a_late_reveal_is_written_down_as_the_expiry(sealing_on_both):
    seal = Seal("alice")
    submission_id = seal.committed(sealing_on_both)
    sealing_on_both.blocks(31)
    detail = refused(seal.reveal(sealing_on_both), 410, "reveal_too_late")
    assert "until block 35" in detail
    assert moves(sealing_on_both, submission_id)[-1] == (
        "scheduler",
        "committed",
        "expired",
    )
    refused(seal.reveal(sealing_on_both), 410, "reveal_too_late")
    refused(seal.commit(sealing_on_both), 409, "commitment_repeated")
    assert len(moves(sealing_on_both, submission_id)) == 2
    assert (
        Seal("alice", salt="cd" * 16).commit(sealing_on_both).status_code
        == 202
    )


def test_d7_a_stolen_commitment_opens_for_nobody_else(sealing_on_both):
    seal = Seal("alice")
    mine = seal.committed(sealing_on_both)
    stolen = {"commitment_hash": seal.commitment}
    theirs = sealing_on_both.post("bob", "/commit_submission", stolen)
    assert theirs.status_code == 202
    sealing_on_both.blocks(10)
    refused(seal.reveal(sealing_on_both, by="bob"), 400, "commitment_mismatch")
    assert seal.reveal(sealing_on_both).status_code == 202
    # what was revealed is public now, and still not his
    refused(seal.reveal(sealing_on_both, by="bob"), 400, "commitment_mismatch")
    assert sealing_on_both.status(mine) == "queued"
    assert sealing_on_both.view(_id(theirs.json()))["fork_url"] is None


def test_d7_a_commitment_that_is_not_ones_own_is_not_there(sealing):
    seal = Seal("alice")
    seal.committed(sealing)
    sealing.blocks(10)
    refused(seal.reveal(sealing, by="bob"), 404, "not_found")
    body = {**seal.opening, "miner_hotkey": address("alice")}
    answer = sealing.post("bob", "/reveal_submission", body)
    refused(answer, 403, "hotkey_mismatch")


@pytest.mark.parametrize(
    "other",
    [
        {"commit_hash": "f" * 40},
        {"fork_url": "https://github.com/mallory/flash-linear-attention"},
        {"target_sequence_length": 1_001},
        {"salt": "cd" * 16},
    ],
)
def test_d7_something_else_than_was_sealed_is_refused(sealing, other):
    seal = Seal("alice")
    submission_id = seal.committed(sealing)
    sealing.blocks(10)
    refused(seal.reveal(sealing, **other), 400, "commitment_mismatch")
    assert sealing.status(submission_id) == "committed"
    assert seal.reveal(sealing).status_code == 202
    refused(seal.reveal(sealing, **other), 400, "commitment_mismatch")


def test_d7_a_salt_seals_once(sealing_on_both):
    first = Seal("alice")
    first.committed(sealing_on_both)
    again = Seal("alice", fields={"target_sequence_length": 500})
    again_id = again.committed(sealing_on_both)
    theirs = Seal("bob")
    theirs.committed(sealing_on_both)
    sealing_on_both.blocks(10)
    assert first.reveal(sealing_on_both).status_code == 202
    detail = refused(again.reveal(sealing_on_both), 409, "salt_reused")
    assert "commit anew" in detail
    assert sealing_on_both.status(again_id) == "committed"
    # nobody spoils somebody else's salt by using it first
    assert theirs.reveal(sealing_on_both).status_code == 202


def test_d7_what_is_revealed_twice_is_one_submission(sealing):
    seal = Seal("alice")
    submission_id = seal.committed(sealing)
    sealing.blocks(10)
    answers = [seal.reveal(sealing) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [202, 200]
    assert answers[1].json()["submission_id"] == str(submission_id)
    assert len(moves(sealing, submission_id)) == 2
    refused(seal.commit(sealing), 409, "commitment_repeated")


def test_many_at_once_reveal_once(sealing_on_both):
    seal = Seal("alice")
    submission_id = seal.committed(sealing_on_both)
    sealing_on_both.blocks(10)
    with ThreadPoolExecutor(4) as pool:
        answers = list(
            pool.map(lambda _: seal.reveal(sealing_on_both), range(4))
        )
    assert sorted(a.status_code for a in answers) == [200, 200, 200, 202]
    assert len(moves(sealing_on_both, submission_id)) == 2


def test_two_commitments_at_most_wait_whoever_commits_at_once(sealing_on_both):
    seals = [Seal("alice", salt=f"{n:02x}" * 16) for n in range(4)]
    with ThreadPoolExecutor(4) as pool:
        answers = list(
            pool.map(lambda seal: seal.commit(sealing_on_both), seals)
        )
    assert sorted(a.status_code for a in answers) == [202, 202, 429, 429]


def test_a_commitment_counts_whether_it_is_revealed_or_not(sealing_on_both):
    def used():
        return Seal("alice", salt="ff" * 16).commit(sealing_on_both).json()

    first = Seal("alice", salt="01" * 16).committed(sealing_on_both)
    second = Seal("alice", salt="02" * 16)
    second.committed(sealing_on_both)
    refused(
        Seal("alice", salt="03" * 16).commit(sealing_on_both),
        429,
        "quota_exceeded",
    )
    gone = withdraw(sealing_on_both, "alice", first)
    assert gone.status_code == 200
    assert gone.json()["status"] == "withdrawn"
    assert gone.json()["quota"]["judged_this_round"] == 2
    assert gone.json()["league"] is None
    sealing_on_both.blocks(31)
    assert (
        expire_overdue(sealing_on_both.database, 36, sealing_on_both.clock())
        == 1
    )
    assert used()["quota"]["judged_this_round"] == 3


def test_a_withdrawn_commitment_stays_sealed(sealing):
    seal = Seal("alice")
    submission_id = seal.committed(sealing)
    assert withdraw(sealing, "alice", submission_id).status_code == 200
    sealing.blocks(10)
    refused(seal.reveal(sealing), 409, "conflict")
    refused(seal.commit(sealing), 409, "commitment_repeated")
    assert sealing.view(submission_id)["fork_url"] is None


def test_the_scheduler_lets_commitments_expire_once(sealing_on_both):
    ids = [Seal(name).committed(sealing_on_both) for name in ("alice", "bob")]
    sealing_on_both.blocks(30)
    sealing_on_both.scheduler.expire(sealing_on_both.clock())
    assert {sealing_on_both.status(one) for one in ids} == {"committed"}
    sealing_on_both.blocks(1)
    for _ in range(2):
        sealing_on_both.scheduler.expire(sealing_on_both.clock())
    assert [len(moves(sealing_on_both, one)) for one in ids] == [2, 2]
    assert {sealing_on_both.status(one) for one in ids} == {"expired"}


def test_with_the_chain_away_nothing_is_committed_revealed_or_expired(
    sealing,
):
    seal = Seal("alice")
    submission_id = seal.committed(sealing)
    sealing.blocks(31)
    sealing.doors.registry.gone = ChainUnavailable("away")
    for answer in (seal.reveal(sealing), Seal("bob").commit(sealing)):
        refused(answer, 503, "chain_unavailable")
        assert int(answer.headers["retry-after"]) > 0
    sealing.scheduler.expire(sealing.clock())
    assert sealing.status(submission_id) == "committed"


def test_a_commitment_goes_into_the_round_in_which_it_is_revealed(
    database_url, tmp_path
):
    short = {"round_blocks": 12, "evaluating_blocks": 1}
    for world in make_world(database_url, tmp_path, **WINDOW, **short):
        world.open_round()
        world.register("alice")
        world.blocks(5)
        seal = Seal("alice")
        submission_id = seal.committed(world)
        world.blocks(10)
        for _ in range(3):
            world.turn()
        answer = seal.reveal(world)
        assert answer.json()["round_number"] == 2
        view = world.view(submission_id)
        assert (view["round_number"], view["commit_block"]) == (2, 5)
        assert answer.json()["quota"]["judged_this_round"] == 1


def test_a_round_may_take_sealed_ones_only(sqlite_url, tmp_path):
    rules = {**WINDOW, "accepts_unsealed": False}
    for world in make_world(sqlite_url, tmp_path, **rules):
        world.open_round()
        world.register("alice")
        detail = refused(world.submit("alice"), 403, "unsealed_not_accepted")
        assert "--sealed" in detail
        shown = world.client.get("/rounds/current").json()["settings"]
        assert shown["accepts_unsealed"] is False
        assert shown["blocks_until_reveal"] == 10
        seal = Seal("alice")
        seal.committed(world)
        world.blocks(10)
        assert seal.reveal(world).status_code == 202
        # and what is there already is found, as ever
        assert world.submit("alice").status_code == 200


def test_a_full_league_keeps_the_commitment_for_later(sealing):
    sealing.register("alice2", "alice-cold")
    seal = Seal("alice")
    submission_id = seal.committed(sealing)
    waiting = sealing.accepted("alice2")
    sealing.blocks(10)
    refused(seal.reveal(sealing), 429, "quota_exceeded")
    assert sealing.status(submission_id) == "committed"
    assert withdraw(sealing, "alice2", waiting).status_code == 200
    assert seal.reveal(sealing).status_code == 202


def test_what_stands_in_the_round_already_is_not_revealed_into_it(sealing):
    seal = Seal("alice")
    seal.committed(sealing)
    plain = play(sealing, "alice")
    sealing.blocks(10)
    detail = refused(seal.reveal(sealing), 409, "conflict")
    assert str(plain) in detail


def test_a_commit_is_before_who_copies_it_once_it_is_revealed(sealing):
    seal = Seal("alice")
    mine = seal.committed(sealing)
    sealing.blocks(10)
    seal.reveal(sealing)
    judge(sealing, mine, 1.0, a_source("same = 1\n"))
    copy = play(
        sealing,
        "bob",
        0.9,
        text=a_source("same = 1\n").files[0].text,
        fork_url=submission("alice")["fork_url"],
    )
    board = sealing.client.get("/leaderboard").json()["rows"]
    assert [row["submission_id"] for row in board] == [str(mine), str(copy)]
