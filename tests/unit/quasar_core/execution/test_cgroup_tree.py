import os
from pathlib import Path

import pytest
from quasar_core.execution.cgroup_tree import SUPERVISORS, Host, find_tree
from quasar_core.execution.cgroups import TreeV1, TreeV2

ENABLED = "cpu memory pids"


@pytest.fixture
def root(tmp_path):
    """A folder that stands for /sys/fs/cgroup."""
    return tmp_path / "cgroup"


def folder(path, **files):
    path.mkdir(parents=True, exist_ok=True)
    (path / "cgroup.procs").touch()
    for name, content in files.items():
        (path / name.replace("_", ".", 1)).write_text(content)
    return path


def mount(kind, point, options, inner="/"):
    return f"30 20 0:26 {inner} {point} rw - {kind} cgroup {options}\n"


def host_v1(root, membership="/"):
    lines, belongs = "", ""
    for number, each in enumerate(("memory", "pids", "cpu", "freezer")):
        point = folder(root / each)
        folder(point / membership.strip("/"))
        lines += mount("cgroup", point, f"rw,{each}")
        belongs += f"{number}:{each}:{membership}\n"
    return Host(lines, belongs)


def test_v1_groups_are_made_below_ones_own(root):
    assert find_tree(host_v1(root, "/service/worker")) == TreeV1(
        *(
            root / each / "service" / "worker"
            for each in ("memory", "pids", "cpu", "freezer")
        )
    )


def test_controllers_that_share_a_mount_are_found(root):
    host = host_v1(root)
    folder(root / "cpu,cpuacct")
    lines = host.mountinfo.replace("rw,cpu\n", "rw,cpu,cpuacct\n")
    assert isinstance(find_tree(Host(lines, host.membership)), TreeV1)


def test_without_one_of_the_controllers_limits_would_not_hold(root):
    host = host_v1(root)
    lines = [
        line for line in host.mountinfo.splitlines() if "pids" not in line
    ]
    assert find_tree(Host("\n".join(lines), host.membership)) is None


def test_in_a_container_the_path_is_taken_from_what_is_mounted(root):
    host = host_v1(root, "/docker/abc")
    lines = ""
    for each in ("memory", "pids", "cpu", "freezer"):
        lines += mount("cgroup", root / each, each, inner="/docker/abc")
    tree = find_tree(Host(lines, host.membership))
    assert isinstance(tree, TreeV1)
    assert tree.memory == root / "memory"


@pytest.mark.parametrize("membership", ["/gone", "/../../other"])
def test_a_group_that_is_not_shown_falls_back_to_the_mount(root, membership):
    host = host_v1(root)
    belongs = host.membership.replace(":/\n", f":{membership}\n")
    tree = find_tree(Host(host.mountinfo, belongs))
    assert isinstance(tree, TreeV1)
    assert tree.memory == root / "memory"


def host_v2(root, membership):
    return Host(mount("cgroup2", root, "rw"), f"0::{membership}\n")


def delegate(monkeypatch, *folders):
    def getxattr(path, name):
        if Path(path) in folders and name == "user.delegate":
            return b"1"
        raise OSError(61, "no such attribute")

    monkeypatch.setattr(os, "getxattr", getxattr)


def test_a_delegated_v2_group_is_used_from_a_child(root, monkeypatch):
    own = folder(root / "user" / "scope", cgroup_subtree_control=ENABLED)
    folder(root)
    (own / "cgroup.procs").write_text("123\n")
    delegate(monkeypatch, own)
    assert find_tree(host_v2(root, "/user/scope")) == TreeV2(own)
    moved = (own / SUPERVISORS / "cgroup.procs").read_text()
    assert moved == "123"


def test_whoever_stepped_aside_already_uses_the_same_group(root, monkeypatch):
    own = folder(root / "scope", cgroup_subtree_control=ENABLED)
    folder(own / SUPERVISORS)
    delegate(monkeypatch)
    found = find_tree(host_v2(root, f"/scope/{SUPERVISORS}"))
    assert found == TreeV2(own)


def test_a_group_that_was_not_delegated_is_left_alone(root, monkeypatch):
    folder(root, cgroup_type="domain")
    own = folder(root / "session", cgroup_subtree_control=ENABLED)
    folder(own, cgroup_type="domain")
    delegate(monkeypatch)
    assert find_tree(host_v2(root, "/session")) is None
    assert not (own / SUPERVISORS).exists()


def test_root_of_the_whole_host_makes_a_group_beside_systemds(
    root, monkeypatch
):
    folder(root, cgroup_subtree_control=ENABLED)
    own = folder(root / "user.slice")
    folder(root / "quasar", cgroup_subtree_control=ENABLED)
    delegate(monkeypatch)
    assert find_tree(host_v2(root, "/user.slice")) == TreeV2(root / "quasar")
    assert not (own / SUPERVISORS).exists()


def test_the_root_of_a_containers_namespace_is_its_own(root, monkeypatch):
    own = folder(root, cgroup_subtree_control=ENABLED)
    (own / "cgroup.type").write_text("domain")
    delegate(monkeypatch)
    assert find_tree(host_v2(root, "/")) == TreeV2(own)


def test_controllers_that_cannot_be_handed_on_are_no_limits(root, monkeypatch):
    own = folder(root / "scope")
    (own / "cgroup.subtree_control").mkdir()
    (root / "cgroup.type").touch()
    delegate(monkeypatch, own)
    assert find_tree(host_v2(root, "/scope")) is None


def test_a_tree_that_cannot_be_written_is_no_tree(root, monkeypatch):
    monkeypatch.setattr(os, "access", lambda *words: False)
    assert find_tree(host_v1(root)) is None
    assert find_tree(host_v2(folder(root / "v2"), "/")) is None


def test_a_host_without_cgroups_has_no_tree():
    assert find_tree(Host("", "")) is None


def test_the_host_that_runs_this_can_be_read():
    host = Host.read()
    assert "/proc" in host.mountinfo
    assert ":" in host.membership
