"""Forks: real repositories, all grown from one base."""

import subprocess

from deploy.local.miners.forks import (
    base_repository,
    make_fork,
)
from deploy.local.miners.kinds import kind_named


def git(path, *arguments):
    done = subprocess.run(
        ["git", "-C", str(path), *arguments],
        check=True,
        capture_output=True,
        text=True,
    )
    return done.stdout.strip()


def test_a_fork_holds_its_miners_kernel_at_its_commit(tmp_path):
    kind = kind_named("no_mask")
    fork = make_fork(tmp_path / "fork", kind)
    assert git(fork.path, "rev-parse", "HEAD") == fork.commit_hash
    shown = git(
        fork.path, "show", f"{fork.commit_hash}:fla/ops/quasar/chunk.py"
    )
    assert shown == kind.files()["chunk.py"].decode().strip()
    assert fork.url == f"file://{tmp_path}/fork"


def test_all_forks_grow_from_the_same_first_commit(tmp_path):
    first, second = (
        make_fork(tmp_path / name, kind_named(name))
        for name in ("honest_fast", "copy")
    )
    roots = {
        git(fork.path, "rev-list", "--max-parents=0", "HEAD")
        for fork in (first, second)
    }
    base = tmp_path / "base"
    assert roots == {base_repository(base)} == {base_repository(base)}
    assert first.commit_hash != second.commit_hash


def test_the_base_holds_the_baseline_and_the_tree_around_it(tmp_path):
    base_repository(tmp_path)
    names = git(tmp_path, "ls-files").splitlines()
    assert "fla/ops/quasar/__init__.py" in names
    assert "fla/__init__.py" in names
