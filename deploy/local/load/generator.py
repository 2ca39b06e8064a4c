"""An open-loop generator: each request at its moment, whatever came before.

Latency counts from the moment at which a request was due, so that a server
that stalls is charged for everyone who had to wait.
"""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

LOST = 0
"""The status of a request that got no answer."""

ANSWER_SECONDS = 30.0


@dataclass(frozen=True)
class Shot:
    """A request as bytes, and when it is due, in seconds from the start."""

    due_seconds: float
    request: bytes


@dataclass(frozen=True)
class Answer:
    """What came back, and how long after its moment."""

    status: int
    seconds: float
    body: bytes


@dataclass
class Volley:
    """The answers to a series of requests, in the order of sending."""

    answers: list[Answer] = field(default_factory=list)

    def with_status(self, status: int) -> list[Answer]:
        """The answers that have this status."""
        return [one for one in self.answers if one.status == status]

    def milliseconds(self, share: float) -> float:
        """The nearest-rank percentile over all answers."""
        ordered = sorted(one.seconds for one in self.answers)
        rank = max(0, math.ceil(share * len(ordered)) - 1)
        return round(1_000 * ordered[rank], 1)

    def statuses(self) -> dict[int, int]:
        """How many answers have each status."""
        counts: dict[int, int] = {}
        for one in self.answers:
            counts[one.status] = counts.get(one.status, 0) + 1
        return dict(sorted(counts.items()))

    def summary(self) -> dict[str, Any]:
        """Counts and percentiles."""
        return {
            "requests": len(self.answers),
            "statuses": {str(k): v for k, v in self.statuses().items()},
            "p50_ms": self.milliseconds(0.50),
            "p95_ms": self.milliseconds(0.95),
            "p99_ms": self.milliseconds(0.99),
            "max_ms": self.milliseconds(1.0),
        }


def request(
    method: str,
    path: str,
    body: bytes = b"",
    headers: dict[str, str] | None = None,
) -> bytes:
    """An HTTP/1.1 request that keeps its connection."""
    lines = [
        f"{method} {path} HTTP/1.1",
        "Host: 127.0.0.1",
        "Content-Type: application/json",
        f"Content-Length: {len(body)}",
        *(f"{name}: {value}" for name, value in (headers or {}).items()),
    ]
    return "\r\n".join(lines).encode("ascii") + b"\r\n\r\n" + body


def fire(
    port: int, shots: Sequence[Shot], start: float | None = None
) -> Volley:
    """Send each request at its moment; `start` is on `time.monotonic`."""
    return asyncio.run(_fire(port, shots, start))


async def _fire(
    port: int, shots: Sequence[Shot], start: float | None
) -> Volley:
    began = time.monotonic() if start is None else start
    idle: list[_Line] = []
    tasks = []
    for shot in shots:
        wait = began + shot.due_seconds - time.monotonic()
        if wait > 0:
            await asyncio.sleep(wait)
        tasks.append(asyncio.create_task(_send(port, shot, began, idle)))
    volley = Volley(list(await asyncio.gather(*tasks)))
    for line in idle:
        line.writer.close()
    return volley


@dataclass(frozen=True)
class _Line:
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter


async def _send(
    port: int, shot: Shot, began: float, idle: list[_Line]
) -> Answer:
    status, body = LOST, b""
    try:
        async with asyncio.timeout(ANSWER_SECONDS):
            line = await _line(port, idle)
            line.writer.write(shot.request)
            status, body = await _read(line.reader)
            idle.append(line)
    except (OSError, EOFError, TimeoutError):
        status = LOST
    taken = time.monotonic() - began - shot.due_seconds
    return Answer(status, taken, body)


async def _line(port: int, idle: list[_Line]) -> _Line:
    """A connection that nobody uses just now, or a new one."""
    while idle:
        line = idle.pop()
        if not line.reader.at_eof():
            return line
        line.writer.close()
    return _Line(*await asyncio.open_connection("127.0.0.1", port))


async def _read(reader: asyncio.StreamReader) -> tuple[int, bytes]:
    head = (await reader.readuntil(b"\r\n\r\n")).lower()
    status = int(head.split(b" ", 2)[1])
    length = 0
    for line in head.split(b"\r\n"):
        if line.startswith(b"content-length:"):
            length = int(line.split(b":")[1])
    return status, await reader.readexactly(length)
