from quasar_core.contracts.http import CanaryTally

from services.api.canaries import service
from tests.support.events import canary_completed, right_canaries, worker_seen


def board(world, **changes):
    asked = {"days": 7, "after": None, "limit": 10} | changes
    with world.database.read() as session:
        return service.board(session, world.clock(), **asked)


def test_cheats_caught_and_honest_passed_are_counted(sqlite_world):
    world = sqlite_world
    world.record(
        worker_seen("a"),
        worker_seen("b", "verifier"),
        *right_canaries("a"),
        *right_canaries("b", "verifier"),
        canary_completed("a", got="output_mismatch"),
    )
    shown = board(world)
    assert shown.cheats_caught == CanaryTally(right=4, runs=4)
    assert shown.honest_passed == CanaryTally(right=2, runs=3)
    a, b = shown.workers
    assert (a.worker, a.honest_passed.right, a.honest_passed.runs) == (
        "a",
        1,
        2,
    )
    assert [run.right for run in a.last_runs] == [True, True, False]
    assert b.cheats_caught == CanaryTally(right=2, runs=2)
    assert {run.expected for run in b.last_runs} == {
        "forbidden_import",
        "logits_differ",
        "passed",
    }


def test_what_is_older_is_not_counted_and_its_worker_not_shown(sqlite_world):
    world = sqlite_world
    world.record(worker_seen(), *right_canaries())
    world.later(2 * 86_400)
    assert board(world, days=1).workers == ()
    assert board(world, days=1).honest_passed.runs == 0
    assert board(world, days=3).honest_passed.runs == 1


def test_a_worker_without_canaries_is_shown_without(sqlite_world):
    sqlite_world.record(worker_seen())
    (worker,) = board(sqlite_world).workers
    assert worker.last_runs == ()
    assert worker.honest_passed == CanaryTally(right=0, runs=0)


def test_pages_follow_one_another_and_sums_are_of_all(sqlite_world):
    world = sqlite_world
    names = ["a", "b", "c"]
    for name in names:
        world.record(worker_seen(name), *right_canaries(name))
    found, after = [], None
    for _ in names:
        page = board(world, limit=1, after=after)
        assert page.honest_passed.runs == 3
        found += [one.worker for one in page.workers]
        if page.next_cursor is not None:
            after = service.cursor_of(page.next_cursor)
    assert found == names
    assert page.next_cursor is None


def test_the_tag_changes_with_the_board_alone(sqlite_world):
    world = sqlite_world
    world.record(worker_seen())
    before = service.tag_of(board(world))
    world.later(15)
    world.record(worker_seen())
    assert service.tag_of(board(world)) == before
    world.record(canary_completed())
    assert service.tag_of(board(world)) != before
