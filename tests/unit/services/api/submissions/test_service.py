import pytest
from quasar_core.contracts.http import SubmissionRequest
from quasar_core.errors import Problem, ProblemCode

from services.api.submissions.service import door_of
from tests.support.api import settings_for, submission

SETTINGS = settings_for("sqlite:///x.db")


def request(**changes):
    return SubmissionRequest(**{**submission("a"), **changes})


def test_a_door_has_one_spelling():
    spelled = request(fork_url="HTTPS://GitHub.com/A/b.git/")
    door = door_of(spelled, "me", SETTINGS)
    assert door.fork_url == "https://github.com/A/b"
    assert door.target_sequence_length == 1_000


def test_files_are_fetched_only_where_the_settings_say_so():
    local = request(fork_url="file:///home/me/fork")
    with pytest.raises(Problem) as refused:
        door_of(local, "me", SETTINGS)
    assert refused.value.code is ProblemCode.INVALID_URL
    settings = settings_for("sqlite:///x.db", git_schemes=("file",))
    assert door_of(local, "me", settings).fork_url == local.fork_url


def test_a_commit_is_a_full_hash():
    with pytest.raises(Problem) as refused:
        door_of(request(commit_hash="HEAD"), "me", SETTINGS)
    assert refused.value.code is ProblemCode.INVALID_COMMIT


def test_twelve_are_judged_of_a_coldkey_in_a_round(sqlite_world):
    from tests.support.judged import Worker

    world = sqlite_world
    world.register("a")
    worker = Worker(world.clock)
    for number in range(12):
        world.accepted("a", commit_hash=f"{number:040x}")
        world.record(worker.rejected(world.take()))
    answer = world.submit("a", commit_hash="f" * 40)
    assert answer.status_code == 429
    assert answer.json()["code"] == "quota_exceeded"
