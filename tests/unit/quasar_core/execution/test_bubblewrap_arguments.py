from itertools import pairwise
from pathlib import Path

from quasar_core.execution.bubblewrap_arguments import arguments, command
from quasar_core.execution.limits import MIB, Limits
from quasar_core.execution.sandbox import Job, Mount

JOB = Job(
    argv=("/bin/true", "--flag"),
    environment={"PATH": "/mine", "NAME": "value"},
    mounts=(
        Mount(Path("/srv/deep"), Path("/opt/a/b/deep")),
        Mount(None, Path("/opt/a/b")),
        Mount(Path("/srv/a"), Path("/opt/a")),
    ),
    limits=Limits(memory_bytes=64 * MIB, pids=7, tmp_bytes=11, shm_bytes=13),
)


def after(words, *wanted):
    """Where a run of words begins."""
    for position in range(len(words)):
        if tuple(words[position : position + len(wanted)]) == wanted:
            return position
    raise AssertionError(f"{wanted} is not in {words}")


def test_every_namespace_is_its_own():
    words = arguments(JOB, user_namespace=False)
    for kind in ("ipc", "pid", "net", "uts"):
        assert f"--unshare-{kind}" in words
    assert "--die-with-parent" in words
    assert "--new-session" in words
    assert "--unshare-user" not in words


def test_without_root_a_user_namespace_hides_who_runs_it():
    words = arguments(JOB, user_namespace=True)
    after(words, "--unshare-user", "--uid", "65534", "--gid", "65534")
    after(words, "--cap-drop", "ALL")


def test_mounts_come_in_order_of_depth_below_open_parents():
    words = arguments(JOB, user_namespace=False)
    parent = after(words, "--perms", "0755", "--dir", "/opt")
    outer = after(words, "--ro-bind", "/srv/a", "/opt/a")
    hidden = after(words, "--tmpfs", "/opt/a/b", "--remount-ro", "/opt/a/b")
    inner = after(words, "--ro-bind", "/srv/deep", "/opt/a/b/deep")
    last = after(words, "--remount-ro", "/")
    assert parent < outer < hidden < inner < last
    assert ("--dir", "/opt/a") not in pairwise(words)


def test_nothing_is_mounted_for_writing_but_sized_memory():
    words = arguments(JOB, user_namespace=False)
    after(words, "--perms", "1777", "--size", "11", "--tmpfs", "/tmp")
    after(words, "--perms", "1777", "--size", "13", "--tmpfs", "/dev/shm")
    after(words, "--remount-ro", "/dev")
    assert {"--bind", "--dev-bind", "--bind-try"}.isdisjoint(words)


def test_nothing_of_the_users_folders_is_mounted():
    words = arguments(JOB, user_namespace=False)
    for folder in ("/", "/home", "/root", "/var", "/usr", "/etc", "/run"):
        pairs = pairwise(words)
        assert ("--ro-bind", folder) not in pairs


def test_the_environment_is_what_the_job_says_over_a_bare_one():
    words = arguments(JOB, user_namespace=False)
    clear = after(words, "--clearenv")
    assert clear < after(words, "--setenv", "NAME", "value")
    after(words, "--setenv", "PATH", "/mine")
    after(words, "--setenv", "HOME", "/tmp")


def built(groups, user_namespace):
    return command(
        JOB,
        bwrap="/usr/bin/bwrap",
        groups=groups,
        arguments_descriptor=9,
        ready="word",
        user_namespace=user_namespace,
    )


def test_the_launcher_joins_its_groups_before_anything_else():
    words = built([Path("/cg/a"), Path("/cg/b")], user_namespace=False)
    assert words[4:10] == ["2", "/cg/a", "/cg/b", "1024", "0", "0"]
    assert words[10:14] == ["/usr/bin/bwrap", "--args", "9", "--"]
    assert words[-2:] == ["/bin/true", "--flag"]


def test_as_root_every_right_is_dropped_inside():
    words = built([Path("/cg/a")], user_namespace=False)
    start = after(words, "/usr/bin/setpriv", "--reuid", "65534")
    assert {"--clear-groups", "--bounding-set=-all", "--no-new-privs"} < set(
        words[start:]
    )


def test_without_groups_rlimits_bound_memory_and_processes():
    words = built([], user_namespace=True)
    assert words[4:8] == ["0", "1024", str(64 * 1024), str(128 * 1024)]
    assert words[after(words, "word") + 1] == "7"
    assert "/usr/bin/setpriv" not in words
