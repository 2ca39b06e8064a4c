"""The one socket into a Docker sandbox: descriptors in, its end out.

Docker hands no descriptors into a container. A socket is mounted into it,
accepts once, and is gone; what was accepted belongs to the container's
first process alone and ends with it, and it with the socket.
"""

from __future__ import annotations

import array
import json
import os
import select
import socket
import struct
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from quasar_core.execution.docker_launcher import ENDED, READY
from quasar_core.execution.sandbox import SandboxUnavailable

CREDENTIALS = struct.Struct("3i")
MESSAGE_BYTES = 64


class Link:
    """The supervisor's end of the socket of one sandbox."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._listener = socket.socket(
            socket.AF_UNIX, socket.SOCK_SEQPACKET | socket.SOCK_CLOEXEC
        )
        self._wire: socket.socket | None = None
        try:
            self._listener.bind(str(path))
            # The folder is ours alone; inside, the payload's user connects.
            path.chmod(0o666)
            self._listener.listen(1)
        except OSError:
            self.close()
            raise

    def accept(self, wake: int, deadline: float) -> int | None:
        """Wait for the first process: its pid here.

        None where `wake` was written to, or at the deadline.
        """
        poll = select.poll()
        poll.register(self._listener, select.POLLIN)
        poll.register(wake, select.POLLIN)
        left = deadline - time.monotonic()
        ready = dict(poll.poll(max(left, 0) * 1000))
        if self._listener.fileno() not in ready:
            return None
        self._wire, _ = self._listener.accept()
        self._stop_listening()
        return self._peer()

    def hand_over(
        self, job: Mapping[str, Any], descriptors: Sequence[int]
    ) -> None:
        """Send the job and its descriptors."""
        written = os.memfd_create("quasar", os.MFD_CLOEXEC)
        try:
            os.write(written, json.dumps(job).encode())
            os.lseek(written, 0, os.SEEK_SET)
            rights = array.array("i", [written, *descriptors])
            self.wire.sendmsg(
                [b"."], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, rights)]
            )
        finally:
            os.close(written)

    def is_ready(self, wake: int, deadline: float) -> bool:
        """Wait for the payload to begin; False where it never does."""
        poll = select.poll()
        poll.register(self.wire, select.POLLIN)
        poll.register(wake, select.POLLIN)
        left = deadline - time.monotonic()
        ready = dict(poll.poll(max(left, 0) * 1000))
        return self.wire.fileno() in ready and self._hear() == READY

    def exit_code(self) -> int | None:
        """What the first process told of the payload's end, if it did."""
        poll = select.poll()
        poll.register(self.wire, select.POLLIN)
        if not poll.poll(0):
            return None
        said = self._hear()
        return int(said[len(ENDED) :]) if said.startswith(ENDED) else None

    @property
    def wire(self) -> socket.socket:
        """The accepted connection."""
        if self._wire is None:
            raise SandboxUnavailable("nobody has connected from inside")
        return self._wire

    def close(self) -> None:
        """Hang up: whatever is inside ends; idempotent."""
        self._stop_listening()
        if self._wire is not None:
            self._wire.close()

    def _stop_listening(self) -> None:
        self._listener.close()
        self.path.unlink(missing_ok=True)

    def _hear(self) -> bytes:
        try:
            return self.wire.recv(MESSAGE_BYTES)
        except ConnectionResetError:
            return b""

    def _peer(self) -> int:
        raw = self.wire.getsockopt(
            socket.SOL_SOCKET, socket.SO_PEERCRED, CREDENTIALS.size
        )
        return CREDENTIALS.unpack(raw)[0]
