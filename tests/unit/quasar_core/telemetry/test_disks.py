"""Disks: what may still be written is read anew at each scrape."""

from __future__ import annotations

import math
import shutil

import pytest
from prometheus_client import REGISTRY
from quasar_core.telemetry import disks
from quasar_core.telemetry.disks import Place, standing_folder, watch_disks


def shown(name, place):
    return REGISTRY.get_sample_value(name, {"place": place.value})


@pytest.fixture
def usage(monkeypatch):
    """What the disk says, and which folders were asked."""
    asked = {"folders": set()}

    def answer(path):
        asked["folders"].add(path)
        if "fault" in asked:
            raise asked["fault"]
        return shutil._ntuple_diskusage(100, 70, asked.get("free", 30))

    monkeypatch.setattr(disks.shutil, "disk_usage", answer)
    return asked


def test_each_scrape_shows_the_disk_as_it_is_then(usage, tmp_path):
    watch_disks({Place.STATE: tmp_path})
    assert shown("quasar_disk_free_bytes", Place.STATE) == 30
    assert shown("quasar_disk_size_bytes", Place.STATE) == 100
    usage["free"] = 7
    assert shown("quasar_disk_free_bytes", Place.STATE) == 7


def test_a_disk_that_does_not_answer_hides_nothing_else(usage, tmp_path):
    watch_disks({Place.WORK: tmp_path})
    usage["fault"] = OSError("gone")
    assert math.isnan(shown("quasar_disk_free_bytes", Place.WORK))


def test_before_a_path_is_made_the_folder_that_will_hold_it_is_asked(
    usage, tmp_path
):
    watch_disks({Place.DATABASE: tmp_path / "not" / "yet.db"})
    shown("quasar_disk_free_bytes", Place.DATABASE)
    assert tmp_path in usage["folders"]


def test_a_folder_that_stands_is_asked_itself(tmp_path):
    assert standing_folder(tmp_path) == tmp_path
