from quasar_core.domain.quotas import QuotaUse

from services.api.submissions import repository, usage
from services.api.submissions.repository import Door
from tests.support.api import submission
from tests.support.judged import play
from tests.support.wallets import address


def door_of(name):
    sent = submission(name)
    return Door(
        hotkey=address(name),
        fork_url=sent["fork_url"],
        commit_hash=sent["commit_hash"],
        target_sequence_length=sent["target_sequence_length"],
    )


def test_what_waits_in_an_earlier_round_stands_at_the_door(sqlite_world):
    world = sqlite_world
    world.register("a")
    submission_id = world.accepted("a")
    with world.database.read() as session:
        for number in (1, 2):
            found = repository.at_the_door(session, door_of("a"), number)
            assert found is not None
            assert found.id == submission_id
        assert repository.at_the_door(session, door_of("b"), 1) is None


def test_what_an_earlier_round_has_finished_does_not(sqlite_world):
    world = sqlite_world
    world.register("a")
    play(world, "a")
    with world.database.read() as session:
        assert repository.at_the_door(session, door_of("a"), 1) is not None
        assert repository.at_the_door(session, door_of("a"), 2) is None


def test_quotas_count_by_coldkey_league_and_round(sqlite_world):
    world = sqlite_world
    for name in "ab":
        world.register(name, "cold")
    play(world, "a")
    world.accepted("b")
    cold = address("cold")
    with world.database.read() as session:

        def use(league, number):
            return usage.use_of(session, cold, "nobody", league, number)

        assert use("200k", 1) == QuotaUse(1, 2, 0)
        assert use("100k", 2) == QuotaUse(0, 0, 0)
        assert repository.pending_in_round(session, 1) == 1
        assert len(repository.unfinished_in_round(session, 1)) == 1


def test_precedence_is_of_the_first_commit_of_the_same_work(sqlite_world):
    world = sqlite_world
    world.register("a")
    world.blocks(3)
    play(world, "a", text="same\n")
    world.blocks(4)
    second = play(world, "a", text="same\n", commit_hash="b" * 40)
    with world.database.read() as session:
        row = repository.by_id(session, second)
        assert row is not None
        assert row.commit_block == 7
        precedence = repository.precedence(session, 1)
        work = (row.hotkey, row.identity, row.league)
    assert precedence.block_of(*work, otherwise=7) == 3
    assert precedence.is_original(work[0], "cold", *work[1:])
    assert not precedence.is_original("b", "other", *work[1:])


def test_lists_counts_and_ages(sqlite_world):
    world = sqlite_world
    with world.database.read() as session:
        assert repository.oldest_queued_at(session) is None
    world.register("a")
    world.accepted("a")
    with world.database.read() as session:
        assert repository.oldest_queued_at(session) == world.clock()
        assert repository.counts_by_status(session) == {"queued": 1}
        (row,) = repository.listed(session, hotkey=address("a"))
        assert list(repository.listed(session, before=row.id)) == []
        assert list(repository.listed(session, status="scored")) == []
        assert list(repository.listed(session, round_number=2)) == []
        assert repository.scored_in_round(session, 1) == []
