import errno
import struct

import pytest
from quasar_core.execution import syscalls
from quasar_core.execution.sandbox import SandboxUnavailable
from quasar_core.execution.seccomp import (
    ABSENT,
    ALLOW,
    AUDIT_ARCHITECTURES,
    KILL_PROCESS,
    REFUSE,
    filter_program,
)

MACHINES = ("x86_64", "aarch64")


def verdict(program, number, *arguments, architecture):
    """What the kernel's own interpreter would answer."""
    padded = [*arguments, *[0] * (6 - len(arguments))]
    data = struct.pack("=IIQ6Q", number, architecture, 0, *padded)
    code = list(struct.iter_unpack("=HBBI", program))
    position, accumulator = 0, 0
    while True:
        operation, if_true, if_false, value = code[position]
        position += 1
        match operation:
            case 0x20:
                (accumulator,) = struct.unpack_from("=I", data, value)
            case 0x06:
                return value
            case 0x15:
                position += if_true if accumulator == value else if_false
            case 0x25:
                position += if_true if accumulator > value else if_false
            case 0x45:
                position += if_true if accumulator & value else if_false
            case _:
                raise AssertionError(operation)


@pytest.fixture(params=MACHINES)
def machine(request):
    return request.param


@pytest.fixture
def ask(machine):
    return asker(machine)


def asker(machine, **granted):
    program = filter_program(machine, **granted)
    architecture = AUDIT_ARCHITECTURES[machine]

    def asked(name_or_number, *arguments, architecture=architecture):
        number = name_or_number
        if isinstance(number, str):
            known = {**syscalls.allowed(machine), **syscalls.refused(machine)}
            number = known[number]
        return verdict(program, number, *arguments, architecture=architecture)

    return asked


def test_every_call_on_the_list_is_allowed(ask, machine):
    checked = {"clone", "ioctl", "prlimit64", "socketpair"}
    for name in syscalls.allowed(machine).keys() - checked:
        assert ask(name) == ALLOW, name


def test_every_dangerous_call_is_not_permitted(ask, machine):
    for name in syscalls.refused(machine):
        assert ask(name) == REFUSE, name
    assert REFUSE & 0xFFFF == errno.EPERM


def test_every_other_call_does_not_exist(ask, machine):
    known = {
        *syscalls.allowed(machine).values(),
        *syscalls.refused(machine).values(),
    }
    for number in {*range(1200), 0x3FFFFFFF} - known:
        assert ask(number) == ABSENT, number
    assert ask(435) == ABSENT  # clone3: its flags lie out of reach
    assert ABSENT & 0xFFFF == errno.ENOSYS


@pytest.mark.parametrize(
    "flag",
    [
        *(0x20000, 0x2000000, 0x4000000, 0x8000000),
        *(0x10000000, 0x20000000, 0x40000000),
    ],
)
def test_no_namespace_is_made_by_clone(ask, flag):
    assert ask("clone", flag | 17) == REFUSE
    assert ask("clone", (0xDEAD << 32) | flag) == REFUSE


def test_threads_and_children_are_made_by_clone(ask):
    threads = 0x3D0F00
    assert ask("clone", threads) == ALLOW
    assert ask("clone", 17) == ALLOW


def test_only_local_pairs_of_sockets_are_made(ask):
    assert ask("socketpair", 1) == ALLOW
    assert ask("socketpair", 2) == REFUSE


def test_nobody_elses_limits_are_changed(ask):
    assert ask("prlimit64", 0) == ALLOW
    assert ask("prlimit64", 1) == REFUSE


def test_a_loopback_takes_internet_sockets_and_no_others(machine):
    asked = asker(machine, loopback=True)

    assert asked("socket", 2) == ALLOW
    for family in (1, 10, 16, 17, 38, 40):
        assert asked("socket", family) == REFUSE
    for name in ("connect", "bind", "listen", "accept", "accept4"):
        assert asked(name) == ALLOW
    for name in syscalls.refused(machine).keys() - syscalls.LOOPBACK:
        assert asked(name) == REFUSE


def test_a_device_takes_local_sockets_that_nobody_connects_to(machine):
    asked = asker(machine, device=True)

    assert asked("socket", 1) == ALLOW
    for family in (2, 10, 16, 17, 38, 40):
        assert asked("socket", family) == REFUSE
    assert asked("bind") == asked("listen") == ALLOW
    for name in syscalls.refused(machine).keys() - syscalls.DEVICE:
        assert asked(name) == REFUSE


def test_a_terminal_takes_no_input_from_a_payload(ask):
    assert ask("ioctl", 0, 0x5412) == REFUSE
    assert ask("ioctl", 0, 0x541C) == REFUSE
    assert ask("ioctl", 0, 0x5412 | 1 << 32) == REFUSE
    assert ask("ioctl", 0, 0x5413) == ALLOW


def test_a_foreign_architecture_ends_the_process(ask):
    assert ask("read", architecture=0x40000003) == KILL_PROCESS


def test_the_x32_calls_end_the_process():
    program = filter_program("x86_64")
    for number in (0x40000000, 0x40000000 + 39, 0xFFFFFFFF):
        assert (
            verdict(program, number, architecture=0xC000003E) == KILL_PROCESS
        )


def test_a_program_fits_into_the_kernel(machine):
    assert len(filter_program(machine)) // 8 < 4096


def test_an_unknown_processor_is_refused_in_words():
    with pytest.raises(SandboxUnavailable, match="riscv64"):
        filter_program("riscv64")
