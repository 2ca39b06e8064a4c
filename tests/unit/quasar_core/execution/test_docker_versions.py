import shutil

import pytest
from quasar_core.execution import docker_versions
from quasar_core.execution.docker_versions import (
    outdated,
    toolkit_version,
    version_in,
)


def engine(runc):
    return {"Components": [{"Name": "runc", "Version": runc}]}


@pytest.fixture(autouse=True)
def no_toolkit(monkeypatch):
    monkeypatch.setattr(docker_versions, "toolkit_version", lambda: None)


@pytest.mark.parametrize("runc", ["1.2.8", "1.2.9", "1.3.3", "1.4.0", "2.0.0"])
def test_an_engine_without_a_known_leak_is_sound(runc):
    assert outdated(engine(runc)) == ()


@pytest.mark.parametrize("runc", ["1.1.5+ds1", "1.2.7", "1.3.0", "1.3.2", "?"])
def test_an_engine_with_a_known_leak_is_named(runc):
    (sentence,) = outdated(engine(runc))
    assert "1.2.8" in sentence


def test_an_engine_that_does_not_say_is_not_trusted():
    assert len(outdated({})) == 1


@pytest.mark.parametrize(
    ("version", "count"), [((1, 17, 7), 1), ((1, 17, 8), 0), ((1, 18, 0), 0)]
)
def test_an_old_toolkit_is_named(monkeypatch, version, count):
    monkeypatch.setattr(docker_versions, "toolkit_version", lambda: version)
    assert len(outdated(engine("1.3.3"))) == count


def test_the_toolkit_tells_its_version(monkeypatch, tmp_path):
    program = tmp_path / "nvidia-ctk"
    program.write_text("#!/bin/sh\necho NVIDIA CLI version 1.17.8\n")
    program.chmod(0o755)
    monkeypatch.setattr(shutil, "which", lambda name: str(program))
    assert toolkit_version() == (1, 17, 8)
    monkeypatch.setattr(shutil, "which", lambda name: None)
    assert toolkit_version() is None


def test_a_version_is_the_first_three_numbers():
    assert version_in("runc 1.1.5+ds1-1+deb12u1") == (1, 1, 5)
    assert version_in("unknown") == ()
