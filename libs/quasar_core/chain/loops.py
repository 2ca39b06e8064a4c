"""A loop in a thread of its own, which ends without remainder.

The SDK leaves tasks and sockets behind when a question of its is given up
half-way; whoever polls a node that is away would collect them for ever.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Coroutine
from concurrent.futures import CancelledError, Future
from typing import Any, TypeVar
from weakref import WeakSet

from quasar_core.telemetry.logs import get_logger

T = TypeVar("T")

FAREWELL_SECONDS = 5.0
"""How long what runs on a loop may take to end."""

log = get_logger("chain")


class _Loop(asyncio.SelectorEventLoop):
    """A loop that knows every connection which was opened on it."""

    def __init__(self) -> None:
        super().__init__()
        self._lines: WeakSet[asyncio.WriteTransport] = WeakSet()

    async def create_connection(self, *args: Any, **options: Any) -> Any:
        opened = await super().create_connection(*args, **options)
        self._lines.add(opened[0])
        return opened

    def cut_lines(self) -> None:
        """End every connection at once, whatever it still had to say."""
        for line in list(self._lines):
            line.abort()


class LoopThread:
    """Runs coroutines of one client, for callers that know of no loop."""

    def __init__(self, name: str) -> None:
        self._loop = _Loop()
        self._door = threading.Lock()
        self._asked: set[Future[Any]] = set()
        self._ended = False
        self._loop.set_exception_handler(_note)
        self._thread = threading.Thread(
            target=self._run, name=name, daemon=True
        )
        self._thread.start()

    @property
    def alive(self) -> bool:
        """Whether it has not been ended."""
        return self._thread.is_alive()

    def ask(self, question: Coroutine[Any, Any, T]) -> T:
        """What the coroutine returns, or raises.

        Raises ConnectionAbortedError where another thread ends the loop.
        """
        with self._door:
            if self._ended:
                question.close()
                raise ConnectionAbortedError("the connection has been ended")
            asked = self._submit(question)
            self._asked.add(asked)
        try:
            return asked.result()
        except CancelledError as fault:
            raise ConnectionAbortedError("the connection was ended") from fault
        finally:
            with self._door:
                self._asked.discard(asked)

    def end(self, farewell: Coroutine[Any, Any, Any]) -> None:
        """Run `farewell`, for as long as that may take, and end the loop.

        Only the first end counts.
        """
        with self._door:
            if self._ended:
                farewell.close()
                return
            self._ended = True
        self._submit(self._end(farewell)).result()
        with self._door:
            left = list(self._asked)
        for asked in left:  # what clings to the loop keeps no caller
            asked.cancel()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(FAREWELL_SECONDS)

    def _submit(self, question: Coroutine[Any, Any, T]) -> Future[T]:
        return asyncio.run_coroutine_threadsafe(question, self._loop)

    async def _end(self, farewell: Coroutine[Any, Any, Any]) -> None:
        task = asyncio.ensure_future(farewell)
        await asyncio.wait([task], timeout=FAREWELL_SECONDS)
        rest = asyncio.all_tasks() - {asyncio.current_task()}
        for left in rest:
            left.cancel()
        if rest:
            await asyncio.wait(rest, timeout=FAREWELL_SECONDS)
        self._loop.cut_lines()
        # what was cut is told so in the next round of the loop
        await asyncio.sleep(0)
        await asyncio.sleep(0)

    def _run(self) -> None:
        self._loop.run_forever()
        self._loop.run_until_complete(self._loop.shutdown_asyncgens())
        self._loop.close()


def _note(_: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """A task of the SDK's that nobody waits for any more has failed."""
    fault = context.get("exception")
    log.debug("chain.left_behind", what=context["message"], fault=repr(fault))
