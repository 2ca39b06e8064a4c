import random
import textwrap
import time

import pytest
import torch
from quasar_core.errors import RejectionCode, TransientError
from quasar_core.execution.sandbox import Ending, Job
from quasar_core.judge.buffers import SealedMemory
from quasar_core.judge.exchange import private_memory
from quasar_core.judge.faults import KernelFault, Patience
from quasar_core.judge.image import runner_path
from quasar_core.judge.protocol import Ask
from quasar_core.judge.seat import Seat
from quasar_core.judge.shapes import CallShape

from tests.support.plain_sandbox import PlainSandbox

SHAPE = CallShape(64, heads=1, head_dim=16)
SECTIONS = (*(torch.ones(1, 1, 64, 16) for _ in range(3)), torch.ones(1))

# A candidate that follows the protocol to the letter, without torch, and
# then does what `{deed}` says at each call.
PUPPET = """
import importlib.util, mmap, os, sys, time
spec = importlib.util.spec_from_file_location("runner", {runner!r})
runner = importlib.util.module_from_spec(spec)
spec.loader.exec_module(runner)
import socket
far = int(sys.argv[1])
wire = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET, 0, far)
request, fds = runner.receive(wire)
outputs = [runner.map_output(fd) for fd in fds]
def done(): runner.answer(wire, runner.DONE, request[5])
def write(): outputs[request[4]][:4096] = b"\\x00\\x00\\x80?" * 1024
{hello}
while True:
    request, fds = runner.receive(wire)
    if request is None: break
{deed}
"""
READY = "runner.answer(wire, runner.READY, request[5])"


class Puppets:
    """Seats whose candidates are puppets; all are led away in the end."""

    def __init__(self, folder):
        self.folder, self.seats = folder, []
        self.sandbox = PlainSandbox()

    def take(self, deed, hello=READY):
        path = self.folder / f"puppet{len(self.seats)}.py"
        path.write_text(
            PUPPET.format(
                runner=str(runner_path()),
                deed=textwrap.indent(deed, "    "),
                hello=hello,
            )
        )
        self.seats.append(
            Seat.take(
                self.sandbox,
                lambda fd: Job(
                    argv=("python", str(path), str(fd)), pass_fds=(fd,)
                ),
                SealedMemory(),
                SHAPE.output_bytes,
                random.Random(1),
            )
        )
        return self.seats[-1]


@pytest.fixture
def puppets(tmp_path):
    troupe = Puppets(tmp_path)
    yield troupe
    for seat in troupe.seats:
        seat.leave()


def call(seat, seconds=20.0):
    seat.ready(Patience(20))
    memory = private_memory(SHAPE.output_bytes)
    return seat.call(SHAPE, SECTIONS, Patience(seconds), into=memory)


def fault_of(seat, seconds=20.0):

    def call_twice():
        # Some faults show only when the next call is about to be made.
        call(seat, seconds)
        call(seat, seconds)

    with pytest.raises(KernelFault) as caught:
        call_twice()
    return caught.value


def test_an_output_is_read_whole_once_the_candidate_has_answered(puppets):
    found = call(puppets.take("write(); done()"))
    assert found.output.shape == (1, 1, 64, 16)
    assert bool((found.output == 1).all())
    assert found.seconds > 0


def test_who_answers_without_writing_has_left_the_poison(puppets):
    found = call(puppets.take("done()"))
    assert bool(torch.isnan(found.output).all())


def test_what_an_earlier_call_wrote_is_poisoned_again(puppets):
    seat = puppets.take(
        "calls = globals().setdefault('calls', [])\n"
        "calls.append(1)\n"
        "if len(calls) <= 2: write()\n"
        "done()"
    )
    seat.ready(Patience(20))
    memory = private_memory(SHAPE.output_bytes)
    outputs = [
        seat.call(SHAPE, SECTIONS, Patience(20), into=memory).output.clone()
        for _ in range(4)
    ]
    assert [bool(torch.isnan(o).all()) for o in outputs] == [
        False,
        False,
        True,
        True,
    ]


def test_the_clock_runs_until_the_read_has_ended(puppets):
    found = call(puppets.take("time.sleep(0.05); write(); done()"))
    assert found.seconds >= 0.05


@pytest.mark.parametrize(
    ("deed", "code"),
    [
        ("os._exit(0)", RejectionCode.PROCESS_EXIT),
        ("os.abort()", RejectionCode.PROCESS_EXIT),
        ("done(); done()", RejectionCode.PROTOCOL_VIOLATION),
        ("wire.send(b'junk')", RejectionCode.PROTOCOL_VIOLATION),
        ("wire.send(b'x' * 5000)", RejectionCode.PROTOCOL_VIOLATION),
        (
            "runner.answer(wire, runner.DONE, b'n' * 16)",
            RejectionCode.PROTOCOL_VIOLATION,
        ),
        (
            "runner.fail(wire, request[5], ValueError('full'), 4)",
            RejectionCode.OUT_OF_MEMORY,
        ),
        (
            "runner.fail(wire, request[5], ValueError('odd'), 5)",
            RejectionCode.WRONG_SHAPE_OR_DTYPE,
        ),
    ],
)
def test_what_a_candidate_does_wrong_has_its_code(puppets, deed, code):
    assert fault_of(puppets.take(deed)).code is code


def test_a_candidate_that_sleeps_is_out_of_time(puppets):
    fault = fault_of(puppets.take("time.sleep(60)"), seconds=0.2)
    assert fault.code is RejectionCode.TIME_LIMIT


def test_who_hangs_up_and_lives_on_breaks_the_protocol(puppets, monkeypatch):
    monkeypatch.setattr("quasar_core.judge.seat.ENDING_SECONDS", 0.2)
    fault = fault_of(puppets.take("wire.close(); time.sleep(60)"))
    assert fault.code is RejectionCode.PROTOCOL_VIOLATION


def test_an_exit_at_import_is_told_with_its_code_and_its_log(puppets):
    hello = "print('RESULT: 1e12', flush=True); os._exit(3)"
    seat = puppets.take("done()", hello)
    with pytest.raises(KernelFault) as caught:
        seat.ready(Patience(20))
    assert caught.value.code is RejectionCode.PROCESS_EXIT
    assert caught.value.evidence == {"exit_code": 3, "signal": None}
    assert "RESULT: 1e12" in caught.value.log_tail


@pytest.mark.parametrize(
    ("ending", "pids", "code"),
    [
        (Ending.OUT_OF_MEMORY, False, RejectionCode.MEMORY_LIMIT),
        (Ending.TIMEOUT, False, RejectionCode.TIME_LIMIT),
        (None, True, RejectionCode.PROCESS_LIMIT),
    ],
)
def test_the_sandbox_knows_a_deeper_cause(puppets, ending, pids, code):
    puppets.sandbox.ending = ending
    puppets.sandbox.pids_limit_hit = pids
    assert fault_of(puppets.take("os._exit(1)")).code is code


def test_who_prints_too_much_is_told_so(puppets):
    puppets.sandbox.ending = Ending.OUTPUT_LIMIT
    fault = fault_of(puppets.take("os._exit(1)"))
    assert fault.code is RejectionCode.PROCESS_EXIT
    assert "printed more" in fault.detail


def test_a_broken_sandbox_is_the_worlds_fault(puppets):
    puppets.sandbox.ending = Ending.INFRA
    seat = puppets.take("os._exit(1)")
    with pytest.raises(TransientError):
        call(seat)


def test_a_frozen_seat_stands_still(puppets):
    seat = puppets.take("write(); done()")
    call(seat)
    seat.freeze()
    memory = private_memory(SHAPE.output_bytes)
    with pytest.raises(KernelFault):
        seat.call(SHAPE, SECTIONS, Patience(0.2), into=memory)


def test_only_waiting_is_charged(puppets):
    seat = puppets.take("time.sleep(0.05); write(); done()")
    seat.ready(Patience(20))
    patience = Patience(20)
    memory = private_memory(SHAPE.output_bytes)
    seat.call(SHAPE, SECTIONS, patience, into=memory)
    left = patience.left
    assert 0 < left <= 19.95
    time.sleep(0.05)
    assert patience.left == left


def test_leaving_twice_ends_the_sandbox_once(puppets):
    seat = puppets.take("done()")
    assert seat.leave() is seat.leave()
    assert puppets.sandbox.ended == 1


def test_an_empty_exchange_needs_no_kernel(puppets):
    seat = Seat.take(
        puppets.sandbox,
        lambda fd: Job(
            argv=("python", str(runner_path()), str(fd)), pass_fds=(fd,)
        ),
        SealedMemory(),
        SHAPE.output_bytes,
        random.Random(1),
    )
    puppets.seats.append(seat)
    seat.ready(Patience(20))
    memory = private_memory(SHAPE.output_bytes)
    found = seat.call(
        SHAPE, SECTIONS, Patience(20), into=memory, ask=Ask.NOTHING
    )
    assert bool(torch.isnan(found.output).all())
