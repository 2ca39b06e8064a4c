"""What bubblewrap is told: namespaces, mounts, environment, the launcher."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path, PurePosixPath

from quasar_core.execution.sandbox import Job, Mount

SETPRIV = "/usr/bin/setpriv"
NOBODY = "65534"

# What a C compiler and the dynamic linker need of the host, and nothing of
# /usr/local, /usr/share, /opt, /home or most of /etc.
SYSTEM_FOLDERS = (
    "/usr/bin",
    "/usr/include",
    "/usr/lib",
    "/usr/lib32",
    "/usr/lib64",
    "/usr/libexec",
    "/etc/alternatives",
)
SYSTEM_FILES = (
    "/etc/ld.so.cache",
    "/sys/devices/system/cpu",
)
TOP_LEVEL = ("/bin", "/lib", "/lib32", "/lib64")
HIDDEN = ("/usr/lib/python3",)
"""Python packages of the host's own interpreter."""

BASE_ENVIRONMENT = {
    "PATH": "/usr/bin:/bin",
    "HOME": "/tmp",  # noqa: S108 -- the sandbox's own
    "TMPDIR": "/tmp",  # noqa: S108 -- the sandbox's own
    "LANG": "C.UTF-8",
    "USER": "nobody",
    "LOGNAME": "nobody",
}

# The first shell joins the cgroups before anything else happens: dropping
# the uid first would forbid it, and Popen's preexec_fn would fork a process
# that holds gigabytes of buffers. $1 is the count of groups.
JOIN_GROUPS = """
groups=$1; shift
while [ "$groups" -gt 0 ]; do
    echo 0 > "$1/cgroup.procs" || exit 1
    shift; groups=$((groups - 1))
done
{
    ulimit -c 0; ulimit -n "$1"; shift
    if [ "$1" -gt 0 ]; then ulimit -d "$1"; ulimit -v "$2"; fi; shift 2
} 2>/dev/null  # a host that allows less has the stricter bound already
exec "$@"
"""

# The second one runs when every mount is in place and says so: from there
# on, whatever happens is the payload's own affair. $0 is a secret of this
# start, $1 the bound on processes where no cgroup holds one. bubblewrap's
# init lets the kernel end it with its launcher only after it has forked this
# shell, and takes its filter right after that: so this shell waits for the
# filter, and then for a line, which nobody sends who has died.
SAY_READY = """
if [ "$1" -gt 0 ]; then ulimit -u "$1" 2>/dev/null || ulimit -p "$1"; fi
shift
tied() {
    while read -r name value; do
        if [ "$name" = Seccomp: ]; then [ "$value" = 2 ]; return; fi
    done < /proc/1/status
}
until tied; do :; done
printf %s "$0"; read -r name || exit 1
exec "$@" < /dev/null
"""


def command(
    job: Job,
    *,
    bwrap: str,
    groups: Sequence[Path],
    arguments_descriptor: int,
    ready: str,
    user_namespace: bool,
) -> list[str]:
    """Join the groups, become bubblewrap, say `ready`, run the job.

    It runs once it has been sent a line.
    """
    limited = bool(groups)
    return [
        *("/bin/sh", "-c", JOIN_GROUPS, "sh"),
        *(str(len(groups)), *map(str, groups)),
        *_rlimits(job, limited=limited),
        *(bwrap, "--args", str(arguments_descriptor), "--"),
        *("/bin/sh", "-c", SAY_READY, ready),
        "0" if limited else str(job.limits.pids),
        *(() if user_namespace else _drop_everything()),
        *job.argv,
    ]


def _rlimits(job: Job, *, limited: bool) -> tuple[str, str, str]:
    limits = job.limits
    # CUDA reserves more address space than there is memory.
    if limited or job.gpu is not None:
        return str(limits.nofile), "0", "0"
    kibibytes = limits.memory_bytes // 1024
    return str(limits.nofile), str(kibibytes), str(2 * kibibytes)


def _drop_everything() -> tuple[str, ...]:
    return (
        *(SETPRIV, "--reuid", NOBODY, "--regid", NOBODY, "--clear-groups"),
        *("--bounding-set=-all", "--inh-caps=-all", "--ambient-caps=-all"),
        *("--no-new-privs", "--"),
    )


def arguments(job: Job, user_namespace: bool) -> list[str]:
    """What bubblewrap reads from its arguments descriptor.

    Its own descriptors for status and seccomp are added at the start.
    """
    return [
        *_namespaces(user_namespace),
        *_file_system(job),
        *_environment(job),
        *("--chdir", str(job.working_directory)),
    ]


def _namespaces(user_namespace: bool) -> Iterator[str]:
    yield from ("--unshare-ipc", "--unshare-pid", "--unshare-net")
    yield from ("--unshare-uts", "--unshare-cgroup-try")
    yield from ("--hostname", "sandbox", "--die-with-parent", "--new-session")
    if user_namespace:
        yield from ("--unshare-user", "--uid", NOBODY, "--gid", NOBODY)
        yield from ("--cap-drop", "ALL")


def _file_system(job: Job) -> Iterator[str]:
    yield from ("--proc", "/proc", "--dev", "/dev")
    yield from ("--perms", "1777", "--size", str(job.limits.shm_bytes))
    yield from ("--tmpfs", "/dev/shm")  # noqa: S108 -- likewise
    for node in job.gpu.nodes if job.gpu else ():
        yield from ("--dev-bind", str(node), f"/dev/{node.name}")
    yield from ("--remount-ro", "/dev")
    yield from ("--perms", "1777", "--size", str(job.limits.tmp_bytes))
    yield from ("--tmpfs", "/tmp")  # noqa: S108 -- inside the sandbox
    yield from _mounts((*_system_mounts(), *job.mounts))
    for each in TOP_LEVEL:
        if Path(each).is_symlink():
            yield from ("--symlink", str(Path(each).readlink()), each)
    yield from ("--remount-ro", "/")


def _system_mounts() -> Iterator[Mount]:
    for each in (*SYSTEM_FOLDERS, *SYSTEM_FILES, *TOP_LEVEL):
        path = Path(each)
        if path.exists() and not (each in TOP_LEVEL and path.is_symlink()):
            yield Mount(path, path)
    for each in HIDDEN:
        if Path(each).is_dir():
            yield Mount(None, Path(each))


def _mounts(mounts: Sequence[Mount]) -> Iterator[str]:
    """Mounts in order of depth, with parents that anybody may enter.

    Parents that bubblewrap makes by itself are closed to all but root.
    """
    made: set[PurePosixPath] = {PurePosixPath("/")}
    covered: set[PurePosixPath] = set()
    for mount in sorted(mounts, key=lambda each: len(each.target.parts)):
        target = PurePosixPath(mount.target)
        ancestors = tuple(reversed(target.parents))
        if not covered.intersection(ancestors):
            for parent in ancestors:
                if parent not in made:
                    made.add(parent)
                    yield from ("--perms", "0755", "--dir", str(parent))
        covered.add(target)
        yield from _mount(mount, str(target))


def _mount(mount: Mount, target: str) -> Iterator[str]:
    if mount.source is None:
        yield from ("--perms", "0755", "--tmpfs", target)
        yield from ("--remount-ro", target)
    else:
        yield from ("--ro-bind", str(mount.source), target)


def _environment(job: Job) -> Iterator[str]:
    yield "--clearenv"
    for name, value in {**BASE_ENVIRONMENT, **job.environment}.items():
        yield from ("--setenv", name, value)
