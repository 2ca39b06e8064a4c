"""Windows on a device, as the candidate sees them: imported and mapped.

Loaded by `runner.py` from beside it, where the referee's first frame says
that the windows lie on a device. `quasar_core/judge/driver.py` makes what is
imported here. The library is `libcuda.so.1` in TRITON_LIBCUDA_PATH.
"""

from __future__ import annotations

import ctypes
import os
import select
import socket
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

DEVICE, POSIX_DESCRIPTOR = 1, 1
READ, READ_WRITE = 1, 3
MEMORY_TYPE, HOST_MEMORY = 2, 1
LIBRARY = "libcuda.so.1"
WORD_BYTES = 4
AT_LEAST = 0
IN_ORDER = 0


class Location(ctypes.Structure):
    """CUmemLocation."""

    _fields_ = (("type", ctypes.c_int), ("id", ctypes.c_int))


class Access(ctypes.Structure):
    """CUmemAccessDesc."""

    _fields_ = (("location", Location), ("flags", ctypes.c_int))


class Array:
    """Bytes on a device, for PyTorch."""

    def __init__(self, pointer: int, size: int) -> None:
        self.__cuda_array_interface__ = {
            "shape": (size,),
            "typestr": "|u1",
            "data": (pointer, False),
            "strides": None,
            "version": 3,
        }


class DeviceWindows:
    """The Ys and Xs of a device, by slot: addresses, and tensors on them.

    The last word of the first X is the gate: the number of the latest call
    whose X is there. In the last word of the first Y stands the number of the
    latest call that is done. `turn` is that of the call that is being served.
    """

    def __init__(
        self, descriptors: Sequence[int], output_bytes: int, input_bytes: int
    ) -> None:
        library = Path(os.environ.get("TRITON_LIBCUDA_PATH", "")) / LIBRARY
        self._library: Any = ctypes.CDLL(str(library))
        self._call("cuInit", ctypes.c_uint(0))
        device = ctypes.c_int()
        self._call("cuDeviceGet", ctypes.byref(device), 0)
        context = ctypes.c_void_p()
        self._call("cuDevicePrimaryCtxRetain", ctypes.byref(context), device)
        self._call("cuCtxSetCurrent", context)
        self._tensors: list[tuple[Any, Any]] = []
        self._place = Location(DEVICE, device.value)
        half = len(descriptors) // 2
        self.outputs = [
            (self._mapped(descriptor, output_bytes, READ_WRITE), output_bytes)
            for descriptor in descriptors[:half]
        ]
        self.inputs = [
            (self._mapped(descriptor, input_bytes, READ), input_bytes)
            for descriptor in descriptors[half:]
        ]
        self._gate = self.inputs[0][0] + input_bytes - WORD_BYTES
        self._done = self.outputs[0][0] + output_bytes - WORD_BYTES
        self.turn = 0
        self.pending: deque[tuple[bytes, Any]] = deque()

    @contextmanager
    def call(self, slot: int) -> Iterator[tuple[Any, Any]]:
        """The bytes of X and Y of a slot, for kernels that are launched here.

        On the device they wait until X is there.
        """
        import torch

        if not self._tensors:
            self._tensors = [
                (self.tensor(torch, window), self.tensor(torch, output))
                for window, output in zip(
                    self.inputs, self.outputs, strict=True
                )
            ]
        self._on_the_word("cuStreamWaitValue32_v2", self._gate, AT_LEAST)
        yield self._tensors[slot]

    def note(self, nonce: bytes) -> None:
        """A call was launched: its number is written when it is through."""
        import torch

        self._on_the_word("cuStreamWriteValue32_v2", self._done, IN_ORDER)
        launched = None
        if not self.on_host(self._done):
            launched = torch.cuda.Event()
            launched.record()
        self.pending.append((nonce, launched))

    def settle(
        self,
        wire: socket.socket,
        done: Callable[[bytes], object],
        failed: Callable[[bytes, Exception], object],
    ) -> None:
        """Answer for calls as the device ends them, until a frame waits.

        That a DONE waits for the device is politeness: nobody relies on it.
        """
        poll = select.poll()
        poll.register(wire, select.POLLIN)
        while self.pending and not poll.poll(0):
            nonce, launched = self.pending[0]
            try:
                if launched is not None and not launched.query():
                    continue
            except Exception as error:  # noqa: BLE001 -- whatever it raises
                failed(nonce, error)
            else:
                done(nonce)
            self.pending.popleft()

    def tensor(self, torch: Any, window: tuple[int, int]) -> Any:
        """The bytes of a window."""
        pointer, size = window
        if self.on_host(pointer):
            memory = (ctypes.c_ubyte * size).from_address(pointer)
            return torch.frombuffer(memory, dtype=torch.uint8)
        return torch.as_tensor(Array(pointer, size))

    def on_host(self, pointer: int) -> bool:
        """Whether an address is this process's own memory."""
        kind = ctypes.c_uint()
        where = ctypes.c_ulonglong(pointer)
        self._call(
            "cuPointerGetAttribute", ctypes.byref(kind), MEMORY_TYPE, where
        )
        return kind.value == HOST_MEMORY

    def _on_the_word(self, name: str, word: int, flags: int) -> None:
        """Queue on the current stream what is done with a word's number."""
        import torch

        stream = None
        if not self.on_host(word):
            stream = torch.cuda.current_stream().cuda_stream
        self._call(
            name,
            ctypes.c_void_p(stream),
            ctypes.c_ulonglong(word),
            ctypes.c_uint(self.turn),
            ctypes.c_uint(flags),
        )

    def _mapped(self, descriptor: int, size: int, rights: int) -> int:
        handle, pointer = ctypes.c_ulonglong(), ctypes.c_ulonglong()
        self._call(
            "cuMemImportFromShareableHandle",
            ctypes.byref(handle),
            ctypes.c_void_p(descriptor),
            POSIX_DESCRIPTOR,
        )
        os.close(descriptor)
        length, zero = ctypes.c_size_t(size), ctypes.c_ulonglong(0)
        self._call(
            "cuMemAddressReserve",
            ctypes.byref(pointer),
            length,
            ctypes.c_size_t(0),
            zero,
            zero,
        )
        start = ctypes.c_size_t(0)
        self._call("cuMemMap", pointer, length, start, handle, zero)
        access = Access(self._place, rights)
        self._call(
            "cuMemSetAccess",
            pointer,
            length,
            ctypes.byref(access),
            ctypes.c_size_t(1),
        )
        # The mapping keeps what it maps.
        self._call("cuMemRelease", handle)
        return int(pointer.value or 0)

    def _call(self, name: str, *arguments: object) -> None:
        code = getattr(self._library, name)(*arguments)
        if code:
            raise RuntimeError(f"{name} failed with {code}")
