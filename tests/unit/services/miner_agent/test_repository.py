"""The miner's repository: the base everywhere the same, a fork looked at."""

from __future__ import annotations

import subprocess

import pytest
from quasar_core.execution.git import commit_files, create_repository

from services.miner_agent.repository import (
    RepositoryFault,
    base_files,
    create_base_repository,
    open_fork,
)

INIT = "fla/ops/quasar/__init__.py"
HONEST = {INIT: b"def chunk_quasar(q, k, v, beta):\n    return v, None\n"}


def test_the_base_repository_comes_out_the_same_each_time(tmp_path):
    first = create_base_repository(tmp_path / "a" / "fork")
    again = create_base_repository(tmp_path / "b")

    assert first == again
    assert open_fork(tmp_path / "b").commit_hash == first
    assert open_fork(tmp_path / "b").warnings == ()


def test_the_base_holds_the_pinned_tree_and_the_baseline():
    files = base_files()

    assert {"fla/__init__.py", "fla/utils/__init__.py", INIT} <= set(files)
    assert b"chunk_quasar" in files[INIT]


def test_a_folder_with_something_in_it_is_left_alone(tmp_path):
    (tmp_path / "thesis.tex").write_text("precious")

    with pytest.raises(RepositoryFault, match="not empty"):
        create_base_repository(tmp_path)
    with pytest.raises(RepositoryFault, match="not empty"):
        create_base_repository(tmp_path / "thesis.tex")

    assert [path.name for path in tmp_path.iterdir()] == ["thesis.tex"]


def test_a_folder_without_a_repository_is_said_so(tmp_path):
    for path in (tmp_path, tmp_path / "missing"):
        with pytest.raises(RepositoryFault, match="no git repository"):
            open_fork(path)


def test_a_repository_without_a_commit_is_said_so(tmp_path):
    subprocess.run(["git", "init", "-q", str(tmp_path)], check=True)

    with pytest.raises(RepositoryFault, match="no commit yet"):
        open_fork(tmp_path)


def test_changes_that_are_not_committed_are_warned_about(tmp_path):
    create_repository(tmp_path, HONEST)
    (tmp_path / "notes.txt").write_text("not taken, no matter")
    assert open_fork(tmp_path).warnings == ()

    (tmp_path / INIT).write_text("from os import system\n")

    (warning,) = open_fork(tmp_path).warnings
    assert "not committed" in warning


def test_kernels_that_are_gone_from_the_folder_are_warned_about(tmp_path):
    create_repository(tmp_path, HONEST)
    (tmp_path / INIT).unlink()

    (warning,) = open_fork(tmp_path).warnings
    assert "not committed" in warning


@pytest.mark.parametrize(
    ("files", "code"),
    [
        ({"README.md": b"nothing here"}, "files_missing"),
        ({INIT: b"import os\n"}, "forbidden_import"),
        ({INIT: b"def chunk_quasar(:\n"}, "syntax_error"),
        ({INIT: b"x = 1\n"}, "missing_entry_point"),
    ],
)
def test_a_commit_that_will_be_rejected_is_warned_about(tmp_path, files, code):
    create_repository(tmp_path, HONEST)
    (tmp_path / INIT).unlink()
    hash_ = commit_files(tmp_path, files, "Change")

    fork = open_fork(tmp_path)

    assert fork.commit_hash == hash_
    assert fork.warnings[0].startswith(f"this commit will be rejected: {code}")
