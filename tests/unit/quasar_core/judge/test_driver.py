import os

import pytest
import torch
from quasar_core.judge import driver as module
from quasar_core.judge.driver import Driver, DriverError, Window

from tests.support.sandboxes import open_descriptors
from tests.support.standin_gpu import standin_library

GRANULE = 2 * 1024 * 1024


@pytest.fixture(scope="module")
def library(tmp_path_factory):
    return standin_library(tmp_path_factory.mktemp("driver"))


@pytest.fixture
def driver(library):
    driver = Driver(library)
    yield driver
    assert driver._library.standin_live() == 0


def test_a_window_is_whole_granules_that_can_be_written(driver):
    window = Window(driver, GRANULE + 1)
    assert window.size == 2 * GRANULE == window.bytes.numel()
    window.bytes.fill_(7)
    assert os.fstat(window.descriptor).st_size == 2 * GRANULE
    assert os.pread(window.descriptor, 2, GRANULE) == b"\7\7"
    window.close()


def test_a_closed_window_leaves_nothing_and_may_be_closed_again(driver):
    before = open_descriptors()
    window = Window(driver, 10)
    assert open_descriptors() > before
    window.close()
    window.close()
    assert open_descriptors() == before
    with pytest.raises(ValueError, match="closed"):
        _ = window.descriptor
    with pytest.raises(ValueError, match="closed"):
        _ = window.bytes


def test_memory_that_is_not_there_is_told_and_nothing_kept(driver):
    before = open_descriptors()
    with pytest.raises(DriverError, match=r"cuMemCreate: out of memory"):
        Window(driver, 1 << 40)
    assert open_descriptors() == before


@pytest.mark.parametrize("step", ["reserve", "map", "open", "export"])
def test_a_window_that_fails_half_way_is_undone(driver, monkeypatch, step):
    def fails(*_):
        raise DriverError(step)

    before = open_descriptors()
    monkeypatch.setattr(driver, step, fails)
    with pytest.raises(DriverError, match=step):
        Window(driver, 10)
    assert open_descriptors() == before


def test_misuse_is_an_error_and_not_a_guess(driver):
    handle = driver.create(GRANULE)
    pointer = driver.reserve(GRANULE)
    with pytest.raises(DriverError, match="cuMemSetAccess"):
        driver.open(pointer, GRANULE)
    driver.map(pointer, GRANULE, handle)
    with pytest.raises(DriverError, match="cuMemMap"):
        driver.map(pointer, GRANULE, handle)
    with pytest.raises(DriverError, match="cuMemUnmap"):
        driver.unmap(pointer, 2 * GRANULE)
    driver.unmap(pointer, GRANULE)
    with pytest.raises(DriverError, match="invalid argument"):
        driver.unmap(pointer, GRANULE)
    driver.free(pointer, GRANULE)
    driver.release(handle)
    with pytest.raises(DriverError, match="cuMemRelease"):
        driver.release(handle)


def test_a_device_that_is_not_there_is_told(library):
    with pytest.raises(DriverError, match="cuDeviceGet"):
        Driver(library, ordinal=5)


def test_a_view_that_is_a_copy_is_refused(driver, monkeypatch):
    copy = torch.zeros(GRANULE, dtype=torch.uint8)
    monkeypatch.setattr(module, "HOST_MEMORY", 9)
    monkeypatch.setattr(module.torch, "as_tensor", lambda array: copy)
    with pytest.raises(DriverError, match="copied"):
        Window(driver, GRANULE)
