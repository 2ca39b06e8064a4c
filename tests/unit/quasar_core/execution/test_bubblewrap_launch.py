import os

import pytest
from quasar_core.execution.bubblewrap_launch import Launch, spawn
from quasar_core.execution.sandbox import Job

from tests.support.sandboxes import open_descriptors


@pytest.fixture
def told(tmp_path):
    """A bubblewrap that shows what it was given, and runs nothing."""
    shown = tmp_path / "bwrap"
    shown.write_text(
        "#!/bin/sh\n"
        'tr "\\0" "\\n" < /proc/self/fd/$2\n'
        "tr '\\0' '\\n' < /proc/$$/environ | sed s/^/environ:/\n"
        "ls /proc/$$/fd | sed s/^/descriptor:/\n"
    )
    shown.chmod(0o755)
    reader, writer = os.pipe()
    job = Job(argv=("/bin/true",), pass_fds=(writer,))
    launch = Launch(job, str(shown), b"filter", user_namespace=True)
    process, status = spawn(launch, groups=(), announcement="word")
    answer = process.communicate()[0].decode().splitlines()
    for each in (reader, writer, status):
        os.close(each)
    return answer, writer


def test_arguments_travel_where_no_process_list_shows_them(told):
    words, _ = told
    assert "--clearenv" in words
    assert "--seccomp" in words
    assert "--json-status-fd" in words


def test_the_launcher_has_no_environment_but_the_shells_own(told):
    words, _ = told
    names = {
        word.removeprefix("environ:").partition("=")[0]
        for word in words
        if word.startswith("environ:")
    }
    assert names <= {"PWD", "OLDPWD", "SHLVL", "_"}


def test_only_named_descriptors_are_handed_on(told):
    words, passed = told
    numbers = {
        int(word.removeprefix("descriptor:"))
        for word in words
        if word.startswith("descriptor:")
    }
    given = {words[words.index("--seccomp") + 1]}
    given |= {words[words.index("--json-status-fd") + 1]}
    # Two more: the arguments themselves, and the script that runs.
    assert {0, 1, 2, passed} | set(map(int, given)) <= numbers
    assert len(numbers) <= 4 + len(given) + 2


def test_a_launcher_that_cannot_run_leaves_no_descriptor_open(monkeypatch):
    before = open_descriptors()
    monkeypatch.setattr(
        "quasar_core.execution.bubblewrap_launch.subprocess.Popen",
        lambda *words, **more: (_ for _ in ()).throw(OSError(11, "no")),
    )
    launch = Launch(Job(argv=("/x",)), "/x", b"", user_namespace=True)
    with pytest.raises(OSError, match="no"):
        spawn(launch, groups=(), announcement="word")
    assert open_descriptors() == before
