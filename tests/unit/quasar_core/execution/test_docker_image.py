import io
import tarfile
from pathlib import Path

import pytest
from quasar_core.execution import docker_image
from quasar_core.execution.docker_image import image_contents, rootfs
from quasar_core.execution.sandbox import SandboxUnavailable


@pytest.fixture(scope="module")
def contents():
    return image_contents()


def test_an_image_holds_programs_and_what_they_are_linked_to(contents):
    names = {path.name for path in contents}
    assert {"sh", "git", "git-remote-https", "libc.so.6"} <= names
    assert any(name.startswith("ld-linux") for name in names)


def test_an_image_holds_no_interpreter_no_package_and_nobodys_home(contents):
    assert not any("python" in path.name for path in contents)
    tops = {path.parts[1] for path in contents}
    assert tops <= {"usr", "etc", "lib", "lib64"}


def test_no_file_of_an_image_gives_its_caller_rights(tmp_path):
    program = tmp_path / "program"
    program.write_text("x")
    program.chmod(0o6755)
    written = rootfs({Path("/usr/bin/program"): program})
    with tarfile.open(fileobj=io.BytesIO(written)) as tar:
        found = {entry.name: entry for entry in tar}
    assert found["usr/bin/program"].mode == 0o755
    assert found["tmp"].mode == 0o1777
    assert {entry.uid for entry in found.values()} == {0}


def test_a_host_without_tools_is_told_so(monkeypatch):
    with pytest.raises(SandboxUnavailable, match="no image"):
        docker_image._run("/not/there")


def test_a_path_below_a_link_lies_where_the_link_leads(monkeypatch):
    if Path("/bin").is_symlink():
        assert docker_image._inside(Path("/bin/sh")) == Path("/usr/bin/sh")
    assert docker_image._inside(Path("/usr/x")) == Path("/usr/x")
