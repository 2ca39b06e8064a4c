import os
from pathlib import Path

import pytest
from quasar_core.execution.workspaces import (
    GRACE_SECONDS,
    LOCK,
    PREFIX,
    default_workspaces,
    remove_abandoned,
    workspace,
)


def test_a_workspace_is_private_and_gone_afterwards(tmp_path):
    with workspace(tmp_path / "all") as directory:
        assert directory.stat().st_mode & 0o777 == 0o700
        (directory / "deep").mkdir()
    assert not directory.exists()


def test_a_workspace_is_gone_after_a_failure(tmp_path):
    with pytest.raises(KeyError), workspace(tmp_path / "all") as directory:
        raise KeyError
    assert not directory.exists()


def test_workspaces_in_use_are_left_alone(tmp_path):
    with workspace(tmp_path / "all") as one, workspace(tmp_path / "all"):
        assert one.is_dir()
        assert remove_abandoned(tmp_path / "all") == 0


def test_what_a_crash_left_is_removed_by_the_next(tmp_path):
    left = tmp_path / "all" / f"{PREFIX}crashed"
    left.mkdir(parents=True)
    (tmp_path / "all").chmod(0o700)
    (left / LOCK).touch()
    with workspace(tmp_path / "all"):
        assert not left.exists()


def test_a_workspace_in_the_making_is_left_alone_for_a_while(tmp_path):
    young = tmp_path / f"{PREFIX}young"
    young.mkdir()
    assert remove_abandoned(tmp_path) == 0
    past = young.stat().st_mtime - GRACE_SECONDS - 1
    os.utime(young, (past, past))
    assert remove_abandoned(tmp_path) == 1


def test_each_user_has_workspaces_of_his_own():
    assert default_workspaces().name == f"quasar-work-{os.geteuid()}"
    assert default_workspaces() != Path("/")
