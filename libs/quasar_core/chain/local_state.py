"""The file behind a LocalChain: its shape, its lock, its atomic writes."""

from __future__ import annotations

import fcntl
import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from quasar_core.chain.chain import ChainUnavailable

LOCK_TIMEOUT_SECONDS = 10.0
_LOCK_POLL_SECONDS = 0.005

Uid = Annotated[int, Field(ge=0, le=65_535)]
U16 = Annotated[int, Field(ge=0, le=65_535)]


class _State(BaseModel):
    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)


class Genesis(_State):
    """What a local chain is made with; blocks count from its first moment.

    Times are in seconds, all other periods in blocks. `max_weight_limit`
    is the largest part of a vector's sum that one weight may be.
    """

    netuid: Annotated[int, Field(ge=0)] = 24
    block_seconds: Annotated[float, Field(gt=0)] = 12.0
    tempo: Annotated[int, Field(ge=1)] = 360
    weights_rate_limit: Annotated[int, Field(ge=0)] = 100
    min_allowed_weights: Annotated[int, Field(ge=0)] = 1
    max_weight_limit: Annotated[float, Field(gt=0, le=1)] = 1.0
    commit_reveal: bool = False
    version_key: int = 0
    max_uids: Annotated[int, Field(ge=1)] = 256
    owner_hotkey: str | None = None


class NeuronRow(_State):
    """A registration."""

    uid: Uid
    hotkey: str
    coldkey: str
    validator_permit: bool = False
    stake: float = 0.0


class SetRow(_State):
    """A vector as it was set: uid -> u16, and when it became visible."""

    block: int
    visible_from_block: int
    weights: dict[Uid, U16]


class LocalState(_State):
    """Everything a local chain knows."""

    genesis: Genesis
    genesis_time: float
    height: int = 0
    """The highest block at which anything was written: a clock that is
    set back does not take blocks back with it."""
    neurons: list[NeuronRow] = []
    sets: dict[str, list[SetRow]] = {}
    """What each validator set, the oldest first."""

    def neuron(self, hotkey: str) -> NeuronRow | None:
        """The registration of this canonical hotkey, if any."""
        return next((n for n in self.neurons if n.hotkey == hotkey), None)

    def last_set(self, hotkey: str) -> int | None:
        """The block at which this validator last set weights, if it did."""
        rows = self.sets.get(hotkey, [])
        return max((row.block for row in rows), default=None)


class StateFile:
    """One JSON file that many processes read and change at once.

    Readers take no lock: a change is written beside the file and put in
    its place by one rename. Writers queue at a lock file.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock_path = path.with_name(f"{path.name}.lock")

    def read(self) -> LocalState:
        """The state now; ChainUnavailable where the file gives none."""
        try:
            text = self.path.read_bytes()
        except FileNotFoundError as fault:
            raise ChainUnavailable(
                f"there is no local chain at {self.path}: `quasar up` starts"
                " one"
            ) from fault
        except OSError as fault:
            raise ChainUnavailable(
                f"the local chain at {self.path} cannot be read:"
                f" {fault.strerror}"
            ) from fault
        try:
            return LocalState.model_validate_json(text)
        except ValidationError as fault:
            raise ChainUnavailable(
                f"the local chain at {self.path} is damaged: the file does"
                " not hold a chain's state; restore it, or remove it and"
                " begin a new chain"
            ) from fault

    @contextmanager
    def change(self) -> Iterator[LocalState]:
        """The state, to be changed in place; saved if nothing was raised."""
        with self._locked():
            state = self.read()
            yield state
            self._write(state)

    def create(self, state: LocalState) -> None:
        """Write the first state; raises FileExistsError if there is one."""
        with self._locked():
            if self.path.exists():
                raise FileExistsError(self.path)
            self._write(state)

    @contextmanager
    def _locked(self) -> Iterator[None]:
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            descriptor = os.open(
                self._lock_path, os.O_RDWR | os.O_CREAT, 0o644
            )
        except OSError as fault:
            raise ChainUnavailable(
                f"the local chain at {self.path} cannot be locked:"
                f" {fault.strerror}"
            ) from fault
        try:
            self._await_lock(descriptor)
            yield
        finally:
            os.close(descriptor)

    def _await_lock(self, descriptor: int) -> None:
        deadline = time.monotonic() + LOCK_TIMEOUT_SECONDS
        while True:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as fault:
                if time.monotonic() > deadline:
                    raise ChainUnavailable(
                        f"another process has kept the local chain at"
                        f" {self.path} locked for"
                        f" {LOCK_TIMEOUT_SECONDS:g} s"
                    ) from fault
                time.sleep(_LOCK_POLL_SECONDS)
            else:
                return

    def _write(self, state: LocalState) -> None:
        draft = self.path.with_name(
            f".{self.path.name}.{os.getpid()}.{threading.get_ident()}"
        )
        try:
            with draft.open("w", encoding="utf-8") as file:
                file.write(state.model_dump_json(indent=1))
                file.flush()
                os.fsync(file.fileno())
            draft.replace(self.path)
        except OSError as fault:
            draft.unlink(missing_ok=True)
            raise ChainUnavailable(
                f"the local chain at {self.path} cannot be written:"
                f" {fault.strerror}"
            ) from fault
