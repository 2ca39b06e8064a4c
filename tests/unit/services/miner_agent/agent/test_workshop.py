"""The fork on disk: what is kept is committed, again and again the same."""

import pytest
from quasar_core.execution.git import RepositoryError, create_repository, head

from services.miner_agent.agent.workshop import Workshop
from services.miner_agent.repository import RepositoryFault

FOLDER = "fla/ops/quasar"


@pytest.fixture
def workshop(tmp_path):
    create_repository(
        tmp_path, {f"{FOLDER}/a.py": b"a = 1\n", f"{FOLDER}/b.py": b"b = 1\n"}
    )
    return Workshop(tmp_path)


def test_a_commit_may_be_made_twice_and_is_one(workshop):
    before = head(workshop.path)
    files = {"a.py": "a = 2\r\n", "b.py": "b = 1\n"}

    first = workshop.commit(files, "Go faster")

    assert first not in {before, ""}
    assert workshop.commit(files, "Go faster") == first
    assert workshop.files() == files
    assert not workshop.is_dirty()


def test_changes_of_somebody_elses_are_noticed(workshop):
    (workshop.path / FOLDER / "a.py").write_text("a = 3\n")
    assert workshop.is_dirty()
    assert workshop.files()["a.py"] == "a = 1\n"


def test_what_holds_no_kernel_is_told(tmp_path):
    create_repository(tmp_path, {"README.md": b"-\n"})
    with pytest.raises(RepositoryFault, match="no kernel"):
        Workshop(tmp_path).files()
    with pytest.raises(RepositoryError):
        Workshop(tmp_path.parent).is_dirty()
