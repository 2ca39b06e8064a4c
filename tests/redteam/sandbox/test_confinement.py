"""What a payload can reach: no network, no files, no rights, no secrets."""

import json
import os
import platform
import socket
import subprocess
import sys
import threading
from dataclasses import replace
from pathlib import Path

import pytest
from quasar_core.execution import syscalls
from quasar_core.execution.sandbox import Ending, Mount

from tests.support.sandboxes import SMALL, python_job, shell_job

ATTEMPTS = """
    import json, sys
    def attempt(name, deed):
        try:
            answers[name] = repr(deed())
        except BaseException as error:
            answers[name] = type(error).__name__
    answers = {}
"""


def run(sandbox, job):
    outcome = sandbox.start(job).wait()
    assert outcome is not None
    return outcome


def answers_of(sandbox, program, *arguments, **more):
    job = python_job(ATTEMPTS + program, *arguments, **more)
    outcome = run(sandbox, job)
    assert outcome.ending is Ending.OK, outcome.stderr.decode()
    return json.loads(outcome.stdout)


on_x86_64 = pytest.mark.skipif(
    platform.machine() != "x86_64", reason="the numbers are x86_64's"
)


@pytest.fixture
def listeners():
    """Live listeners of every kind on the host, and who called them."""
    called = []
    tcp4 = socket.create_server(("127.0.0.1", 0))
    tcp6 = socket.create_server(("::1", 0), family=socket.AF_INET6)
    udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    udp.bind(("127.0.0.1", 0))
    unix = socket.socket(socket.AF_UNIX)
    unix.bind(f"\0quasar-test-{os.getpid()}")
    unix.listen()
    opened = (tcp4, tcp6, udp, unix)

    def listen(listener):
        listener.settimeout(0.05)
        while not closing.is_set():
            try:
                if listener is udp:
                    called.append(listener.recv(100))
                else:
                    called.append(listener.accept())
            except TimeoutError:
                continue

    closing = threading.Event()
    threads = [
        threading.Thread(target=listen, args=(each,)) for each in opened
    ]
    for thread in threads:
        thread.start()
    yield tcp4, tcp6, udp, called
    closing.set()
    for thread in threads:
        thread.join()
    for each in opened:
        each.close()


def test_no_listener_of_the_host_hears_a_payload(sandbox, listeners):
    tcp4, tcp6, udp, called = listeners
    answers = answers_of(
        sandbox,
        """
    import socket
    tcp4, tcp6, udp, pid = map(int, sys.argv[1:])
    attempt("tcp4", lambda: socket.create_connection(("127.0.0.1", tcp4), 1))
    attempt("tcp6", lambda: socket.create_connection(("::1", tcp6), 1))
    attempt("udp", lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            .sendto(b"x", ("127.0.0.1", udp)))
    attempt("unix", lambda: socket.socket(socket.AF_UNIX)
            .connect(f"\\0quasar-test-{pid}"))
    attempt("outside", lambda: socket.create_connection(("1.1.1.1", 53), 1))
    attempt("name", lambda: socket.getaddrinfo("example.org", 80))
    print(json.dumps(answers))
        """,
        *(str(each.getsockname()[1]) for each in (tcp4, tcp6, udp)),
        str(os.getpid()),
    )
    refused = {key: answers.pop(key) for key in ("tcp4", "tcp6", "udp")}
    assert set(refused.values()) == {"PermissionError"}
    assert answers["unix"] == answers["outside"] == "PermissionError"
    assert answers["name"] == "gaierror"
    assert called == []


def test_a_socket_of_the_host_in_a_mounted_folder_cannot_be_reached(
    sandbox, tmp_path
):
    served = tmp_path / "served"
    served.mkdir(mode=0o755)
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(served / "docker.sock"))
        (served / "docker.sock").chmod(0o777)
        listener.listen()
        listener.settimeout(0.1)
        answers = answers_of(
            sandbox,
            """
    import socket
    attempt("connect", lambda: socket.socket(socket.AF_UNIX)
            .connect("/opt/served/docker.sock"))
    attempt("pair", lambda: socket.socketpair()[0].connect(
            "/opt/served/docker.sock"))
    print(json.dumps(answers))
            """,
            mounts=(Mount(served, Path("/opt/served")),),
        )
        assert set(answers.values()) == {"PermissionError"}
        with pytest.raises(TimeoutError):
            listener.accept()


def test_nothing_can_be_written_but_tmp_and_shm(sandbox, tmp_path):
    mounted = tmp_path / "mounted"
    mounted.mkdir(mode=0o777)
    mounted.chmod(0o777)
    (mounted / "runner.py").write_text("judge")
    (mounted / "runner.py").chmod(0o666)
    answers = answers_of(
        sandbox,
        """
    import os
    from pathlib import Path
    for each in ("/", "/usr", "/usr/bin", "/etc", "/sys", "/proc", "/dev",
                 "/dev/pts", "/opt", "/opt/python", "/opt/mounted", "/bin",
                 "/opt/python/lib/python3.11/site-packages"):
        attempt(each, lambda: (Path(each) / "new").touch())
    for each in ("/opt/mounted/runner.py", "/proc/sys/kernel/hostname",
                 "/proc/sys/kernel/core_pattern", "/proc/sysrq-trigger"):
        attempt(each, lambda: os.close(os.open(each, os.O_WRONLY)))
    attempt("unlink", lambda: os.unlink("/opt/mounted/runner.py"))
    attempt("chmod", lambda: os.chmod("/opt/mounted/runner.py", 0o777))
    attempt("mknod", lambda: os.mknod("/tmp/null", 0o20666, os.makedev(1, 1)))
    attempt("remount", lambda: __import__("ctypes").CDLL(None, use_errno=True)
            .mount(b"none", b"/tmp", b"tmpfs", 0, None))
    for each in ("/tmp", "/dev/shm"):
        attempt(each, lambda: (Path(each) / "new").touch())
    print(json.dumps(answers))
        """,
        mounts=(Mount(mounted, Path("/opt/mounted")),),
    )
    assert answers.pop("/tmp") == answers.pop("/dev/shm") == "None"
    assert answers.pop("remount") == "-1"
    assert set(answers.values()) <= {
        "OSError",
        "PermissionError",
        "FileNotFoundError",
    }
    assert (mounted / "runner.py").read_text() == "judge"
    assert [each.name for each in mounted.iterdir()] == ["runner.py"]


def test_a_payload_has_no_rights_at_all(sandbox):
    outcome = run(sandbox, shell_job("cat /proc/self/status; id -u; id -G"))
    *lines, uid, groups = outcome.stdout.decode().splitlines()
    status = dict(line.split(":", 1) for line in lines)
    for each in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"):
        assert int(status[each], 16) == 0
    assert status["NoNewPrivs"].strip() == "1"
    assert status["Seccomp"].strip() == "2"
    assert (uid, groups) == ("65534", "65534")


def test_a_setuid_program_gives_nothing(sandbox):
    outcome = run(
        sandbox, shell_job("for p in su mount umount passwd; do $p; done; id")
    )
    assert b"uid=65534(" in outcome.stdout or b"uid=65534 " in outcome.stdout


DANGEROUS = (
    *("unshare", "setns", "mount", "ptrace", "keyctl", "bpf"),
    *("io_uring_setup", "perf_event_open", "userfaultfd", "pidfd_getfd"),
    *("process_vm_writev", "clock_settime", "settimeofday", "seccomp"),
    *("clock_adjtime", "open_by_handle_at", "shmget", "msgget", "socket"),
    *("connect", "bind", "sched_setaffinity"),
)


def test_a_dangerous_call_is_not_permitted(sandbox):
    numbers = syscalls.refused(platform.machine())
    answers = answers_of(
        sandbox,
        """
    import ctypes
    libc = ctypes.CDLL(None, use_errno=True)
    for name, number in json.loads(sys.argv[1]).items():
        answers[name] = [libc.syscall(number, 0, 0, 0, 0, 0, 0),
                         ctypes.get_errno()]
    print(json.dumps(answers))
        """,
        json.dumps({name: numbers[name] for name in DANGEROUS}),
    )
    assert answers == {name: [-1, 1] for name in DANGEROUS}


def test_no_kind_of_socket_can_be_made(sandbox):
    answers = answers_of(
        sandbox,
        """
    import socket
    for family in (1, 2, 10, 16, 17, 38, 40):
        for kind in (1, 2, 3, 5):
            attempt(f"{family} {kind}", lambda: socket.socket(family, kind))
    print(json.dumps(answers))
        """,
    )
    assert len(answers) == 28
    assert set(answers.values()) == {"PermissionError"}


@on_x86_64
def test_a_clone_into_new_namespaces_is_not_permitted(sandbox):
    answers = answers_of(
        sandbox,
        """
    import ctypes
    libc = ctypes.CDLL(None, use_errno=True)
    answers = []
    for flag in (0x20000, 0x2000000, 0x4000000, 0x8000000, 0x10000000,
                 0x20000000, 0x40000000):
        # 17 is SIGCHLD; a 0 would be the new child speaking.
        answers.append([libc.syscall(56, flag | 17, 0, 0, 0, 0),
                        ctypes.get_errno()])
    answers.append([libc.syscall(435, 0, 0), ctypes.get_errno()])
    print(json.dumps(answers))
        """,
    )
    assert answers == [[-1, 1]] * 7 + [[-1, 38]]


@on_x86_64
def test_a_call_of_a_foreign_architecture_ends_the_process(sandbox):
    outcome = run(
        sandbox,
        python_job("""
            import ctypes
            ctypes.CDLL(None).syscall(0x40000000 + 39)
            print("still here")
            """),
    )
    assert (outcome.ending, outcome.signal) == (Ending.SIGNAL, 31)
    assert outcome.stdout == b""


def test_input_cannot_be_pushed_into_a_terminal(sandbox):
    answers = answers_of(
        sandbox,
        """
    import fcntl, pty
    ours, theirs = pty.openpty()
    attempt("push", lambda: fcntl.ioctl(theirs, 0x5412, b"x"))
    attempt("size", lambda: fcntl.ioctl(theirs, 0x5413, b"12345678"))
    print(json.dumps(answers))
        """,
    )
    assert answers["push"] == "PermissionError"
    assert answers["size"].startswith("b'")


def test_the_processes_of_the_host_can_be_neither_seen_nor_signalled(sandbox):
    # uid 65534, as the payload's: only the namespace stands between them.
    bystander = subprocess.Popen(
        ["/bin/sleep", "60"], user=65534, group=65534, extra_groups=[]
    )
    try:
        answers = answers_of(
            sandbox,
            """
    import os
    from pathlib import Path
    pid = int(sys.argv[1])
    attempt("signal", lambda: os.kill(pid, 9))
    attempt("group", lambda: os.killpg(pid, 9))
    attempt("all", lambda: os.kill(-1, 0))
    names = [(each / "cmdline").read_text() for each in Path("/proc").iterdir()
             if each.name.isdigit()]
    answers["seen"] = [name.split("\\0")[0].rsplit("/", 1)[-1]
                       for name in names]
    print(json.dumps(answers))
            """,
            str(bystander.pid),
        )
        assert bystander.poll() is None
    finally:
        bystander.kill()
        bystander.wait()
    assert answers["signal"] == answers["group"] == "ProcessLookupError"
    # Its own first process, which is ours, and itself.
    assert len(answers["seen"]) == 2


def test_a_secret_of_the_launcher_is_in_no_environ_and_no_descriptor(
    tmp_path, sandbox, backend
):
    """The launcher itself runs with a secret in its environment and files."""
    secret = tmp_path / "secret"
    secret.write_text("hunter2-in-a-file")
    program = f"""
import json, os, sys
from pathlib import Path
from tests.support.sandboxes import python_job, sandbox_in
kept = os.open({str(secret)!r}, os.O_RDONLY)
os.set_inheritable(kept, True)
job = python_job('''
import json, os
from pathlib import Path
found = []
for process in Path("/proc").iterdir():
    if process.name.isdigit():
        for name in ("environ", "cmdline", "maps", "mountinfo", "status"):
            try:
                found.append((process / name).read_text())
            except OSError:
                pass
        try:
            for each in (process / "fd").iterdir():
                found.append(os.readlink(each))
        except OSError:
            pass
print(json.dumps(found))
''')
outcome = sandbox_in(Path(sys.argv[1]), {backend!r}).start(job).wait()
assert outcome.stdout, outcome.stderr
sys.stdout.buffer.write(outcome.stdout)
"""
    done = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path)],
        cwd=Path(__file__).parents[3],
        env={**os.environ, "PLANTED_SECRET": "hunter2"},
        capture_output=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr.decode()
    found = "\n".join(json.loads(done.stdout))
    assert "PYTHONDONTWRITEBYTECODE" in found
    assert "hunter2" not in found
    assert str(secret) not in found
    assert "PLANTED_SECRET" not in found


def test_nothing_of_this_project_and_no_stranger_can_be_imported(sandbox):
    answers = answers_of(
        sandbox,
        """
    import importlib
    for each in ("quasar_core", "fla_quasar", "services", "fla", "pip",
                 "pytest", "redis", "bittensor", "numpy"):
        attempt(each, lambda: importlib.import_module(each).__name__)
    print(json.dumps(answers))
        """,
        distributions=("numpy",),
    )
    assert answers.pop("numpy") == "'numpy'"
    assert set(answers.values()) == {"ModuleNotFoundError"}


def test_a_device_of_the_host_is_not_there(sandbox):
    outcome = run(sandbox, shell_job("ls /dev /dev/pts | sort -u | xargs"))
    seen = set(outcome.stdout.decode().split())
    assert seen.isdisjoint({"mem", "kmsg", "sda", "vda", "kvm", "fuse"})


def test_the_clock_of_the_host_cannot_be_set(sandbox):
    answers = answers_of(
        sandbox,
        """
    import time
    attempt("set", lambda: time.clock_settime(time.CLOCK_REALTIME, 0.0))
    print(json.dumps(answers))
        """,
    )
    assert answers == {"set": "PermissionError"}


def test_limits_can_be_raised_by_no_payload(sandbox):
    answers = answers_of(
        sandbox,
        """
    import resource
    for each in ("RLIMIT_NOFILE", "RLIMIT_CORE"):
        kind = getattr(resource, each)
        answers[each + " was"] = resource.getrlimit(kind)
        attempt(each, lambda: resource.setrlimit(kind, (9999, 9999)))
    print(json.dumps(answers))
        """,
        limits=replace(SMALL, nofile=77),
    )
    assert answers["RLIMIT_NOFILE was"] == [77, 77]
    assert answers["RLIMIT_CORE was"] == [0, 0]
    assert answers["RLIMIT_NOFILE"] == answers["RLIMIT_CORE"] == "ValueError"
