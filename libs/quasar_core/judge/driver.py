"""The CUDA driver, as far as windows of device memory need it: by ctypes.

`candidate/device_windows.py` binds the other half of the same few calls. No
package stands between us and the driver: both ends call what is proved by
the same tests, and a test can put another library in its place.
"""

from __future__ import annotations

import ctypes
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

from quasar_core.errors import TransientError

DEVICE = 1
"""CU_MEM_LOCATION_TYPE_DEVICE, and CU_MEM_ALLOCATION_TYPE_PINNED."""
POSIX_DESCRIPTOR = 1
READ_WRITE = 3
MEMORY_TYPE = 2
HOST_MEMORY = 1
HINTED_BY_LEAST = 0
AT_LEAST = 0


class Location(ctypes.Structure):
    """CUmemLocation."""

    _fields_ = (("type", ctypes.c_int), ("id", ctypes.c_int))


class AllocationProperties(ctypes.Structure):
    """CUmemAllocationProp."""

    _fields_ = (
        ("type", ctypes.c_int),
        ("handle_types", ctypes.c_int),
        ("location", Location),
        ("win32", ctypes.c_void_p),
        ("flags", ctypes.c_ubyte * 8),
    )


class Access(ctypes.Structure):
    """CUmemAccessDesc."""

    _fields_ = (("location", Location), ("flags", ctypes.c_int))


class DriverError(TransientError):
    """The driver refused a call: the machine's fault, told in its words."""


class DeviceArray:
    """Bytes on a device, for whoever reads `__cuda_array_interface__`."""

    def __init__(self, pointer: int, size: int) -> None:
        self.__cuda_array_interface__ = {
            "shape": (size,),
            "typestr": "|u1",
            "data": (pointer, False),
            "strides": None,
            "version": 3,
        }


class Driver:
    """libcuda for one device; raises DriverError for whatever it refuses."""

    def __init__(self, library: Path | str, ordinal: int = 0) -> None:
        self._library: Any = ctypes.CDLL(str(library))
        self._sizes: dict[int, int] = {}
        self._call("cuInit", ctypes.c_uint(0))
        device = ctypes.c_int()
        self._call("cuDeviceGet", ctypes.byref(device), ordinal)
        self._place = Location(DEVICE, device.value)
        self._properties = AllocationProperties(
            type=DEVICE,
            handle_types=POSIX_DESCRIPTOR,
            location=self._place,
        )

    def granularity(self) -> int:
        """Sizes of allocations are multiples of so many bytes."""
        found = ctypes.c_size_t()
        self._call(
            "cuMemGetAllocationGranularity",
            ctypes.byref(found),
            ctypes.byref(self._properties),
            HINTED_BY_LEAST,
        )
        return found.value

    def rounded(self, size: int) -> int:
        """`size` in whole granules."""
        granule = self.granularity()
        return -(-size // granule) * granule

    def create(self, size: int) -> int:
        """The handle of an allocation of whole granules."""
        handle = ctypes.c_ulonglong()
        self._call(
            "cuMemCreate",
            ctypes.byref(handle),
            ctypes.c_size_t(size),
            ctypes.byref(self._properties),
            ctypes.c_ulonglong(0),
        )
        self._sizes[handle.value] = size
        return handle.value

    @property
    def window_bytes(self) -> int:
        """Bytes of all allocations that were made and not released."""
        return sum(self._sizes.values())

    def used_bytes(self) -> int:
        """Bytes of the device's memory that anybody uses."""
        free, total = ctypes.c_size_t(), ctypes.c_size_t()
        self._call("cuMemGetInfo_v2", ctypes.byref(free), ctypes.byref(total))
        return total.value - free.value

    def export(self, handle: int) -> int:
        """A new descriptor of an allocation."""
        descriptor = ctypes.c_int(-1)
        self._call(
            "cuMemExportToShareableHandle",
            ctypes.byref(descriptor),
            ctypes.c_ulonglong(handle),
            POSIX_DESCRIPTOR,
            ctypes.c_ulonglong(0),
        )
        return descriptor.value

    def reserve(self, size: int) -> int:
        """An address range in which nothing is mapped."""
        pointer = ctypes.c_ulonglong()
        self._call(
            "cuMemAddressReserve",
            ctypes.byref(pointer),
            ctypes.c_size_t(size),
            ctypes.c_size_t(0),
            ctypes.c_ulonglong(0),
            ctypes.c_ulonglong(0),
        )
        return pointer.value

    def map(self, pointer: int, size: int, handle: int) -> None:
        """Map a whole allocation at a reserved address."""
        self._call(
            "cuMemMap",
            ctypes.c_ulonglong(pointer),
            ctypes.c_size_t(size),
            ctypes.c_size_t(0),
            ctypes.c_ulonglong(handle),
            ctypes.c_ulonglong(0),
        )

    def open(self, pointer: int, size: int) -> None:
        """Let this process read and write what is mapped there."""
        access = Access(self._place, READ_WRITE)
        self._call(
            "cuMemSetAccess",
            ctypes.c_ulonglong(pointer),
            ctypes.c_size_t(size),
            ctypes.byref(access),
            ctypes.c_size_t(1),
        )

    def unmap(self, pointer: int, size: int) -> None:
        """Undo `map`."""
        where = ctypes.c_ulonglong(pointer)
        self._call("cuMemUnmap", where, ctypes.c_size_t(size))

    def free(self, pointer: int, size: int) -> None:
        """Undo `reserve`."""
        where = ctypes.c_ulonglong(pointer)
        self._call("cuMemAddressFree", where, ctypes.c_size_t(size))

    def release(self, handle: int) -> None:
        """Undo `create`: the memory goes with its last mapping."""
        self._call("cuMemRelease", ctypes.c_ulonglong(handle))
        self._sizes.pop(handle, None)

    def wait_for(self, stream: int, pointer: int, value: int) -> None:
        """Queue on a stream a wait until a word is at least `value`."""
        self._call(
            "cuStreamWaitValue32_v2",
            ctypes.c_void_p(stream),
            ctypes.c_ulonglong(pointer),
            ctypes.c_uint(value),
            ctypes.c_uint(AT_LEAST),
        )

    def tensor(self, pointer: int, size: int) -> torch.Tensor:
        """The bytes at an open address, without a copy of them.

        Raises DriverError where PyTorch would make one.
        """
        kind = ctypes.c_uint()
        self._call(
            "cuPointerGetAttribute",
            ctypes.byref(kind),
            MEMORY_TYPE,
            ctypes.c_ulonglong(pointer),
        )
        if kind.value == HOST_MEMORY:
            memory = (ctypes.c_ubyte * size).from_address(pointer)
            found = torch.frombuffer(memory, dtype=torch.uint8)
        else:
            found = torch.as_tensor(DeviceArray(pointer, size))
        if found.data_ptr() != pointer:
            raise DriverError("PyTorch copied a window instead of viewing it")
        return found

    def _call(self, name: str, *arguments: object) -> None:
        call: Callable[..., int] = getattr(self._library, name)
        code = call(*arguments)
        if code:
            raise DriverError(f"{name}: {self._words(code)}")

    def _words(self, code: int) -> str:
        text = ctypes.c_char_p()
        self._library.cuGetErrorString(code, ctypes.byref(text))
        return (text.value or b"unknown error").decode() + f" ({code})"


class Window:
    """At least `size` bytes, mapped here, that can be mapped elsewhere."""

    def __init__(self, driver: Driver, size: int) -> None:
        self._bytes: torch.Tensor | None = None
        self._descriptor: int | None = None
        self.size = driver.rounded(size)
        self._driver = driver
        self._undo: list[Callable[[], None]] = []
        try:
            self._make()
        except DriverError:
            self.close()
            raise

    @property
    def descriptor(self) -> int:
        """What another process imports it by."""
        if self._descriptor is None:
            raise ValueError("this window is closed")
        return self._descriptor

    @property
    def bytes(self) -> torch.Tensor:
        """What lies in it, shared: uint8, 1-D."""
        if self._bytes is None:
            raise ValueError("this window is closed")
        return self._bytes

    def close(self) -> None:
        """Unmap and release it, each step once; idempotent."""
        self._bytes = self._descriptor = None
        while self._undo:
            self._undo.pop()()

    def _make(self) -> None:
        driver, size = self._driver, self.size
        handle = driver.create(size)
        self._undo.append(lambda: driver.release(handle))
        pointer = driver.reserve(size)
        self._undo.append(lambda: driver.free(pointer, size))
        driver.map(pointer, size, handle)
        self._undo.append(lambda: driver.unmap(pointer, size))
        driver.open(pointer, size)
        descriptor = driver.export(handle)
        self._undo.append(lambda: os.close(descriptor))
        self._descriptor = descriptor
        self._bytes = driver.tensor(pointer, size)
