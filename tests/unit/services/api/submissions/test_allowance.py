import pytest
from quasar_core.domain.rounds import RoundSettings
from quasar_core.errors import Problem, ProblemCode

from services.api.rounds import repository as rounds
from services.api.submissions import allowance
from tests.support.sealed import Seal
from tests.support.wallets import address


@pytest.fixture
def alice(sqlite_world):
    sqlite_world.register("alice")
    return allowance.Account(address("alice-cold"), address("alice"))


def use_of(session, account, league, current, apart_from=None):
    rules = RoundSettings.from_dict(current.settings)
    return rules, allowance.use_of(
        session, account, league, current, apart_from
    )


def test_a_league_is_full_by_league_and_apart_from_what_is_revealed(
    sqlite_world, alice
):
    submission_id = sqlite_world.accepted("alice")
    with sqlite_world.database.read() as session:
        current = rounds.open_round(session)
        assert current is not None
        allowance.check(*use_of(session, alice, "100k", current))
        with pytest.raises(Problem) as caught:
            allowance.check(*use_of(session, alice, "200k", current))
        assert caught.value.code is ProblemCode.QUOTA_EXCEEDED
        told = allowance.told(*use_of(session, alice, "200k", current), "200k")
    assert (told.waiting_in_league, told.judged_this_round) == (1, 1)
    assert sqlite_world.status(submission_id) == "queued"


def test_the_twelfth_of_a_round_is_the_last(sqlite_world, alice):
    world = sqlite_world
    with world.database.write() as session:
        current = rounds.locked(session, 1)
        current.settings = {**current.settings, "judged_per_round": 1}
    kept = Seal("alice").committed(world)
    with world.database.read() as session:
        current = rounds.open_round(session)
        assert current is not None
        with pytest.raises(Problem):
            allowance.check_commitment(*use_of(session, alice, None, current))
        with pytest.raises(Problem):
            allowance.check(*use_of(session, alice, "100k", current))
        allowance.check(*use_of(session, alice, "100k", current, kept))
        told = allowance.told(*use_of(session, alice, None, current), None)
    assert (told.waiting_in_league, told.unrevealed) == (None, 1)


def test_what_an_answer_tells_is_what_is_counted_after_it(sqlite_world):
    sqlite_world.register("alice")
    answer = sqlite_world.submit("alice").json()
    again = sqlite_world.submit("alice").json()
    assert again == answer
    assert answer["quota"]["judged_this_round"] == 1
    assert answer["quota"]["waiting_in_league"] == 1
