import os
import socket

from quasar_core.execution import probe


def test_outside_a_sandbox_the_probe_says_so(tmp_path):
    assert probe.status()["Pid"] == str(os.getpid())
    assert probe.namespaces()["pid"].startswith("pid:[")
    assert "lo" in probe.interfaces()
    assert "unix" in probe.sockets()


def test_environments_of_others_are_seen_where_they_can_be():
    assert "PATH" in probe.environment_names()


def test_open_descriptors_are_found():
    with socket.socket(socket.AF_UNIX) as opened:
        assert opened.fileno() in probe.descriptors()
        assert {0, 1, 2} <= set(probe.descriptors())


def test_what_can_be_written_is_told_and_left_as_it_was(tmp_path):
    file = tmp_path / "file"
    file.write_text("kept")
    assert probe.writes(str(tmp_path))
    assert probe.writes(str(file))
    assert not probe.writes(str(tmp_path / "absent" / "file"))
    assert not probe.writes("/proc")
    assert file.read_text() == "kept"
    assert list(tmp_path.iterdir()) == [file]


def test_children_are_counted_and_ended():
    assert probe.forks(3) == 3


def test_memory_that_can_be_had_is_told():
    assert probe.allocates(1 << 20)


def test_a_call_that_is_answered_has_no_error_number():
    getpid = {"x86_64": 39, "aarch64": 172}[os.uname().machine]
    assert probe.refusals({"getpid": getpid}) == {"getpid": 0}
