"""What runs inside the sandbox: takes a call, runs the kernel, answers.

It stands in the submission's own process, so nothing that it says is
believed: the referee has the clock, the truth and the verdict. It imports
nothing of ours; `quasar_core/judge/protocol.py` holds the other end, and both
must agree. A kernel with a parameter `out` is given the place of its output.

Run as `python runner.py SOCKET_FD TREE` where TREE is the folder that holds
the package `fla`; without TREE it runs no kernel at all, and only answers
empty exchanges. On a device `device_windows.py` is loaded from beside it.
"""

from __future__ import annotations

import array
import contextlib
import functools
import importlib
import importlib.util
import inspect
import math
import mmap
import operator
import os
import socket
import struct
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

MAGIC = b"QSR1"
TEXT_BYTES = 1_000
REQUEST = struct.Struct("<4sBBBB16sIIII")
REPLY = struct.Struct(f"<4sBBH16s{TEXT_BYTES}s")
DEVICE_SETUP = struct.Struct("<4sBBBB16sQQ")
SETUP, CALL, NOTHING, SETUP_DEVICE = 1, 2, 3, 4
INITIAL_STATE, FINAL_STATE = 1, 2
READY, DONE, FAILED, QUEUED = 1, 2, 3, 4
IMPORT_FAILED, COMPILE_FAILED, RUNTIME_FAILED = 1, 2, 3
OUT_OF_MEMORY, WRONG_RESULT, INPUT_MODIFIED = 4, 5, 6
MAX_DESCRIPTORS, ALIGNMENT = 8, 64
OUT_OF_MEMORY_NAMES = ("MemoryError", "OutOfMemoryError")
MADV_POPULATE_READ = 22

Request = tuple[Any, ...]
Layout = Sequence[tuple[Any, tuple[int, ...]]]
"""(dtype, shape) of each section of a window."""


class WrongResultError(Exception):
    """The kernel returned something that is not the output asked for."""


class InputModifiedError(Exception):
    """The kernel wrote to its inputs."""


def main(arguments: Sequence[str]) -> None:
    """Answer the referee until it hangs up."""
    wire = socket.socket(
        socket.AF_UNIX, socket.SOCK_SEQPACKET, 0, int(arguments[0])
    )
    tree = arguments[1] if len(arguments) > 1 else None
    request, descriptors = receive(wire)
    if request is None:
        return
    nonce = request[5]
    if request[1] == SETUP_DEVICE:
        outputs = import_windows(descriptors, request)
    else:
        outputs = [map_output(descriptor) for descriptor in descriptors]
    try:
        kernel = None if tree is None else load_kernel(tree)
    except Exception as error:  # noqa: BLE001 -- whatever it raises
        fail(wire, nonce, error, IMPORT_FAILED)
        return
    answer(wire, READY, nonce)
    while True:
        if not isinstance(outputs, list):
            done = functools.partial(answer, wire, DONE)
            outputs.settle(wire, done, functools.partial(fail, wire))
        request, descriptors = receive(wire)
        if request is None:
            return
        serve(wire, kernel, request, descriptors, outputs)


def import_windows(descriptors: Sequence[int], request: Request) -> Any:
    """The windows on a device; `descriptors` are those of Ys, then of Xs."""
    path = Path(__file__).with_name("device_windows.py")
    spec = importlib.util.spec_from_file_location("device_windows", path)
    if spec is None or spec.loader is None:
        raise ImportError(path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    sizes = DEVICE_SETUP.unpack(REQUEST.pack(*request))[-2:]
    return module.DeviceWindows(descriptors, *sizes)


def serve(
    wire: socket.socket,
    kernel: Callable[..., Any] | None,
    request: Request,
    descriptors: Sequence[int],
    outputs: Any,
) -> None:
    """Do what one frame asks, and answer it.

    Without a descriptor the windows lie on a device, the Xs among them: a
    call is launched there, and its DONE is left to `outputs.settle`.
    """
    ask, slot, nonce = request[1], request[4], request[5]
    window = map_input(descriptors[0]) if descriptors else None
    if window is None:
        outputs.turn += 1
    try:
        if ask == CALL and kernel is not None and window is None:
            with outputs.call(slot) as tensors:
                run(kernel, request, *tensors)
            outputs.note(nonce)
            answer(wire, QUEUED, nonce)
            return
        if ask == CALL and kernel is not None:
            run(kernel, request, window, outputs[slot])
    except Exception as error:  # noqa: BLE001 -- whatever it raises
        fail(wire, nonce, error)
    else:
        answer(wire, DONE, nonce)


def load_kernel(tree: str) -> Callable[..., Any]:
    """The submission's chunk_quasar, from the tree's package `fla`."""
    sys.path.append(tree)
    importlib.import_module("torch")
    package = importlib.import_module("fla.ops.quasar")
    kernel = getattr(package, "chunk_quasar", None)
    if not callable(kernel):
        raise ImportError(  # noqa: TRY004 -- its import is what failed
            "fla.ops.quasar exports no callable chunk_quasar"
        )
    return kernel


@functools.cache
def takes_out(kernel: Callable[..., Any]) -> bool:
    """Whether a kernel has a parameter `out` for the place of o."""
    with contextlib.suppress(TypeError, ValueError):
        return "out" in inspect.signature(kernel).parameters
    return False


def run(
    kernel: Callable[..., Any],
    request: Request,
    window: Any,
    output: Any,
) -> None:
    """Call the kernel on the mapped input and write what it returns."""
    import torch

    _, _, flags, element, _, _, batch, tokens, heads, head_dim = request
    dtype = (torch.float32, torch.bfloat16)[element]
    shape = (batch, tokens, heads, head_dim)
    states = (batch, heads, head_dim, head_dim)
    layout = [(dtype, shape)] * 3 + [(torch.float32, (heads,))]
    if flags & INITIAL_STATE:
        layout.append((torch.float32, states))
    inputs = views(torch, window, layout)
    options = {}
    if flags & INITIAL_STATE:
        options["initial_state"] = inputs[4]
    if flags & FINAL_STATE:
        options["output_final_state"] = True
    wanted = [(dtype, shape)]
    if flags & FINAL_STATE:
        wanted.append((torch.float32, states))
    targets = views(torch, output, wanted)
    if takes_out(kernel):
        options["out"] = targets[0]
    with torch.inference_mode():
        result = kernel(*inputs[:4], **options)
        results = checked(torch, result, wanted)
        # Told by their versions; the referee's own copy is out of reach.
        versions = map(operator.attrgetter("_version"), inputs)
        if any(versions):
            raise InputModifiedError("chunk_quasar wrote to its inputs")
        for target, source in zip(targets, results, strict=True):
            target.copy_(source)


def checked(torch: Any, result: Any, wanted: Layout) -> Sequence[Any]:
    """The tensors of a result, or WrongResultError with what differs."""
    if not isinstance(result, (tuple, list)) or len(result) != 2:
        raise WrongResultError("chunk_quasar must return (o, final_state)")
    results = result[: len(wanted)]
    names = ("o", "final_state")
    for name, tensor, (dtype, shape) in zip(
        names, results, wanted, strict=False
    ):
        if type(tensor) is not torch.Tensor:
            raise WrongResultError(
                f"{name} is a {type(tensor).__name__}, not a torch.Tensor"
            )
        if tuple(tensor.shape) != shape or tensor.dtype != dtype:
            raise WrongResultError(
                f"{name} is {tuple(tensor.shape)} {tensor.dtype},"
                f" not {shape} {dtype}"
            )
    return results


def views(torch: Any, window: Any, layout: Layout) -> list[Any]:
    """Tensors over the sections of a mapped window, one per layout row."""
    if not isinstance(window, torch.Tensor):
        window = torch.frombuffer(window, dtype=torch.uint8)
    tensors = []
    offset = 0
    for dtype, shape in layout:
        size = dtype.itemsize * math.prod(shape)
        tensors.append(window[offset : offset + size].view(dtype).view(shape))
        offset += -(-size // ALIGNMENT) * ALIGNMENT
    return tensors


def map_output(descriptor: int) -> mmap.mmap:
    """Y: shared with the referee."""
    size = os.fstat(descriptor).st_size
    window = mmap.mmap(descriptor, size)
    os.close(descriptor)
    return window


def map_input(descriptor: int) -> mmap.mmap:
    """X: what is written to it stays in this process."""
    size = os.fstat(descriptor).st_size
    window = mmap.mmap(
        descriptor,
        size,
        flags=mmap.MAP_PRIVATE,
        prot=mmap.PROT_READ | mmap.PROT_WRITE,
    )
    os.close(descriptor)
    # An older kernel maps the pages as they are touched.
    with contextlib.suppress(OSError):
        window.madvise(MADV_POPULATE_READ)
    return window


def kind_of(error: Exception) -> int:
    """Which failure an error of the kernel is."""
    if isinstance(error, WrongResultError):
        return WRONG_RESULT
    if isinstance(error, InputModifiedError):
        return INPUT_MODIFIED
    name = type(error).__name__
    if name in OUT_OF_MEMORY_NAMES or "can't allocate memory" in str(error):
        return OUT_OF_MEMORY
    home = type(error).__module__.split(".")[0]
    if home == "triton" or name.endswith("CompilationError"):
        return COMPILE_FAILED
    return RUNTIME_FAILED


def fail(
    wire: socket.socket, nonce: bytes, error: Exception, failure: int = 0
) -> None:
    """Say which failure it was; the whole trace goes to stderr."""
    sys.excepthook(type(error), error, error.__traceback__)
    text = f"{type(error).__name__}: {error}".encode("utf-8", "replace")
    code = failure or kind_of(error)
    answer(wire, FAILED, nonce, code, text[:TEXT_BYTES])


def answer(
    wire: socket.socket,
    kind: int,
    nonce: bytes,
    code: int = 0,
    text: bytes = b"",
) -> None:
    """Send one frame."""
    wire.sendall(REPLY.pack(MAGIC, kind, code, len(text), nonce, text))


def receive(wire: socket.socket) -> tuple[Request | None, list[int]]:
    """One frame and its descriptors; (None, []) once the referee is gone."""
    room = socket.CMSG_SPACE(MAX_DESCRIPTORS * array.array("i").itemsize)
    frame, rights, _, _ = wire.recvmsg(REQUEST.size, room)
    if not frame:
        return None, []
    descriptors = array.array("i")
    for level, kind, data in rights:
        if level == socket.SOL_SOCKET and kind == socket.SCM_RIGHTS:
            descriptors.frombytes(data)
    return REQUEST.unpack(frame), list(descriptors)


if __name__ == "__main__":
    main(sys.argv[1:])
