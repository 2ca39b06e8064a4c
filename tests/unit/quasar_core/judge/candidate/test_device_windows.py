import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import pytest
import quasar_core.judge
from quasar_core.judge import driver as ours
from quasar_core.judge.driver import Driver, Window

from tests.support.standin_gpu import standin_library

FOLDER = Path(quasar_core.judge.__path__[0]) / "candidate"
PATH = FOLDER / "device_windows.py"
SIZE = 2 << 20


@pytest.fixture(scope="module")
def theirs():
    spec = importlib.util.spec_from_file_location("their_windows", PATH)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def library(tmp_path_factory):
    return standin_library(tmp_path_factory.mktemp("driver"))


@pytest.fixture
def shared(library):
    """A Y and an X of the referee's."""
    driver = Driver(library)
    windows = [Window(driver, SIZE) for _ in range(2)]
    yield windows
    for window in windows:
        window.close()


def imported(theirs, library, shared, monkeypatch):
    monkeypatch.setenv("TRITON_LIBCUDA_PATH", str(library.parent))
    copies = [os.dup(window.descriptor) for window in shared]
    return theirs.DeviceWindows(copies, SIZE, SIZE)


def test_both_ends_bind_the_driver_alike(theirs):
    assert theirs.POSIX_DESCRIPTOR == ours.POSIX_DESCRIPTOR
    assert (theirs.DEVICE, theirs.READ_WRITE) == (ours.DEVICE, ours.READ_WRITE)
    for name in ("Location", "Access"):
        mine, other = getattr(ours, name), getattr(theirs, name)
        assert [each[0] for each in mine._fields_] == [
            each[0] for each in other._fields_
        ]


def test_what_one_end_writes_the_other_reads(
    theirs, library, shared, monkeypatch
):
    device = imported(theirs, library, shared, monkeypatch)
    with device.call(0) as (x, y):
        shared[1].bytes.fill_(9)
        assert bool((x == 9).all())
        y.fill_(5)
    assert bool((shared[0].bytes == 5).all())


WRITES_X = f"""
import importlib.util, sys, torch
spec = importlib.util.spec_from_file_location("theirs", sys.argv[1])
theirs = importlib.util.module_from_spec(spec)
spec.loader.exec_module(theirs)
shared = [int(each) for each in sys.argv[2:]]
device = theirs.DeviceWindows(shared, {SIZE}, {SIZE})
x = device.tensor(torch, device.inputs[0])
print(int(x[0]), flush=True)
x[0] = 1
"""


def test_an_input_cannot_be_written_through_the_window(library, shared):
    y, x = (window.descriptor for window in shared)
    done = subprocess.run(
        [sys.executable, "-c", WRITES_X, str(PATH), str(y), str(x)],
        env={**os.environ, "TRITON_LIBCUDA_PATH": str(library.parent)},
        pass_fds=(y, x),
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.stdout, done.returncode) == ("0\n", -11), done.stderr
    assert not bool(shared[1].bytes.any())


def test_what_is_no_allocation_is_refused(theirs, library, monkeypatch):
    monkeypatch.setenv("TRITON_LIBCUDA_PATH", str(library.parent))
    reader, writer = os.pipe()
    with pytest.raises(RuntimeError, match="ImportFromShareableHandle"):
        theirs.DeviceWindows([reader, writer], SIZE, SIZE)
    os.close(reader)
    os.close(writer)
