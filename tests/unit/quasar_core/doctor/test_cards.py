"""Driver and cards, as a stand-in for `nvidia-smi` tells of them."""

import shutil

import pytest
from quasar_core.doctor import cards
from quasar_core.doctor.cards import check_cards

TWO = """\
GPU-11aa, NVIDIA H100 80GB HBM3, 81559 MiB, 550.54.15
GPU-22bb, NVIDIA A10G, 23028 MiB, 550.54.15
"""


@pytest.fixture
def smi(tmp_path, monkeypatch):
    """Makes a program of that name the only one on the path."""
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    folder = tmp_path / "bin"
    folder.mkdir()
    cat, sleep = shutil.which("cat"), shutil.which("sleep")
    monkeypatch.setenv("PATH", str(folder))

    def make(said, code=0, seconds=0):
        (folder / "said").write_text(said)
        path = folder / "nvidia-smi"
        path.write_text(
            f"#!/bin/sh\n{sleep} {seconds}\n{cat} {folder}/said\nexit {code}\n"
        )
        path.chmod(0o755)

    return make


def states(needed):
    return [(each.name, each.state) for each in check_cards(needed)]


def test_a_machine_without_a_driver_is_told_so(smi):
    assert states(needed=False) == [("driver", "note")]
    assert states(needed=True) == [("driver", "FAIL")]


def test_driver_and_cards_are_told(smi):
    smi(TWO)
    driver, gpu = check_cards(needed=True)
    assert (driver.state, driver.detail) == ("ok", "550.54.15")
    assert gpu.detail == (
        "2 of 2 visible: NVIDIA H100 80GB HBM3 (81559 MiB),"
        " NVIDIA A10G (23028 MiB)"
    )


@pytest.mark.parametrize(
    ("chosen", "told"),
    [
        ("1", "1 of 2 visible: NVIDIA A10G"),
        ("GPU-11", "1 of 2 visible: NVIDIA H100"),
        ("1, 0", "2 of 2 visible: NVIDIA A10G (23028 MiB), NVIDIA H100"),
        ("0,7,1", "1 of 2 visible: NVIDIA H100"),
        ("GPU-", "0 of 2 visible: CUDA_VISIBLE_DEVICES=GPU-"),
        ("-1", "0 of 2 visible: CUDA_VISIBLE_DEVICES=-1"),
        ("", "0 of 2 visible: CUDA_VISIBLE_DEVICES="),
    ],
)
def test_what_cuda_would_not_show_is_not_counted(
    smi, monkeypatch, chosen, told
):
    smi(TWO)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", chosen)
    _, gpu = check_cards(needed=True)
    assert gpu.detail.startswith(told)
    assert gpu.ok is not told.startswith("0")


@pytest.mark.parametrize(
    ("said", "code"), [("couldn't communicate", 9), ("No devices", 0)]
)
def test_a_driver_in_trouble_is_told_in_its_own_words(smi, said, code):
    smi(said, code)
    (driver,) = check_cards(needed=True)
    assert (driver.state, driver.detail) == ("FAIL", f"it says: {said}")


def test_a_driver_that_says_nothing_is_not_waited_for(smi, monkeypatch):
    smi(TWO, seconds=600)
    monkeypatch.setattr(cards, "PATIENCE_SECONDS", 0.05)
    (driver,) = check_cards(needed=True)
    assert driver.fix == "reboot this host"
