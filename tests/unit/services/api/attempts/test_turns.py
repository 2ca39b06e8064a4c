from services.api.attempts import turns
from services.api.attempts.repository import Job
from tests.support.judged import Worker
from tests.support.wallets import address


def test_candidates_are_each_coldkeys_earliest(sqlite_world):
    world = sqlite_world
    for name, cold in (("a", "x"), ("b", "x"), ("c", "y")):
        world.register(name, cold)
    first = world.accepted("a")
    world.accepted("b", target_sequence_length=500)
    third = world.accepted("c")
    with world.database.read() as session:
        rows = turns.candidates(session, Job.BENCHMARK, "cpu", world.clock())
        assert [row.id for row in rows] == [first, third]
        other = turns.candidates(session, Job.BENCHMARK, "h100", world.clock())
        assert list(other) == []


def test_whoever_had_a_turn_waits_for_those_who_had_none(sqlite_world):
    world = sqlite_world
    for name, cold in (("a", "x"), ("b", "x"), ("c", "y"), ("d", "z")):
        world.register(name, cold)
    first = world.accepted("a")
    world.accepted("b", target_sequence_length=500)
    world.accepted("c")
    last = world.accepted("d")
    assert world.take().submission_id == first  # and c's is dispatched too
    with world.database.read() as session:
        asked = (session, Job.BENCHMARK, "cpu", world.clock())
        coldkeys = [row.coldkey for row in turns.candidates(*asked)]
        assert len(coldkeys) == 2
        # b came before d, but one of its coldkey's is on its way already
        assert list(turns.taken(session, coldkeys, 1)) == coldkeys[:1]
        assert turns.next_in_turn(*asked) == last
        nowhere = (session, Job.BENCHMARK, "gpu", world.clock())
        assert turns.next_in_turn(*nowhere) is None


def test_what_the_platform_failed_at_had_its_turn(sqlite_world):
    world = sqlite_world
    for name, cold in (("a", "x"), ("b", "y")):
        world.register(name, cold)
    failed = world.accepted("a")
    worker = Worker(world.clock)
    while world.status(failed) != "infra_failed":
        job = world.take()
        world.record(worker.started(job), worker.failed(job))
        world.later(60)
    again = world.accepted("a")
    other = world.accepted("b")
    with world.database.read() as session:
        assert turns.taken(session, [address("x"), address("y")], 1) == {
            address("x"): 1
        }
        asked = (session, Job.BENCHMARK, "cpu", world.clock())
        assert {row.id for row in turns.candidates(*asked)} == {again, other}
        assert turns.next_in_turn(*asked) == other
