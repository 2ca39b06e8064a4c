import errno
import os
import subprocess
from pathlib import Path

import pytest
from quasar_core.execution import cgroup_files
from quasar_core.execution.cgroup_files import (
    counter,
    emptied,
    members,
    number,
    read,
    remove,
    signal_all,
    until,
    write,
)


@pytest.fixture(autouse=True)
def impatient(monkeypatch):
    monkeypatch.setattr(cgroup_files, "PATIENCE_SECONDS", 0.05)


def test_a_value_is_written_into_a_file_that_is_there(tmp_path):
    (tmp_path / "pids.max").touch()
    write(tmp_path / "pids.max", 12)
    assert number(tmp_path / "pids.max") == 12


def test_a_file_that_is_not_there_is_not_made(tmp_path):
    with pytest.raises(FileNotFoundError):
        write(tmp_path / "memory.peak", 1)
    assert number(tmp_path / "memory.peak") is None


def test_counters_are_found_by_name(tmp_path):
    events = tmp_path / "memory.events"
    events.write_text("low 0\noom 3\noom_kill 2\n")
    assert counter(events, "oom_kill") == 2
    assert counter(events, "max") == 0
    assert counter(tmp_path / "absent", "max") == 0


def test_the_living_are_ended_and_the_dead_ignored(tmp_path):
    with subprocess.Popen(["/bin/sleep", "60"]) as process:
        (tmp_path / "cgroup.procs").write_text(f"{process.pid}\n")
        assert members(tmp_path) == (process.pid,)
        assert not emptied(tmp_path)
        signal_all(tmp_path)
        # Not yet waited for, it is a zombie that still is a member.
        until(lambda: emptied(tmp_path), "kill")
        assert process.wait() == -9
    signal_all(tmp_path)
    assert emptied(tmp_path)


def test_a_group_that_is_gone_is_empty(tmp_path):
    assert members(tmp_path / "gone") == ()
    assert emptied(tmp_path / "gone")
    remove(tmp_path / "gone")


def test_a_group_removed_while_its_file_is_open_counts_as_missing(
    tmp_path, monkeypatch
):
    """The kernel's answer for such a file is ENODEV and not ENOENT."""

    def gone(*_):
        raise OSError(errno.ENODEV, os.strerror(errno.ENODEV))

    (tmp_path / "freezer.state").touch()
    monkeypatch.setattr(os, "write", gone)
    monkeypatch.setattr(Path, "read_text", gone)
    with pytest.raises(FileNotFoundError):
        write(tmp_path / "freezer.state", "FROZEN")
    with pytest.raises(FileNotFoundError):
        read(tmp_path / "freezer.state")
    assert members(tmp_path) == ()
    assert number(tmp_path / "memory.peak") is None
    assert counter(tmp_path / "memory.events", "oom_kill") == 0


def test_another_error_of_a_group_file_is_not_absence(tmp_path, monkeypatch):
    def refused(*_):
        raise PermissionError(errno.EPERM, os.strerror(errno.EPERM))

    monkeypatch.setattr(Path, "read_text", refused)
    with pytest.raises(PermissionError):
        members(tmp_path)


def test_a_group_that_stays_busy_is_told(tmp_path):
    (tmp_path / "member").touch()
    with pytest.raises(TimeoutError, match="removal"):
        remove(tmp_path)
