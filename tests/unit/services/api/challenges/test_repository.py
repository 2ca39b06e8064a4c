from quasar_core.domain.outcomes import Outcome, Ratio

from services.api.challenges import repository
from services.api.rounds import repository as rounds
from tests.support.judged import play


def two(world):
    for name in ("a", "b"):
        world.register(name)
        yield str(play(world, name))


def test_a_challenge_is_open_until_it_is_decided(sqlite_world):
    world = sqlite_world
    first, second = two(world)
    pair = (second, first)
    now = world.clock()
    with world.database.write() as session:
        row = repository.enter(session, 1, pair, actor="test", now=now)
        version = rounds.locked(session, 1).results_version
        assert repository.pair_of(row) == pair
        assert repository.open_in_round(session, 1) == 1
        assert list(repository.candidates(session, "cpu", now)) == [row]
        assert list(repository.candidates(session, "gpu", now)) == []
        assert repository.outcomes(session, 1) == {}
        assert repository.made(session, row.id) == 0
        assert repository.spent(session, row.id) == 0
        assert list(repository.live_attempts(session, row.id)) == []
    with world.database.write() as session:
        repository.decide(
            session,
            repository.locked(session, row.id),
            Outcome.WON,
            actor="test",
            now=now,
            ratio=Ratio(1.5, 2.0),
        )
        assert repository.open_in_round(session, 1) == 0
        assert list(repository.candidates(session, "cpu", now)) == []
        assert repository.outcomes(session, 1) == {pair: Outcome.WON}
        (found,) = repository.of_round(session, 1)
        assert (found.ratio_low, found.ratio_high) == (1.5, 2.0)
        assert rounds.locked(session, 1).results_version == version + 1
