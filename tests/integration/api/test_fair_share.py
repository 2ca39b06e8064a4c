"""A flood from one owner: refused by quota, and nobody waits for it (D10)."""

from tests.support.judged import Worker
from tests.support.wallets import address

LEAGUES = range(500, 5_001, 500)
HOTKEYS = [f"flood-{number}" for number in range(4)]


def flood(world):
    """One owner sends into every league, from many hotkeys by turns."""
    for name in HOTKEYS:
        world.register(name, "flood-cold")
    for turn, length in enumerate(LEAGUES):
        name = HOTKEYS[turn % len(HOTKEYS)]
        world.accepted(
            name,
            target_sequence_length=length,
            commit_hash=f"{turn:040x}",
        )


def judge_one(world):
    """Let the only worker reject what is next; whose it was."""
    worker = Worker(world.clock)
    job = world.take()
    world.record(worker.started(job), worker.rejected(job))
    return world.view(job.submission_id)["hotkey"]


def test_d10_more_hotkeys_are_no_more_turns(world):
    flood(world)
    for name in HOTKEYS:
        for length in LEAGUES:
            answer = world.submit(
                name, target_sequence_length=length, commit_hash="f" * 40
            )
            assert answer.status_code == 429
            assert answer.json()["code"] == "quota_exceeded"
    for name in ("ann", "ben"):
        world.register(name)
        world.accepted(name)
    flooded = {address(name) for name in HOTKEYS}
    first = [judge_one(world) for _ in range(3)]
    assert [hotkey in flooded for hotkey in first] == [True, False, False]
    world.register("late")
    world.accepted("late")
    # two messages wait in the worker's queue already; then it is his turn
    after = [judge_one(world) for _ in range(3)]
    assert address("late") in after
    # what was judged counts, whatever came of it
    left = [judge_one(world) for _ in range(len(LEAGUES) - 3)]
    assert flooded >= set(left)
    for name, length in zip(HOTKEYS, (500, 1_000, 1_500), strict=False):
        answer = world.submit(
            name, target_sequence_length=length, commit_hash="e" * 40
        )
        told = answer.json()
        expected = 202 if length < 1_500 else 429
        assert answer.status_code == expected, told
    assert told["detail"].startswith("This coldkey has used its 12")
