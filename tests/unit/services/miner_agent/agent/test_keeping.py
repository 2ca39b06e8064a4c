"""What is kept lies in git under its own words; what is wrong goes again."""

import pytest
from quasar_core.execution.git import create_repository, head

from services.miner_agent.agent.keeping import Keeper
from services.miner_agent.agent.logbook import Logbook
from services.miner_agent.agent.tables import State
from services.miner_agent.agent.task import Task
from services.miner_agent.agent.workshop import Workshop
from services.miner_agent.proposers.search import Search
from tests.support.agents import ScriptedJudge

NAME = "fla/ops/quasar/a.py"


@pytest.fixture
def keeper(tmp_path):
    create_repository(tmp_path, {NAME: b"A = 1\n"})
    book = Logbook(None)
    task = Task(
        workshop=Workshop(tmp_path),
        logbook=book,
        judging=ScriptedJudge(),
        proposer=Search(),
        desk=object(),  # type: ignore[arg-type]  # no dry run
        say=lambda *_, **__: None,
        sequence_length=512,
        least_gain=0.1,
    )
    yield Keeper(task)
    book.close()


def a_try(keeper, text, state=State.KEPT, **fields):
    book = keeper.task.logbook
    return book.add(
        book.begin()[0],
        sequence_length=512,
        proposer="search",
        summary=text.strip(),
        files={"a.py": text},
        state=state,
        result="twice as fast",
        **fields,
    )


def test_a_kept_kernel_is_committed_once_and_known_again(keeper):
    start = a_try(keeper, "A = 1\n", State.OVERTAKEN, is_start=True)
    kept = a_try(keeper, "A = 2\n", parent_id=start.id)
    keeper.commit(kept)
    keeper.commit(kept)
    path = keeper.task.workshop.path
    assert (path / NAME).read_text() == "A = 2\n"
    assert keeper.best().commit_hash == head(path)
    found = keeper.of_files({"a.py": "A = 2\n"})
    assert found is not None
    assert found.id == kept.id
    assert keeper.of_files({"a.py": "A = 3\n"}) is None


def test_the_way_back_leads_to_the_best_that_is_right(keeper):
    a_try(keeper, "A = 1\n", State.OVERTAKEN, is_start=True)
    right, wrong = a_try(keeper, "A = 2\n"), a_try(keeper, "A = 4\n")
    for one in (right, wrong):
        keeper.commit(one)
    book = keeper.task.logbook
    wrong = book.put(wrong, state=State.DECIDED, code="output_mismatch")
    keeper.roll_back(wrong)
    path = keeper.task.workshop.path
    assert (path / NAME).read_text() == "A = 2\n"
    assert keeper.best().id == right.id
