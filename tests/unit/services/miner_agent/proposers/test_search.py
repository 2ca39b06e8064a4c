"""The search climbs, remembers, restarts, and ends."""

from services.miner_agent.proposers.protocol import Situation, Tried
from services.miner_agent.proposers.search import Search
from services.miner_agent.proposers.tunables import find_tunables

START = "A = 4\nB = 8\n"


def climbed(search, speed, text=START, most=200):
    """Let it search while whatever is faster is kept; all it proposed."""
    files, tried, best = {"k.py": text}, [], speed(text)
    for _ in range(most):
        proposal = search.propose(Situation(files, tuple(tried)))
        if proposal is None:
            return files["k.py"], tried
        new = proposal.files["k.py"]
        kept = speed(new) > best
        tried.append(Tried(proposal.summary, kept, "", proposal.choices))
        if kept:
            best, files = speed(new), {"k.py": new}
    raise AssertionError("it never ends")


def values(text):
    return tuple(one.value for one in find_tunables({"k.py": text}))


def peak_at(a, b):
    def speed(text):
        found_a, found_b = values(text)
        return -abs(found_a - a) - abs(found_b - b)

    return speed


def test_it_climbs_to_the_top_and_ends():
    best, tried = climbed(Search(restarts=0), peak_at(64, 2))
    assert values(best) == (64, 2)
    assert [one.summary for one in tried if one.kept][:2] == [
        "k.py:A 4 -> 8",
        "k.py:A 8 -> 16",
    ]


def test_no_point_is_tried_twice():
    _, tried = climbed(Search(seed=3), peak_at(16, 32))
    points = [tuple(sorted(one.choices.items())) for one in tried]
    assert len(points) == len(set(points))


def test_a_step_that_paid_is_taken_again_before_any_other():
    kept = Tried("k.py:B 4 -> 8", True, "", {"k.py:A": 4, "k.py:B": 8})
    proposal = Search().propose(Situation({"k.py": START}, (kept,)))
    assert proposal is not None
    assert proposal.summary == "k.py:B 8 -> 16"
    assert proposal.files == {"k.py": "A = 4\nB = 16\n"}


def test_restarts_leave_a_place_from_which_no_single_step_leads_on():
    def narrow(text):
        return {(4, 8): 1, (8, 16): 2}.get(values(text), 0)

    stuck, _ = climbed(Search(restarts=0), narrow)
    found, tried = climbed(Search(restarts=60, seed=1), narrow)
    assert values(stuck) == (4, 8)
    assert values(found) == (8, 16)
    assert any(one.summary.startswith("restart: ") for one in tried)


def test_the_same_seed_and_history_give_the_same_proposal():
    _, first = climbed(Search(seed=5), peak_at(4, 8))
    _, again = climbed(Search(seed=5), peak_at(4, 8))
    _, other = climbed(Search(seed=6), peak_at(4, 8))
    assert first == again
    assert first != other
    restarts = [one for one in first if one.summary.startswith("restart: ")]
    assert 0 < len(restarts) <= Search().restarts


def test_a_kernel_without_numbers_leaves_nothing_to_try():
    assert Search().propose(Situation({"k.py": "x = [1.5]\n"})) is None


def test_a_change_that_a_model_made_is_no_step_to_take_again():
    kept = Tried("rewrote it 1 -> 2 times", True, "")
    proposal = Search().propose(Situation({"k.py": START}, (kept,)))
    assert proposal is not None
    assert proposal.summary == "k.py:A 4 -> 8"
