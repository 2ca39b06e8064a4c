"""The pulse: something done again and again beside the job."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Self

from quasar_core.telemetry.logs import get_logger
from quasar_core.telemetry.metrics import CRASHES

log = get_logger(__name__)


class Pulse:
    """Calls `beat` every `seconds` in a thread of its own, while entered.

    The first beat comes after the first interval. An error of ours in a
    beat is logged and counted, and does not stop the next.
    """

    def __init__(
        self, name: str, seconds: float, beat: Callable[[], object]
    ) -> None:
        self._name = name
        CRASHES.labels(name)
        self._seconds = seconds
        self._beat = beat
        self._ended = threading.Event()
        self._thread = threading.Thread(
            target=self._run, name=name, daemon=True
        )

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()

    def _run(self) -> None:
        # pylint: disable=broad-exception-caught
        while not self._ended.wait(self._seconds):
            try:
                self._beat()
            except Exception:
                CRASHES.labels(self._name).inc()
                log.exception("pulse.crashed", pulse=self._name)
