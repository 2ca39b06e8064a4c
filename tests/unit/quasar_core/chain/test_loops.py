"""A loop in a thread: it answers, and it ends without remainder."""

from __future__ import annotations

import asyncio
import socket
import threading
from contextlib import suppress

import pytest
from quasar_core.chain import loops
from quasar_core.chain.loops import LoopThread

from tests.support.waiting import eventually


async def nothing() -> None:
    """Say goodbye."""


@pytest.fixture
def thread():
    thread = LoopThread("a loop")
    yield thread
    if thread.alive:
        thread.end(nothing())


def test_a_coroutine_is_answered_or_its_fault_raised(thread):
    async def seven() -> int:
        return 7

    async def fail() -> None:
        raise LookupError("not here")

    assert thread.ask(seven()) == 7
    with pytest.raises(LookupError, match="not here"):
        thread.ask(fail())


def test_at_the_end_no_task_no_connection_and_no_thread_is_left(thread):
    ended: list[str] = []

    async def linger() -> None:
        try:
            await asyncio.sleep(3_600)
        finally:
            ended.append("task")

    async def leave_behind(port: int) -> None:
        tasks.append(asyncio.ensure_future(linger()))
        await asyncio.get_running_loop().create_connection(
            asyncio.Protocol, "127.0.0.1", port
        )

    tasks: list[asyncio.Future[None]] = []
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread.ask(leave_behind(listener.getsockname()[1]))
        other_end, _ = listener.accept()
        thread.end(nothing())
        with other_end:
            other_end.settimeout(10)
            assert other_end.recv(1) == b""

    assert ended == ["task"]
    assert not thread.alive
    assert "a loop" not in {each.name for each in threading.enumerate()}


def test_a_farewell_that_hangs_is_not_waited_for(thread, monkeypatch):
    monkeypatch.setattr(loops, "FAREWELL_SECONDS", 0.05)

    thread.end(asyncio.sleep(3_600))

    eventually(lambda: not thread.alive)


def test_a_task_that_fails_unheard_is_no_noise(thread, capfd):
    async def abandon() -> None:
        async def fail() -> None:
            raise LookupError("unheard")

        task = asyncio.ensure_future(fail())
        await asyncio.wait([task])

    thread.ask(abandon())
    thread.end(nothing())

    assert "Traceback" not in capfd.readouterr().err


def test_who_asks_while_the_loop_is_ended_is_told_so(thread):
    async def clung_to() -> None:
        begun.set()
        await asyncio.sleep(3_600)

    begun = threading.Event()
    told: list[str] = []

    def ask() -> None:
        try:
            thread.ask(clung_to())
        except ConnectionAbortedError as fault:
            told.append(str(fault))

    caller = threading.Thread(target=ask)
    caller.start()
    assert begun.wait(60)
    thread.end(nothing())
    caller.join(60)

    assert told == ["the connection was ended"]
    with pytest.raises(ConnectionAbortedError, match="has been ended"):
        thread.ask(nothing())
    thread.end(nothing())


def test_a_question_that_clings_to_the_loop_keeps_no_caller(
    thread, monkeypatch
):
    monkeypatch.setattr(loops, "FAREWELL_SECONDS", 0.05)

    async def cling() -> None:
        begun.set()
        while not released.is_set():
            with suppress(asyncio.CancelledError):
                await asyncio.sleep(0.01)

    begun, released = threading.Event(), threading.Event()
    told: list[BaseException] = []

    def ask() -> None:
        try:
            thread.ask(cling())
        except ConnectionAbortedError as fault:
            told.append(fault)

    caller = threading.Thread(target=ask)
    caller.start()
    assert begun.wait(60)
    thread.end(nothing())
    caller.join(60)
    released.set()

    assert len(told) == 1
