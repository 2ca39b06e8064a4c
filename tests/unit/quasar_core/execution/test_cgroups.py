import os
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest
from quasar_core.execution import cgroups
from quasar_core.execution.cgroup_tree import find_tree
from quasar_core.execution.cgroups import (
    CgroupV1,
    CgroupV2,
    TreeV1,
    TreeV2,
    remains,
)
from quasar_core.execution.limits import Limits
from quasar_core.execution.processes import Namespace

UNIFIED = Path("/sys/fs/cgroup/unified")
LIMITS = Limits(memory_bytes=1 << 20, pids=5, cpus=0.5)
V1_FILES = (
    "memory.limit_in_bytes",
    "memory.memsw.limit_in_bytes",
    "pids.max",
    "cpu.cfs_period_us",
    "cpu.cfs_quota_us",
)


@pytest.fixture
def files_v1(tmp_path):
    """Plain files where the kernel's would be."""
    group = CgroupV1(*(tmp_path for _ in range(4)))
    for name in (*V1_FILES, "freezer.state"):
        (tmp_path / name).touch()
    return group


@pytest.fixture
def files_v2(tmp_path):
    for name in ("memory.max", "memory.swap.max", "pids.max", "cpu.max"):
        (tmp_path / name).touch()
    return CgroupV2(tmp_path)


def test_v1_bounds_memory_with_swap_processes_and_time(files_v1, tmp_path):
    files_v1.limit(LIMITS)
    values = {name: (tmp_path / name).read_text() for name in V1_FILES}
    assert values == {
        "memory.limit_in_bytes": "1048576",
        "memory.memsw.limit_in_bytes": "1048576",
        "pids.max": "7",
        "cpu.cfs_period_us": "100000",
        "cpu.cfs_quota_us": "50000",
    }


def test_v1_without_swap_accounting_bounds_the_rest(files_v1, tmp_path):
    (tmp_path / "memory.memsw.limit_in_bytes").unlink()
    files_v1.limit(LIMITS)
    assert (tmp_path / "pids.max").read_text() == "7"


def test_v2_bounds_memory_without_swap_processes_and_time(files_v2, tmp_path):
    files_v2.limit(LIMITS)
    assert {each.name: each.read_text() for each in tmp_path.iterdir()} == {
        "memory.max": "1048576",
        "memory.swap.max": "0",
        "pids.max": "7",
        "cpu.max": "50000 100000",
    }


def test_a_share_of_the_whole_machine_is_no_quota(files_v1, tmp_path):
    files_v1.limit(replace(LIMITS, cpus=float(os.cpu_count() or 1)))
    assert (tmp_path / "cpu.cfs_quota_us").read_text() == ""


def test_v2_without_swap_or_quota_bounds_the_rest(files_v2, tmp_path):
    (tmp_path / "memory.swap.max").unlink()
    files_v2.limit(replace(LIMITS, cpus=999))
    assert (tmp_path / "memory.max").read_text() == "1048576"
    assert (tmp_path / "cpu.max").read_text() == ""


def test_both_versions_count_alike(tmp_path):
    (tmp_path / "memory.oom_control").write_text("under_oom 0\noom_kill 2\n")
    (tmp_path / "memory.events").write_text("oom 9\noom_kill 2\n")
    (tmp_path / "pids.events").write_text("max 3\n")
    (tmp_path / "memory.max_usage_in_bytes").write_text("77\n")
    (tmp_path / "memory.peak").write_text("77\n")
    for group in (CgroupV1(*[tmp_path] * 4), CgroupV2(tmp_path)):
        assert group.oom_kills() == 2
        assert group.pids_refused() == 3
        assert group.peak_memory_bytes() == 77


def test_a_group_that_cannot_be_limited_is_not_left_behind(tmp_path):
    tree = TreeV1(*(tmp_path / name for name in "mpcf"))
    for parent in (tree.memory, tree.pids, tree.cpu, tree.freezer):
        parent.mkdir()
    with pytest.raises(FileNotFoundError):
        tree.create("name", LIMITS)
    assert [path for path in tree.paths("name") if path.exists()] == []
    with pytest.raises(FileNotFoundError):
        TreeV2(tmp_path).create("name", LIMITS)
    assert not (tmp_path / "quasar-name").exists()


def test_remains_are_only_ever_groups_of_ours(tmp_path):
    (tmp_path / "system.slice").mkdir()
    (tmp_path / "quasar-x").mkdir()
    assert remains(()) is None
    assert remains((tmp_path / "system.slice",)) is None
    assert remains((tmp_path / "quasar-gone",)) is None
    assert remains((tmp_path / "quasar-x",)) == CgroupV2(tmp_path / "quasar-x")


def test_half_a_group_is_found_again_whole(tmp_path):
    paths = tuple(tmp_path / each / "quasar-x" for each in "mpcf")
    for path in paths:
        path.parent.mkdir()
    paths[2].mkdir()
    assert remains(paths) == CgroupV1(*paths)
    assert all(path.is_dir() for path in paths)


def test_a_group_that_is_gone_is_killed_and_destroyed_in_peace(tmp_path):
    for group in (
        CgroupV1(*(tmp_path / each for each in "mpcf")),
        CgroupV2(tmp_path / "x"),
    ):
        group.kill()
        group.destroy()


@pytest.fixture
def group(request):
    """A real group of the host's: of v1, or of an empty v2 tree."""
    name = f"test-{os.getpid()}"
    if request.param == "v1":
        tree = find_tree()
        if not isinstance(tree, TreeV1):
            pytest.skip("this host has no v1 controllers")
        made = tree.create(name, LIMITS)
    else:
        if not os.access(UNIFIED, os.W_OK):
            pytest.skip("this host shows no v2 tree at unified")
        made = CgroupV2(UNIFIED / f"{cgroups.PREFIX}{name}")
        made.path.mkdir()
    yield made
    made.kill()
    made.destroy()
    assert not any(path.exists() for path in made.paths)


@pytest.mark.parametrize("group", ["v1", "v2"], indirect=True)
def test_a_group_is_frozen_thawed_and_killed(group):
    joins = "".join(f"echo 0 > {path}/cgroup.procs;" for path in group.paths)
    with subprocess.Popen(
        ["/bin/sh", "-c", f"{joins} echo in; while :; do :; done"],
        stdout=subprocess.PIPE,
    ) as process:
        assert process.stdout.readline() == b"in\n"

        def used():
            stat = Path(f"/proc/{process.pid}/stat").read_text()
            return int(stat.rpartition(")")[2].split()[11])

        group.freeze()
        before = used()
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(0.1)
        assert used() == before
        group.thaw()
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(0.1)
        assert used() > before
        group.freeze()
        group.kill()
        assert process.wait(5) == -9
        assert Namespace.of(process.pid) is None
