import re
from pathlib import Path

import pytest
from quasar_core.execution.syscalls import allowed, refused

HEADER = Path("/usr/include/x86_64-linux-gnu/asm/unistd_64.h")


@pytest.mark.parametrize("machine", ["x86_64", "aarch64"])
def test_no_call_is_both_allowed_and_refused(machine):
    assert not allowed(machine).keys() & refused(machine).keys()
    numbers = [*allowed(machine).values(), *refused(machine).values()]
    assert len(numbers) == len(set(numbers))


@pytest.mark.parametrize("machine", ["x86_64", "aarch64"])
def test_what_leads_out_is_refused_by_name(machine):
    assert refused(machine).keys() >= {
        *("unshare", "setns", "mount", "umount2", "pivot_root", "chroot"),
        *("ptrace", "process_vm_readv", "process_vm_writev", "kcmp"),
        *("keyctl", "add_key", "request_key", "bpf", "perf_event_open"),
        *("io_uring_setup", "io_uring_enter", "io_uring_register"),
        *("userfaultfd", "open_by_handle_at", "name_to_handle_at"),
        *("clock_settime", "settimeofday", "adjtimex", "clock_adjtime"),
        *("socket", "connect", "bind", "listen", "accept", "accept4"),
        *("init_module", "finit_module", "kexec_load", "reboot"),
    }


def test_the_numbers_are_the_kernels():
    if not HEADER.exists():
        pytest.skip("the kernel's headers for x86_64 are not installed")
    pairs = re.findall(r"#define __NR_(\w+) (\d+)", HEADER.read_text())
    known = {name: int(number) for name, number in pairs}
    ours = {**allowed("x86_64"), **refused("x86_64")}
    common = known.keys() & ours.keys()
    assert len(common) > 340
    assert {name: ours[name] for name in common} == {
        name: known[name] for name in common
    }
