import json
import subprocess
import sys
from importlib import metadata
from pathlib import Path

import pytest
from quasar_core.execution import closure
from quasar_core.execution.closure import (
    JUDGED,
    closure_mounts,
    needed,
    python_environment,
    python_in_sandbox,
)
from quasar_core.execution.sandbox import SandboxUnavailable


@pytest.fixture
def site(tmp_path, monkeypatch):
    """A site-packages of the test's own; call it to install something."""
    root = tmp_path / "site"
    root.mkdir()
    monkeypatch.setattr(sys, "path", [str(root)])

    def install(name, files, requires=(), direct_url=None, record=True):
        info = root / f"{name.replace('-', '_')}-1.0.dist-info"
        info.mkdir()
        lines = [f"Requires-Dist: {each}" for each in requires]
        head = ["Metadata-Version: 2.1", f"Name: {name}", "Version: 1.0"]
        (info / "METADATA").write_text("\n".join([*head, *lines]) + "\n")
        if direct_url:
            (info / "direct_url.json").write_text(json.dumps(direct_url))
        for file in files:
            path = root / file
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(name)
        if record:
            listed = [*files, f"{info.name}/METADATA", f"{info.name}/RECORD"]
            text = "".join(f"{each},,\n" for each in listed)
            (info / "RECORD").write_text(text)
        return root

    return install


def targets(*names):
    mounts = closure._site_mounts.__wrapped__(names)
    return {str(each.target): each.source for each in mounts}


def test_a_distribution_comes_with_all_that_it_needs(site):
    site("Kernel_Kit", ["kit/a.py"], ["base.lib>=1", "extra; extra == 'x'"])
    site("base-lib", ["base.py"], ["deeper; python_version > '3'"])
    site("deeper", ["deeper/x/y.py"])
    site("stranger", ["stranger.py"])
    assert needed(["kernel-kit"]) == ("base-lib", "deeper", "kernel-kit")
    assert targets("kernel-kit").keys() == {
        "/opt/site/kit",
        "/opt/site/base.py",
        "/opt/site/deeper",
        "/opt/site/Kernel_Kit-1.0.dist-info",
        "/opt/site/base_lib-1.0.dist-info",
        "/opt/site/deeper-1.0.dist-info",
    }


def test_a_need_that_this_interpreter_does_not_have_is_left_out(site):
    site("kit", ["kit.py"], ["old; python_version < '3'"])
    assert needed(["kit"]) == ("kit",)


def test_an_extra_that_is_asked_for_brings_what_it_needs(site):
    site("kit", ["kit.py"], ["tools[fast]>=1", "tools"])
    site("tools", ["tools.py"], ["fast-part; extra == 'fast'", "b[x]"])
    site("fast-part", ["fast.py"])
    site("b", ["b.py"], ["absent; extra == 'y'"])
    assert needed(["kit"]) == ("b", "fast-part", "kit", "tools")


def test_needs_may_go_in_a_circle(site):
    site("a", ["a.py"], ["b"])
    site("b", ["b.py"], ["a"])
    assert needed(["a"]) == ("a", "b")


def test_a_shared_folder_shows_only_what_is_of_the_closure(site):
    root = site("ours-a", ["shared/a/x.py", "shared/common.py"])
    site("theirs", ["shared/b/x.py"])
    found = targets("ours-a")
    assert found["/opt/site/shared/a"] == root / "shared" / "a"
    assert found["/opt/site/shared/common.py"] == root / "shared/common.py"
    assert "/opt/site/shared" not in found
    assert "/opt/site/shared/b" not in found


def test_scripts_and_path_hooks_are_not_shown(site):
    site("kit", ["kit.py", "kit-hook.pth"])
    info = next(metadata.distribution("kit").locate_file("").glob("*info"))
    record = info / "RECORD"
    record.write_text(record.read_text() + "../../bin/kit,,\n/abs/x,,\n")
    assert targets("kit").keys() == {
        "/opt/site/kit.py",
        "/opt/site/kit-1.0.dist-info",
    }


def test_the_folder_of_compiled_modules_is_never_taken_whole(site):
    site("kit", ["kit.py", "__pycache__/kit.cpython-311.pyc"])
    found = targets("kit")
    assert "/opt/site/__pycache__" not in found
    assert "/opt/site/__pycache__/kit.cpython-311.pyc" in found


@pytest.mark.parametrize(
    "name", ["quasar-subnet", "Quasar_Subnet", "fla.core"]
)
def test_what_is_ours_is_never_shown(name):
    with pytest.raises(SandboxUnavailable, match="never shown"):
        needed([name])


def test_what_needs_something_of_ours_is_not_shown_either(site):
    site("kit", ["kit.py"], ["quasar-subnet"])
    with pytest.raises(SandboxUnavailable, match="never shown"):
        needed(["kit"])


def test_a_developers_folder_is_not_shown(site):
    about = {"url": "file:///x", "dir_info": {"editable": True}}
    site("kit", ["kit.pth"], direct_url=about)
    with pytest.raises(SandboxUnavailable, match="developer"):
        needed(["kit"])


def test_a_distribution_without_a_list_of_files_is_told(site):
    site("kit", ["kit.py"], record=False)
    with pytest.raises(SandboxUnavailable, match="list of its files"):
        needed(["kit"])


def test_a_missing_distribution_is_told_with_what_to_install(site):
    site("kit", ["kit.py"], ["missing"])
    with pytest.raises(SandboxUnavailable, match="missing is not installed"):
        needed(["kit"])


def test_the_judged_closure_of_this_environment_holds_nothing_of_ours():
    shown = {mount.target.name for mount in closure_mounts(JUDGED)}
    assert {"torch", "triton", "numpy", "einops"} <= shown
    ours = {"quasar_core", "fla_quasar", "services", "deploy", "fla", "pip"}
    assert shown.isdisjoint(ours)
    for mount in closure_mounts(JUDGED):
        assert mount.source is None or mount.source.exists()
        assert mount.source is None or mount.source.name != "site-packages"


def test_the_interpreter_hides_what_is_installed_into_it():
    hidden = [each for each in closure_mounts(()) if each.source is None]
    library = Path(sys.base_prefix) / "lib"
    installed = list(library.glob("python3*/site-packages"))
    assert bool(hidden) == bool(installed)
    assert {each.target.name for each in hidden} <= {
        "site-packages",
        "dist-packages",
    }


def test_the_interpreter_inside_is_the_one_outside():
    executable = closure_mounts(())[0]
    assert str(executable.target) == python_in_sandbox()
    done = subprocess.run(
        [executable.source, "-c", "import sys; print(sys.version)"],
        check=True,
        capture_output=True,
        text=True,
    )
    assert done.stdout.strip() == sys.version
    assert python_environment()["PYTHONPATH"] == "/opt/site"


@pytest.mark.parametrize("was_moved", [True, False])
def test_the_interpreters_library_is_where_the_interpreter_is(
    was_moved, tmp_path, monkeypatch
):
    here, built_for = tmp_path / "here" / "lib", tmp_path / "built-for"
    for folder in (here, built_for):
        folder.mkdir(parents=True)
    library = (here if was_moved else built_for) / "libpython3.so.1.0"
    library.touch()
    (built_for / "libpython3.so.1.0").touch()
    told = {"Py_ENABLE_SHARED": 1, "LIBDIR": str(built_for)}
    monkeypatch.setattr(closure.sysconfig, "get_config_var", told.get)
    monkeypatch.setattr(closure.sys, "base_prefix", str(here.parent))
    assert list(closure._shared_libraries()) == [library]
