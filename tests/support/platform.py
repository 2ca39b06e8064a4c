"""The platform as real processes: its front door, and what it leaves."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from tests.support.waiting import eventually

QUASAR = str(Path(sys.executable).with_name("quasar"))


def quasar(
    *arguments: str,
    timeout: float = 60.0,
    environment: Mapping[str, str] | None = None,
) -> subprocess.CompletedProcess[str]:
    """Run one command to its end."""
    return subprocess.run(
        [QUASAR, *arguments],
        check=False,
        capture_output=True,
        text=True,
        timeout=timeout,
        env={**os.environ, **(environment or {})},
    )


def processes_in(folder: Path) -> dict[int, str]:
    """Every live process that runs in `folder`, or names it: pid -> words."""
    found = {}
    for entry in Path("/proc").iterdir():
        if not entry.name.isdecimal() or int(entry.name) == os.getpid():
            continue
        try:
            words = (entry / "cmdline").read_bytes().replace(b"\0", b" ")
            place = (entry / "cwd").readlink()
        except OSError:
            continue
        here = place.is_relative_to(folder) or str(folder).encode() in words
        if here:
            found[int(entry.name)] = words.decode(errors="replace")
    return found


class Command:
    """A long-running command, whose output is read while it runs."""

    def __init__(
        self, log: Path, *arguments: str, before: tuple[str, ...] = ()
    ) -> None:
        """Start it, under the command `before` where one is given."""
        self._log = log
        with log.open("wb") as file:
            self.process = subprocess.Popen(
                [*before, QUASAR, *arguments],
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def output(self) -> str:
        """What it has said so far."""
        return self._log.read_text(errors="replace")

    def wait_for(self, words: str, timeout_seconds: float) -> str:
        """Wait until it has said these words; all that it has said."""

        def said() -> bool:
            assert self.process.poll() is None, self.output()
            return words in self.output()

        eventually(said, words, timeout_seconds)
        return self.output()

    def end(self, number: signal.Signals, timeout_seconds: float) -> int:
        """Signal it, and its exit code once it has ended."""
        self.process.send_signal(number)
        return self.process.wait(timeout_seconds)

    def kill(self) -> None:
        """End it, however it stands."""
        self.process.kill()
        self.process.wait()
