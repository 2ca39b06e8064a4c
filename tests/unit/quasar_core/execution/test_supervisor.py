import os
import signal
import subprocess
import time

import pytest
from quasar_core.execution.supervisor import (
    HeadAndTail,
    Stop,
    Whole,
    drain,
    supervise,
)


@pytest.fixture
def watch():
    """Supervise a shell program; gives why it stopped, and what it said."""
    opened = []

    def run(program, sink=None, seconds=10.0, wake=None):
        process = subprocess.Popen(
            ["/bin/sh", "-c", program],
            stdout=subprocess.PIPE,
            start_new_session=True,
        )
        pidfd = os.pidfd_open(process.pid)
        opened.append((process, pidfd))
        sink = sink or Whole(1000)
        sinks = {process.stdout.fileno(): sink}
        stop = supervise(
            pidfd,
            sinks,
            deadline=time.monotonic() + seconds,
            wake_descriptor=wake,
        )
        if stop is Stop.EXITED:
            drain(sinks)
        return stop, sink.value

    yield run
    for process, pidfd in opened:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        process.stdout.close()
        os.close(pidfd)


def test_a_process_that_ends_is_heard_to_the_last_byte(watch):
    assert watch("echo all; echo of it; sleep 0.05 &") == (
        Stop.EXITED,
        b"all\nof it\n",
    )


def test_a_deadline_stops_the_watch(watch):
    assert watch("echo a; sleep 60", seconds=0.2) == (Stop.DEADLINE, b"a\n")


def test_too_much_output_stops_the_watch(watch):
    stop, said = watch("yes", Whole(5000))
    assert stop is Stop.OVERFLOW
    assert len(said) > 5000


def test_a_byte_on_the_wake_descriptor_stops_the_watch(watch):
    wake = os.eventfd(1)
    try:
        assert watch("sleep 60", wake=wake)[0] is Stop.ASKED
    finally:
        os.close(wake)


def test_a_closed_pipe_does_not_keep_the_watch_busy(watch):
    before = time.process_time()
    assert watch("exec >&-; sleep 0.5")[0] is Stop.EXITED
    assert time.process_time() - before < 0.3


def test_an_orphan_that_holds_the_pipe_does_not_hold_the_drain():
    reader, writer = os.pipe()
    try:
        os.write(writer, b"said")
        sink = Whole(100)
        os.set_blocking(reader, False)
        drain({reader: sink}, seconds=0.1)
        assert sink.value == b"said"
    finally:
        os.close(reader)
        os.close(writer)


def test_head_and_tail_keep_a_short_stream_whole():
    kept = HeadAndTail(10, 1000)
    assert kept.feed(b"abc")
    assert kept.feed(b"defghij")
    assert kept.value == b"abcdefghij"


def test_head_and_tail_say_how_much_is_left_out():
    kept = HeadAndTail(6, 1000)
    for each in b"abcdefghijkl":
        kept.feed(bytes([each]))
    assert kept.value == b"abc\n[... 6 bytes left out ...]\njkl"
    assert kept.total == 12


def test_head_and_tail_call_out_more_than_may_be_drained():
    kept = HeadAndTail(4, 10)
    assert kept.feed(b"x" * 10)
    assert not kept.feed(b"x")


def test_whole_calls_out_more_than_it_may_hold():
    kept = Whole(3)
    assert kept.feed(b"abc")
    assert not kept.feed(b"d")
