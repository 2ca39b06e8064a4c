import importlib.util
import struct
from pathlib import Path

import pytest
import quasar_core.judge
import torch
from quasar_core.judge import protocol
from quasar_core.judge.shapes import ALIGNMENT, CallShape

PATH = Path(quasar_core.judge.__path__[0]) / "candidate" / "runner.py"


@pytest.fixture(scope="module")
def runner():
    spec = importlib.util.spec_from_file_location("a_runner", PATH)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_both_ends_of_the_wire_lay_frames_out_alike(runner):
    assert runner.MAGIC == protocol.MAGIC
    assert runner.REQUEST.format == protocol.REQUEST.format
    assert runner.DEVICE_SETUP.format == protocol.SETUP.format
    assert runner.DEVICE_SETUP.size == runner.REQUEST.size
    assert runner.REPLY.format == protocol.REPLY.format
    assert runner.TEXT_BYTES == protocol.TEXT_BYTES
    assert runner.ALIGNMENT == ALIGNMENT


def test_both_ends_give_every_kind_the_same_number(runner):
    assert tuple(protocol.Ask) == (
        runner.SETUP,
        runner.CALL,
        runner.NOTHING,
        runner.SETUP_DEVICE,
    )
    assert tuple(protocol.Answer) == (
        runner.READY,
        runner.DONE,
        runner.FAILED,
        runner.QUEUED,
    )
    assert tuple(protocol.Flag) == (runner.INITIAL_STATE, runner.FINAL_STATE)
    assert tuple(protocol.Failure) == (
        runner.IMPORT_FAILED,
        runner.COMPILE_FAILED,
        runner.RUNTIME_FAILED,
        runner.OUT_OF_MEMORY,
        runner.WRONG_RESULT,
        runner.INPUT_MODIFIED,
    )


def test_views_lie_where_the_referee_put_the_sections(runner):
    shape = CallShape(64, heads=1, head_dim=16, initial_state=True)
    memory = bytearray(shape.input_bytes)
    for number, (offset, _) in enumerate(shape.input_sections):
        struct.pack_into("<f", memory, offset, number + 1)
    size = (1, 64, 1, 16)
    layout = [(torch.float32, size)] * 3
    layout += [(torch.float32, (1,)), (torch.float32, (1, 1, 16, 16))]
    views = runner.views(torch, memory, layout)
    assert [float(view.reshape(-1)[0]) for view in views] == [1, 2, 3, 4, 5]


@pytest.mark.parametrize(
    "result",
    [
        None,
        torch.zeros(1, 64, 1, 16),
        (torch.zeros(1, 64, 1, 16),),
        (torch.zeros(1, 64, 1, 8), None),
        (torch.zeros(1, 64, 1, 16, dtype=torch.float64), None),
        ([0.0], None),
        (torch.nn.Parameter(torch.zeros(1, 64, 1, 16)), None),
    ],
)
def test_what_is_no_output_is_refused(runner, result):
    wanted = [(torch.float32, (1, 64, 1, 16))]
    with pytest.raises(runner.WrongResultError):
        runner.checked(torch, result, wanted)


def test_a_state_that_was_asked_for_must_be_there(runner):
    output = torch.zeros(1, 64, 1, 16)
    wanted = [
        (torch.float32, (1, 64, 1, 16)),
        (torch.float32, (1, 1, 16, 16)),
    ]
    with pytest.raises(runner.WrongResultError, match="final_state"):
        runner.checked(torch, (output, None), wanted)
    assert runner.checked(torch, (output, None), wanted[:1]) == (output,)


class CompilationError(Exception):
    pass


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (MemoryError(), "OUT_OF_MEMORY"),
        (torch.OutOfMemoryError(), "OUT_OF_MEMORY"),
        (
            RuntimeError("DefaultCPUAllocator: can't allocate memory"),
            "OUT_OF_MEMORY",
        ),
        (CompilationError(), "COMPILE_FAILED"),
        (ValueError(), "RUNTIME_FAILED"),
    ],
)
def test_an_error_is_told_by_its_kind(runner, error, kind):
    assert runner.kind_of(error) == getattr(runner, kind)


def test_a_kernel_that_takes_out_is_given_the_place_of_its_output(runner):
    shape = CallShape(64, heads=1, head_dim=16)
    seen = []

    def in_place(q, k, v, beta, out=None):
        seen.append(out)
        return out.copy_(q + 1), None

    def elsewhere(q, k, v, beta, **options):
        seen.append(options)
        return q + 2, None

    request = (b"", 0, 0, 0, 0, b"", 1, 64, 1, 16)
    window = torch.zeros(shape.input_bytes, dtype=torch.uint8)
    output = torch.zeros(shape.output_bytes, dtype=torch.uint8)
    runner.run(in_place, request, window, output)
    assert seen[0].data_ptr() == output.data_ptr()
    assert bool((output.view(torch.float32) == 1).all())
    runner.run(elsewhere, request, window, output)
    assert seen[1] == {}
    assert bool((output.view(torch.float32) == 2).all())
    assert not runner.takes_out(print)
