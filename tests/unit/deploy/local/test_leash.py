"""The leash: a program that ends with whoever started it."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import deploy.local.leash

LEASH = Path(deploy.local.leash.__file__)


def leashed(parent, *program):
    return subprocess.run(
        [sys.executable, "-I", "-S", str(LEASH), str(parent), *program],
        capture_output=True,
        text=True,
        check=False,
        timeout=20,
    )


def test_the_program_takes_the_leashs_place_and_its_exit_code():
    ended = leashed(os.getpid(), "/bin/sh", "-c", "echo $$; exit 3")
    assert ended.returncode == 3
    assert ended.stdout.strip().isdigit()


def test_the_program_is_killed_when_its_parent_ends():
    show = (
        "import ctypes; signal = ctypes.c_int();"
        " ctypes.CDLL(None).prctl(2, ctypes.byref(signal), 0, 0, 0);"
        " print(signal.value)"
    )
    ended = leashed(os.getpid(), sys.executable, "-c", show)
    assert int(ended.stdout) == signal.SIGKILL


def test_a_parent_that_has_ended_already_starts_nothing():
    ended = leashed(1 if os.getpid() != 1 else 2, "/bin/echo", "started")
    assert ended.returncode == 1
    assert "has ended" in ended.stderr
    assert ended.stdout == ""


def test_a_program_that_is_not_there_is_told():
    ended = leashed(os.getpid(), "/no/such/program")
    assert ended.returncode == 1
    assert "/no/such/program: No such file" in ended.stderr
