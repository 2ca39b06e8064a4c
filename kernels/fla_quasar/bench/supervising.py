"""Rows one by one in a process of their own, within a time budget.

A row that hangs, tunes for too long or brings its process down costs that
row: the process is replaced and the next row runs. What a row measured is
in the record before the next one starts.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict
from queue import Empty, Queue
from threading import Thread

from .rows import Row

DONE, FAILED = "row done: ", "row failed: "
# Less than this is not worth starting a row for.
LEAST_SECONDS = 5.0
COMMAND = (sys.executable, "-m", "fla_quasar.bench.worker")
Clock = Callable[[], float]


class Worker:
    """A process that measures the rows it reads, one a line."""

    def __init__(self, command: Sequence[str]) -> None:
        self._process = subprocess.Popen(  # noqa: S603 -- our own module
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            bufsize=1,
        )
        self.is_spent = False
        self._lines: Queue[str | None] = Queue()
        self._reader = Thread(target=self._read, daemon=True)
        self._reader.start()

    def measure(self, row: Row, seconds: float) -> str:
        """Why `row` was not measured, or nothing if it was.

        The worker `is_spent` after that, and after a row that failed: a
        fault on the device stays with its process.
        """
        self.is_spent = True
        assert self._process.stdin is not None  # noqa: S101 -- it is a pipe
        try:
            self._process.stdin.write(json.dumps(asdict(row)) + "\n")
            self._process.stdin.flush()
        except BrokenPipeError:
            return "its process was not there"
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0:
            try:
                line = self._lines.get(timeout=left)
            except Empty:
                break
            if line is None:
                status = self._process.wait()
                return f"its process ended with status {status}"
            if line.startswith((DONE, FAILED)):
                self.is_spent = line.startswith(FAILED)
                return ""
            sys.stdout.write(line)
            sys.stdout.flush()
        return f"no answer within {seconds:.0f} s"

    def close(self) -> None:
        """End the process, however it is."""
        self._process.kill()
        self._process.wait()
        self._reader.join()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                pipe.close()

    def _read(self) -> None:
        assert self._process.stdout is not None  # noqa: S101 -- it is a pipe
        for line in self._process.stdout:
            self._lines.put(line)
        self._lines.put(None)


def supervise(
    rows: Sequence[Row],
    seconds: float,
    command: Sequence[str] = COMMAND,
    clock: Clock = time.monotonic,
) -> Iterator[tuple[Row, str]]:
    """Measure `rows` in order until `seconds` are over.

    Yields each row that was started, and why it was not measured: nothing
    if it was, since its process has then recorded it.
    """
    until = clock() + seconds
    worker: Worker | None = None
    try:
        for row in rows:
            left = until - clock()
            if left < LEAST_SECONDS:
                return
            worker = worker or Worker(command)
            why = worker.measure(row, min(left, row.patience_seconds))
            if worker.is_spent:
                worker.close()
                worker = None
            yield row, why
    finally:
        if worker is not None:
            worker.close()
