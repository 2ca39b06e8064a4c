"""Our own programs as child processes, watched line by line."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Self

from tests.support.waiting import PATIENCE_SECONDS, eventually

ROOT = Path(__file__).resolve().parents[2]


class Program:
    """`python -m MODULE ARGUMENTS`, its stdout and stderr kept as lines."""

    def __init__(
        self,
        module: str,
        *arguments: str,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        self.lines: list[str] = []
        self._process = subprocess.Popen(
            [sys.executable, "-m", module, *arguments],
            cwd=ROOT,
            env={**os.environ, **(environment or {})},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self.lines.append(line.rstrip("\n"))

    @property
    def pid(self) -> int:
        """The process's id."""
        return self._process.pid

    @property
    def text(self) -> str:
        """All it has written so far."""
        return "\n".join(self.lines)

    def says(self, word: str) -> list[str]:
        """The lines that begin with `word`."""
        return [line for line in self.lines if line.startswith(word)]

    def wait_for(
        self, word: str, count: int = 1, seconds: float = PATIENCE_SECONDS
    ) -> None:
        """Wait until `count` lines hold `word`."""

        def told() -> bool:
            if sum(word in line for line in self.lines) >= count:
                return True
            assert self._process.poll() is None, f"it ended:\n{self.text}"
            return False

        eventually(told, f"{word!r} from\n{self.text}", seconds)

    def terminate(self, seconds: float = PATIENCE_SECONDS) -> int:
        """SIGTERM, then wait; the exit code."""
        self._process.send_signal(signal.SIGTERM)
        return self.wait(seconds)

    def wait(self, seconds: float = PATIENCE_SECONDS) -> int:
        """Wait for its end; the exit code."""
        code = self._process.wait(seconds)
        self._reader.join(seconds)
        return code

    def ask_to_end(self) -> None:
        """SIGTERM, without waiting."""
        self._process.send_signal(signal.SIGTERM)

    @property
    def ended(self) -> bool:
        """Whether it has ended."""
        return self._process.poll() is not None

    def kill(self) -> None:
        """SIGKILL, then wait; nothing where it has ended."""
        self._process.kill()
        self._process.wait()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()
        self._reader.join(PATIENCE_SECONDS)
        assert self._process.stdout is not None
        self._process.stdout.close()
