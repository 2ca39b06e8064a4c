import subprocess
import sys
import threading

import pytest
from quasar_core.worker import locks
from quasar_core.worker.locks import (
    FileLock,
    LockTaken,
    default_lock_directory,
    machine_lock,
)

HOLDS = """
import sys
from pathlib import Path
from quasar_core.worker.locks import FileLock
with FileLock(Path(sys.argv[1])).held():
    print("held", flush=True)
    sys.stdin.read()
"""


def holder(path):
    process = subprocess.Popen(
        [sys.executable, "-c", HOLDS, str(path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert process.stdout.readline() == b"held\n"
    return process


def test_a_held_lock_is_refused_with_its_sentence(tmp_path):
    lock = FileLock(tmp_path / "a.lock")
    with (
        lock.held(),
        pytest.raises(LockTaken, match="name another"),
        lock.held_at_once("it is taken: name another"),
    ):
        raise AssertionError("never reached")


def test_a_lock_that_was_given_back_is_free(tmp_path):
    lock = FileLock(tmp_path / "a.lock")
    with lock.held_at_once("taken"):
        pass
    with lock.held_at_once("taken"):
        pass


def test_who_waits_gets_the_lock_when_its_holder_is_killed(tmp_path):
    path = tmp_path / "a.lock"
    with holder(path) as process:
        got = threading.Event()

        def wait():
            with FileLock(path).held():
                got.set()

        thread = threading.Thread(target=wait)
        thread.start()
        assert not got.wait(0.05)
        process.kill()
        assert got.wait(10)
        thread.join()


def test_two_devices_of_a_machine_have_two_locks(tmp_path):
    with (
        machine_lock(tmp_path, "cpu").held(),
        machine_lock(tmp_path, "gpu-0").held_at_once("taken"),
    ):
        pass
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "judge-cpu.lock",
        "judge-gpu-0.lock",
    ]


def test_a_folder_of_somebody_else_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(locks.os, "geteuid", lambda: 12_345)
    with (
        pytest.raises(LockTaken, match="somebody else"),
        FileLock(tmp_path / "a.lock").held(),
    ):
        raise AssertionError("never reached")


def test_a_link_in_the_lock_s_place_is_not_followed(tmp_path):
    (tmp_path / "a.lock").symlink_to(tmp_path / "elsewhere")
    with (
        pytest.raises(OSError, match=r"a\.lock"),
        FileLock(tmp_path / "a.lock").held(),
    ):
        raise AssertionError("never reached")


def test_without_root_each_user_has_a_folder_of_his_own(monkeypatch):
    monkeypatch.setattr(locks.os, "geteuid", lambda: 12_345)
    assert default_lock_directory().name == "quasar-12345"
