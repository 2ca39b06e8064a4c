"""Finding the place in the host's cgroup tree where sandboxes may be made.

Groups are made below the group of this process, so that whatever bounds it
bounds its sandboxes too.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from quasar_core.execution.cgroups import (
    Cgroup,
    CgroupTree,
    CgroupV1,
    CgroupV2,
    TreeV1,
    TreeV2,
)

CONTROLLERS = ("memory", "pids", "cpu", "freezer")
DELEGATED = ("memory", "pids", "cpu")
SUPERVISORS = "quasar-supervisors"
COMMON = "quasar"


@dataclass(frozen=True)
class Host:
    """What the kernel says of this process's groups and their mounts."""

    mountinfo: str
    membership: str

    @classmethod
    def read(cls, pid: int | None = None) -> Host:
        """Those of the process that asks, or the groups of another one."""
        whose = "self" if pid is None else pid
        return cls(
            mountinfo=Path("/proc/self/mountinfo").read_text("utf-8"),
            membership=Path(f"/proc/{whose}/cgroup").read_text("utf-8"),
        )


def find_tree(host: Host | None = None) -> CgroupTree | None:
    """A tree with all controllers, or None: limits are then rlimits only."""
    host = host or Host.read()
    return _tree_v1(host) or _tree_v2(host)


def group_of(pid: int, name: str) -> Cgroup | None:
    """The group called after `name` that an engine has made for a process.

    None where this process may not use it. Never any other group: what is
    found is frozen and ended as a whole.
    """
    try:
        host = Host.read(pid)
    except (FileNotFoundError, ProcessLookupError):
        return None
    tree = _tree_v1(host)
    if tree is not None:
        found: Cgroup = CgroupV1(
            tree.memory, tree.pids, tree.cpu, tree.freezer
        )
        return found if _all_named(found.paths, name) else None
    for kind, root, point, _ in _mounts(host):
        if kind == "cgroup2":
            found = CgroupV2(_folder(root, point, _membership(host, "")))
            fits = _all_named(found.paths, name) and _writable(found.path)
            return found if fits else None
    return None


def _all_named(paths: Sequence[Path], name: str) -> bool:
    return bool(name) and all(name in path.name for path in paths)


def _tree_v1(host: Host) -> TreeV1 | None:
    parents = {each: _folder_v1(host, each) for each in CONTROLLERS}
    found = {name: path for name, path in parents.items() if path is not None}
    complete = len(found) == len(CONTROLLERS)
    if not complete or not all(map(_writable, found.values())):
        return None
    return TreeV1(**found)


def _folder_v1(host: Host, controller: str) -> Path | None:
    for kind, root, point, options in _mounts(host):
        if kind == "cgroup" and controller in options:
            return _folder(root, point, _membership(host, controller))
    return None


def _tree_v2(host: Host) -> TreeV2 | None:
    for kind, root, point, _ in _mounts(host):
        if kind == "cgroup2":
            own = _folder(root, point, _membership(host, ""))
            return _hand_on(own) or _hand_on_common(point)
    return None


def _hand_on(own: Path) -> TreeV2 | None:
    """Use a group that was delegated to this process (systemd's Delegate=).

    Processes and children don't mix in a v2 group: those that are in it
    step aside into a child of their own.
    """
    if own.name == SUPERVISORS:
        own = own.parent
    elif not _is_delegated(own):
        return None
    if not _writable(own):
        return None
    aside = own / SUPERVISORS
    with contextlib.suppress(OSError):
        aside.mkdir(exist_ok=True)
        for pid in (own / "cgroup.procs").read_text().split():
            with contextlib.suppress(ProcessLookupError):
                (aside / "cgroup.procs").write_text(pid)
    return _enabled(own)


def _hand_on_common(mount_point: Path) -> TreeV2 | None:
    """As root of the whole host, a group beside systemd's own."""
    is_host_root = not (mount_point / "cgroup.type").exists()
    if not is_host_root or not _writable(mount_point):
        return None
    if _enabled(mount_point) is None:
        return None
    common = mount_point / COMMON
    common.mkdir(exist_ok=True)
    return _enabled(common)


def _enabled(parent: Path) -> TreeV2 | None:
    wanted = " ".join(f"+{each}" for each in DELEGATED)
    control = parent / "cgroup.subtree_control"
    try:
        control.write_text(wanted)
        enabled = control.read_text().replace("+", "").split()
    except OSError:
        return None
    return TreeV2(parent) if set(DELEGATED) <= set(enabled) else None


def _is_delegated(folder: Path) -> bool:
    for name in ("user.delegate", "trusted.delegate"):
        with contextlib.suppress(OSError):
            if os.getxattr(folder, name) == b"1":
                return True
    # The root of a container's own namespace is the container's to use.
    namespace_root = (folder / "cgroup.type").exists()
    return namespace_root and not (folder.parent / "cgroup.procs").exists()


def _writable(folder: Path) -> bool:
    return os.access(folder, os.W_OK) and os.access(
        folder / "cgroup.procs", os.W_OK
    )


def _mounts(host: Host) -> list[tuple[str, str, Path, list[str]]]:
    """(file system, root, mount point, super options) of each mount."""
    found: list[tuple[str, str, Path, list[str]]] = []
    for line in host.mountinfo.splitlines():
        before, _, after = line.partition(" - ")
        fields, (kind, _, options) = before.split(), after.split(" ", 2)
        if kind in {"cgroup", "cgroup2"}:
            point = Path(fields[4].replace("\\040", " "))
            found.append((kind, fields[3], point, options.split(",")))
    return found


def _membership(host: Host, controller: str) -> str:
    for line in host.membership.splitlines():
        _, controllers, path = line.split(":", 2)
        if controller in controllers.split(","):
            return path
    return "/"


def _folder(root: str, point: Path, membership: str) -> Path:
    path = PurePosixPath(membership)
    if ".." in path.parts or not path.is_relative_to(root):
        return point
    folder = point / path.relative_to(root)
    return folder if folder.is_dir() else point
