"""What bubblewrap says of a sandbox, and how its payload's output opens."""

from __future__ import annotations

import json
from collections.abc import Callable

from quasar_core.execution.supervisor import HeadAndTail

STATUS_BYTES = 64 * 1024


class Status:
    """Reads `--json-status-fd`: one JSON object a line."""

    def __init__(self, tell_init_pid: Callable[[int], None]) -> None:
        self.exit_code: int | None = None
        self._tell_init_pid = tell_init_pid
        self._pending = bytearray()

    def feed(self, chunk: bytes) -> bool:
        """Take a chunk; False for more than bubblewrap ever says."""
        self._pending += chunk
        *lines, rest = bytes(self._pending).split(b"\n")
        self._pending = bytearray(rest)
        for line in filter(None, lines):
            self._take(json.loads(line))
        return len(self._pending) < STATUS_BYTES

    def _take(self, facts: dict[str, int]) -> None:
        if "child-pid" in facts:
            self._tell_init_pid(facts["child-pid"])
        self.exit_code = facts.get("exit-code", self.exit_code)


class Announced:
    """A stream that opens with a secret word, which is not passed on.

    `tell` is called once it was said.
    """

    def __init__(
        self, announcement: str, sink: HeadAndTail, tell: Callable[[], None]
    ) -> None:
        self.announcement = announcement
        self._expected = announcement.encode()
        self._opening = b""
        self._sink = sink
        self._tell = tell

    @property
    def ready(self) -> bool:
        """Whether the word was said: the payload is about to run."""
        return self._opening == self._expected

    @property
    def value(self) -> bytes:
        """What followed, or what came instead."""
        return self._sink.value if self.ready else self._opening

    def feed(self, chunk: bytes) -> bool:
        """Take a chunk; False once more came than may be drained."""
        missing = len(self._expected) - len(self._opening)
        self._opening += chunk[:missing]
        if missing and self.ready:
            self._tell()
        return self._sink.feed(chunk[missing:])
