"""Cached: a chain that hangs costs its callers a little, once, or nothing."""

from __future__ import annotations

import subprocess
import sys
import threading
from dataclasses import dataclass, field

import pytest
from quasar_core.chain.cached import Cached
from quasar_core.chain.chain import ChainUnavailable

from tests.support.chains import Clock
from tests.support.waiting import PATIENCE_SECONDS, eventually


@dataclass
class Node:
    """Answers 1, 2, 3 ... while its gate is open, or fails."""

    gate: threading.Event = field(default_factory=threading.Event)
    asked: int = 0
    ended: int = 0
    fault: BaseException | None = None

    def read(self) -> int:
        self.asked += 1
        number = self.asked
        self.gate.wait(PATIENCE_SECONDS)
        self.ended += 1
        if self.fault is not None:
            raise self.fault
        return number


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def node():
    node = Node()
    node.gate.set()
    yield node
    node.gate.set()


@pytest.fixture
def impatient(node, clock) -> Cached[int]:
    """One that never waits."""
    return Cached(node.read, 60, 600, clock, patience_seconds=0)


@pytest.fixture
def patient(node, clock) -> Cached[int]:
    """One that waits for as long as its clock stands still."""
    return Cached(node.read, 60, 600, clock, PATIENCE_SECONDS)


def value_of(cached: Cached[int]) -> int | None:
    """What it has, or None."""
    try:
        return cached.get()
    except ChainUnavailable:
        return None


def in_a_thread(cached: Cached[int]) -> tuple[threading.Thread, list[object]]:
    """Somebody who asks beside the test, and what he gets."""
    got: list[object] = []

    def ask() -> None:
        try:
            got.append(cached.get())
        except (ChainUnavailable, LookupError) as fault:
            got.append(fault)

    thread = threading.Thread(target=ask)
    thread.start()
    return thread, got


def test_an_old_value_serves_while_the_chain_hangs(impatient, node, clock):
    eventually(lambda: value_of(impatient) == 1)
    clock.now += 600
    node.gate.clear()

    assert [impatient.get() for _ in range(10)] == [1] * 10
    eventually(lambda: node.asked == 2)
    assert node.ended == 1
    clock.now += 1
    with pytest.raises(ChainUnavailable, match="it was asked 1 s ago"):
        impatient.get()
    assert node.asked == 2


def test_an_answer_that_comes_late_counts_from_when_it_was_asked_for(
    impatient, node, clock
):
    node.gate.clear()
    for _ in range(3):
        with pytest.raises(ChainUnavailable, match="does not answer"):
            impatient.get()
    clock.now += 25
    node.gate.set()

    assert eventually(impatient.fresh) == 1
    assert impatient.get() == 1
    assert impatient.age_seconds() == 25
    assert node.asked == 1


def test_a_reading_is_waited_for_from_when_it_began(patient, node, clock):
    node.gate.clear()
    thread, _ = in_a_thread(patient)
    eventually(lambda: node.asked == 1)
    clock.now += PATIENCE_SECONDS

    with pytest.raises(ChainUnavailable, match="does not answer"):
        patient.get()
    assert node.ended == 0
    node.gate.set()
    thread.join()
    eventually(lambda: value_of(patient) == 1)


def test_only_who_caused_a_reading_waits_where_there_is_a_value(
    patient, node, clock
):
    assert patient.get() == 1
    clock.now += 61
    node.gate.clear()
    thread, got = in_a_thread(patient)
    eventually(lambda: node.asked == 2)

    assert patient.get() == 1
    assert (node.ended, got) == (1, [])
    node.gate.set()
    thread.join()
    assert got == [2]


def test_a_chain_that_is_given_up_late_is_left_alone_from_then_on(
    impatient, node, clock
):
    node.gate.clear()
    assert value_of(impatient) is None
    clock.now += 30
    node.fault = ChainUnavailable("no answer in 30 s")
    node.gate.set()
    eventually(lambda: "in 30 s" in str(fault_of(impatient)))

    clock.now += 4
    node.fault = None
    assert value_of(impatient) is None
    assert node.asked == 1
    clock.now += 1
    eventually(lambda: value_of(impatient) == 2)


def fault_of(cached: Cached[int]) -> BaseException | None:
    """What asking ends in."""
    try:
        cached.get()
    except (ChainUnavailable, LookupError) as fault:
        return fault
    return None


def test_an_error_of_ours_is_raised_to_all_who_wait(patient, node):
    node.gate.clear()
    node.fault = LookupError("ours")
    callers = [in_a_thread(patient) for _ in range(3)]
    eventually(lambda: node.asked == 1)
    node.gate.set()
    for thread, _ in callers:
        thread.join()

    # who came after it was told has caused a reading of his own
    assert [type(got[0]) for _, got in callers] == [LookupError] * 3
    node.fault = None
    assert patient.get() == node.asked


@pytest.mark.parametrize("has_value", [False, True])
def test_an_error_of_ours_that_nobody_waited_for_is_told_once(
    impatient, node, clock, has_value
):
    if has_value:
        eventually(lambda: value_of(impatient) == 1)
        clock.now += 61
    node.gate.clear()
    value_of(impatient)
    node.fault = LookupError("ours")
    node.gate.set()
    ended = node.asked

    eventually(lambda: isinstance(fault_of(impatient), LookupError))
    assert node.asked == ended
    node.fault = None
    eventually(lambda: value_of(impatient) == ended + 1)


def test_a_reading_keeps_no_process_from_ending():
    assert run("""
cached = Cached(threading.Event().wait, 60, 600, time.monotonic, 0)
try:
    cached.get()
except ChainUnavailable:
    print("over")
""") == ["over"]


def test_a_fork_does_not_wait_for_its_parents_reading():
    assert run("""
parent = os.getpid()

def read():
    return threading.Event().wait() if os.getpid() == parent else 7

cached = Cached(read, 60, 600, lambda: 0.0, 0)
try:
    cached.get()
except ChainUnavailable:
    pass
child = os.fork()
if child == 0:
    while cached.fresh() is None:
        try:
            cached.get()
        except ChainUnavailable:
            time.sleep(0.01)
    os.write(1, b"%d" % cached.get())
    os._exit(0)
os.waitpid(child, 0)
""") == ["7"]


def run(script: str) -> list[str]:
    """The lines that a process writes; it must end well, and by itself."""
    head = """
import os, threading, time
from quasar_core.chain.cached import Cached
from quasar_core.chain.chain import ChainUnavailable
"""
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", head + script],
        check=True,
        capture_output=True,
        text=True,
        timeout=2 * PATIENCE_SECONDS,
    )
    return done.stdout.split()
