"""What a payload can use up: only its own share, and never the host's."""

import threading
import time
from dataclasses import replace

from quasar_core.execution.limits import MIB
from quasar_core.execution.sandbox import Ending

from tests.support.sandboxes import (
    SMALL,
    open_descriptors,
    python_job,
    shell_job,
)

BRIEF = replace(SMALL, wall_seconds=1.5)


def healthy(sandbox):
    """The next honest job gets its usual result."""
    outcome = sandbox.start(shell_job("echo well")).wait()
    return (outcome.ending, outcome.stdout) == (Ending.OK, b"well\n")


def test_a_polite_fork_bomb_runs_into_its_bound(sandbox):
    outcome = sandbox.start(python_job("""
            import os, time
            count = 0
            try:
                while True:
                    if not os.fork():
                        time.sleep(60)
                    count += 1
            except OSError as error:
                print(count, error.errno)
            """)).wait()
    assert outcome.ending is Ending.OK
    count, error = outcome.stdout.split()
    assert (int(count), int(error)) == (SMALL.pids - 1, 11)
    assert outcome.pids_limit_hit
    assert healthy(sandbox)


def test_a_real_fork_bomb_is_ended_with_all_it_spawned(sandbox):
    outcome = sandbox.start(
        python_job(
            """
            import os
            while True:
                try:
                    os.fork()
                except OSError:
                    pass
            """,
            limits=BRIEF,
        )
    ).wait()
    assert outcome.ending is Ending.TIMEOUT
    assert outcome.pids_limit_hit
    assert healthy(sandbox)


def test_threads_count_as_processes(sandbox):
    outcome = sandbox.start(python_job("""
            import threading, time
            for count in range(1000):
                try:
                    threading.Thread(target=time.sleep, args=(60,),
                                     daemon=True).start()
                except RuntimeError:
                    break
            print(count)
            """)).wait()
    assert int(outcome.stdout) == SMALL.pids - 1


def test_a_memory_hog_is_ended_and_called_so(sandbox):
    outcome = sandbox.start(
        python_job("kept = bytearray(10**9); kept[::4096] = kept[::4096]")
    ).wait()
    assert outcome.ending is Ending.OUT_OF_MEMORY
    assert outcome.peak_memory_bytes <= SMALL.memory_bytes
    assert healthy(sandbox)


def test_a_memory_hog_is_called_so_even_if_its_end_is_asked_for_first(
    sandbox,
):
    running = sandbox.start(python_job("kept = b'1' * 10**9"))
    while running.alive and sandbox_oom(running) == 0:
        time.sleep(0.01)
    assert running.kill().ending is Ending.OUT_OF_MEMORY


def sandbox_oom(running):
    group = running._supervision.cgroup
    return group.oom_kills() if group is not None else 0


def test_anonymous_files_count_as_memory(sandbox):
    outcome = sandbox.start(python_job("""
            import os
            for each in range(100):
                hog = os.memfd_create("hog")
                for _ in range(16):
                    os.write(hog, b"1" * (1 << 20))
            """)).wait()
    assert outcome.ending is Ending.OUT_OF_MEMORY
    assert healthy(sandbox)


def test_thirty_children_share_one_bound_on_memory(sandbox):
    outcome = sandbox.start(
        python_job(
            """
            import os, time
            children = []
            for _ in range(30):
                child = os.fork()
                if not child:
                    kept = b"1" * (100 << 20)
                    time.sleep(60)
                children.append(child)
            ended = sum(os.waitpid(child, os.WNOHANG)[0] != 0
                        for child in children)
            time.sleep(0.5)
            """,
            limits=replace(SMALL, wall_seconds=4, pids=64),
        )
    ).wait()
    assert outcome.peak_memory_bytes <= SMALL.memory_bytes
    assert outcome.ending in {Ending.OK, Ending.OUT_OF_MEMORY}
    assert healthy(sandbox)


def test_tmp_and_shm_fill_up_at_their_own_sizes(sandbox):
    outcome = sandbox.start(python_job("""
            import os
            for folder in ("/tmp", "/dev/shm"):
                written = 0
                try:
                    with open(folder + "/full", "wb", 0) as file:
                        while True:
                            written += file.write(b"1" * (1 << 20))
                except OSError as error:
                    print(written, error.errno)
            """)).wait()
    assert outcome.stdout.split() == [
        *(str(SMALL.tmp_bytes).encode(), b"28"),
        *(str(SMALL.shm_bytes).encode(), b"28"),
    ]


def test_a_million_empty_files_count_as_memory(sandbox):
    outcome = sandbox.start(
        python_job(
            """
            import os
            name = "x" * 200
            for each in range(10**7):
                os.close(os.open(f"/tmp/{name}{each}", os.O_CREAT))
            """,
            limits=replace(SMALL, memory_bytes=32 * MIB, wall_seconds=6),
        )
    ).wait()
    assert outcome.ending is not Ending.OK
    assert outcome.peak_memory_bytes <= 32 * MIB
    assert healthy(sandbox)


def test_an_endless_loop_ends_at_its_deadline(sandbox):
    outcome = sandbox.start(
        python_job("while True: pass", limits=BRIEF)
    ).wait()
    assert outcome.ending is Ending.TIMEOUT
    assert 1.4 < outcome.wall_seconds < 5


def test_a_share_of_one_processor_is_a_share(sandbox):
    outcome = sandbox.start(
        python_job(
            """
            import time
            end = time.monotonic() + 1
            while time.monotonic() < end:
                pass
            print(time.process_time())
            """,
            limits=replace(SMALL, cpus=0.3),
        )
    ).wait()
    assert float(outcome.stdout) < 0.6


def test_one_processor_is_one_however_many_run(sandbox):
    """And no payload can move to another one."""
    outcome = sandbox.start(
        python_job(
            """
            import os, time
            everywhere = range(os.cpu_count())
            refused = 0
            for who in (0, os.getpid(), os.getppid()):
                try:
                    os.sched_setaffinity(who, everywhere)
                except PermissionError:
                    refused += 1
            seen, reader = set(), os.pipe()
            for _ in range(4):
                if not os.fork():
                    end = time.monotonic() + 0.5
                    while time.monotonic() < end:
                        with open("/proc/self/stat") as file:
                            fields = file.read().rpartition(")")[2].split()
                        seen.add(fields[36])
                    os.write(reader[1], " ".join(seen).encode() + b" ")
                    os._exit(0)
            for _ in range(4):
                os.wait()
            print(len(os.sched_getaffinity(0)), refused,
                  len(set(os.read(reader[0], 4096).split())))
            """,
            limits=replace(SMALL, cpus=1),
        )
    ).wait()
    assert outcome.stdout.split() == [b"1", b"3", b"1"], outcome.stderr


def test_gigabytes_on_stdout_are_thrown_away_and_then_refused(sandbox):
    outcome = sandbox.start(
        shell_job(
            "yes flood",
            limits=replace(SMALL, drain_bytes=512 * MIB, output_bytes=4096),
        )
    ).wait()
    assert outcome.ending is Ending.OUTPUT_LIMIT
    assert outcome.stdout.startswith(b"flood\nflood\n")
    assert len(outcome.stdout) < 5000
    assert b"bytes left out" in outcome.stdout
    assert healthy(sandbox)


def test_a_hundred_megabytes_on_stderr_hurt_nobody(sandbox):
    outcome = sandbox.start(
        shell_job("yes flood | head -c 100000000 >&2; echo done; echo end >&2")
    ).wait()
    assert (outcome.ending, outcome.stdout) == (Ending.OK, b"done\n")
    assert outcome.stderr.endswith(b"end\n")
    assert len(outcome.stderr) < SMALL.output_bytes + 100


def test_a_payload_that_never_reads_or_closes_cannot_hold_the_supervisor(
    sandbox,
):
    outcome = sandbox.start(
        shell_job("sleep 60 & echo left behind", limits=BRIEF)
    ).wait()
    assert (outcome.ending, outcome.stdout) == (Ending.OK, b"left behind\n")
    assert outcome.wall_seconds < 1.4


def test_two_jobs_at_once_do_not_meet(sandbox):
    def hold(word):
        return python_job(
            """
            import os, sys, time
            from pathlib import Path
            Path("/tmp/mine").write_text(sys.argv[1])
            Path("/dev/shm/mine").write_text(sys.argv[1])
            time.sleep(0.5)
            print(Path("/tmp/mine").read_text(), os.listdir("/dev/shm"),
                  len([each for each in os.listdir("/proc")
                       if each.isdigit()]))
            """,
            word,
        )

    with sandbox.start(hold("one")) as one, sandbox.start(hold("two")) as two:
        first, second = one.wait(), two.wait()
    assert first.stdout == b"one ['mine'] 2\n"
    assert second.stdout == b"two ['mine'] 2\n"


def test_many_jobs_started_from_many_threads_all_end(sandbox):
    outcomes = []

    def work():
        outcomes.append(sandbox.start(shell_job("echo $$; exit 3")).wait())

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [each.exit_code for each in outcomes] == [3] * 8
    before = open_descriptors()
    assert healthy(sandbox)
    assert open_descriptors() <= before
