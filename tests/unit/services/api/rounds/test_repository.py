from quasar_core.domain.rounds import RoundStatus

from services.api.rounds import repository, service
from tests.support.judged import a_source, play


def test_rounds_are_found_by_what_they_are(sqlite_world):
    world = sqlite_world
    with world.database.write() as session:
        first = repository.locked(session, 1)
        assert repository.open_round(session) is first
        assert repository.latest_frozen(session) is None
        first.status = RoundStatus.FINALISED
        session.flush()
        second = service.open_next(
            session, world.doors.settings, 100, world.clock()
        )
        assert repository.newest(session) is second
        assert repository.open_round(session) is second
        assert repository.latest_frozen(session) is first
        assert list(repository.unweighed(session)) == [first, second]
        assert list(repository.page(session, None, 9)) == [second, first]
        assert list(repository.page(session, 2, 9)) == [first]
        assert repository.by_number(session, 3) is None
        assert list(repository.baselines(session, 1)) == []


def test_a_changed_result_changes_the_boards_version(sqlite_world):
    with sqlite_world.database.write() as session:
        before = repository.locked(session, 1).results_version
        repository.results_changed(session, 1)
        assert repository.locked(session, 1).results_version == before + 1


def test_copies_of_a_work_stand_on_the_boards_that_change(sqlite_world):
    world = sqlite_world
    world.register("a")
    play(world, "a", text="x = 7\n")
    work, other = a_source("x = 7\n").identity, a_source().identity
    with world.database.write() as session:

        def changes(*asked):
            before = repository.locked(session, 1).results_version
            repository.originals_changed(session, *asked)
            return repository.locked(session, 1).results_version - before

        assert changes(work, "200k") == 1
        assert changes(work, "100k") == 0
        assert changes(other, "200k") == 0
        assert changes(other, "200k", 1) == 1
        assert changes(work, "200k", 1) == 1
        repository.locked(session, 1).status = RoundStatus.FINALISED
        assert changes(work, "200k") == 0
        assert changes(work, "200k", 1) == 1
