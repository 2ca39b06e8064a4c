import os
import shutil
import time

import pytest
from quasar_core.execution.hardened_git import (
    Git,
    GitAnswer,
    GitMissing,
    GitTimeout,
    bare_environment,
    within,
)


@pytest.fixture
def git(tmp_path):
    return Git(tmp_path, deadline=within(20))


def test_a_command_is_answered(git):
    answer = git.run("hash-object", "--stdin", given=b"hello\n")
    assert answer.code == 0
    assert answer.stdout == b"ce013625030ba8dba906f756967f9e9ca394464a\n"


def test_a_failure_is_told_and_not_raised(git):
    answer = git.run("rev-parse", "HEAD")
    assert answer.code == 128
    assert "not a git repository" in answer.complaint


def test_no_setting_of_the_host_is_read(git, monkeypatch, tmp_path):
    config = tmp_path / "config"
    config.write_text("[user]\n\tname = somebody\n")
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(config))
    monkeypatch.setenv("GIT_CONFIG_COUNT", "1")
    monkeypatch.setenv("GIT_CONFIG_KEY_0", "user.name")
    monkeypatch.setenv("GIT_CONFIG_VALUE_0", "somebody")
    assert git.run("config", "--get", "user.name").stdout == b""


def test_nothing_of_the_hosts_environment_reaches_git(monkeypatch):
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "hunter2")
    monkeypatch.setenv("GIT_DIR", "/nowhere")
    assert (
        bare_environment()
        .keys()
        .isdisjoint(
            {"AWS_SECRET_ACCESS_KEY", "GIT_DIR", "HOME", "SSH_AUTH_SOCK"}
        )
    )


def test_a_command_past_its_deadline_is_ended(tmp_path):
    started = time.monotonic()
    os.mkfifo(tmp_path / "endless")
    with pytest.raises(GitTimeout):
        Git(tmp_path, deadline=within(0.3)).run("hash-object", "endless")
    assert time.monotonic() - started < 5


def test_a_file_cannot_grow_beyond_its_bound(tmp_path):
    small = Git(tmp_path, deadline=within(20), file_bytes=64 * 1024)
    assert small.run("init", "--bare", "--template=", ".").code == 0
    answer = small.run(
        *("hash-object", "-w", "--stdin"), given=os.urandom(1_000_000)
    )
    assert answer.code != 0
    assert "File too large" in answer.complaint


def test_an_endless_answer_is_cut_off(git, monkeypatch):
    monkeypatch.setattr(
        "quasar_core.execution.hardened_git.ANSWER_BYTES", 1000
    )
    answer = git.run("help", "--all")
    assert answer.overflowed
    assert len(answer.stdout) > 1000


def test_no_protocol_is_allowed_unless_named(tmp_path):
    git = Git(tmp_path, deadline=within(20))
    answer = git.run("ls-remote", "file:///nowhere")
    assert "not allowed" in answer.complaint


def test_a_host_without_git_is_told_what_to_install(git, monkeypatch):
    monkeypatch.setattr(shutil, "which", lambda name: None)
    with pytest.raises(GitMissing, match="install"):
        git.run("version")


def test_complaints_are_printable():
    answer = GitAnswer(1, b"", b"\x1b[31mfatal\x07: \xff\xfe\n")
    assert answer.complaint == "?[31mfatal?: ??\n"
