import json
import os
import signal
import subprocess
import sys

import pytest
from quasar_core.errors import TransientError
from quasar_core.worker.spool import Spool

from tests.support.events import attempt_started, worker_seen


def away(_):
    raise TransientError("away")


def test_events_leave_in_the_order_in_which_they_were_kept(tmp_path):
    events = [attempt_started(), worker_seen(), attempt_started()]
    spool = Spool(tmp_path)
    for event in events:
        spool.keep(event)
    published = []
    spool.empty(published.append)
    assert published == events
    assert len(spool) == 0


def test_what_was_not_published_outlives_the_process(tmp_path):
    event = attempt_started()
    Spool(tmp_path).keep(event)
    spool = Spool(tmp_path)
    with pytest.raises(TransientError):
        spool.empty(away)
    assert len(spool) == 1
    later = worker_seen()
    spool.keep(later)
    published = []
    Spool(tmp_path).empty(published.append)
    assert published == [event, later]


def test_publishing_stops_at_the_first_that_is_not_taken(tmp_path):
    spool = Spool(tmp_path)
    for _ in range(3):
        spool.keep(worker_seen())
    taken = []

    def take_one(event):
        if taken:
            raise TransientError("away")
        taken.append(event)

    with pytest.raises(TransientError):
        spool.empty(take_one)
    assert len(spool) == 2


def test_a_file_that_cannot_be_read_does_not_hold_up_the_others(tmp_path):
    spool = Spool(tmp_path)
    spool.keep(worker_seen())
    (tmp_path / "000000000001.event").write_text('{"event": "worker.s')
    event = worker_seen()
    spool.keep(event)
    published = []
    spool.empty(published.append)
    assert published == [event]
    assert (tmp_path / "000000000001.unreadable").is_file()


@pytest.mark.parametrize(
    "text", ["[]", "{}", json.dumps({"event": "no.such", "body": {}})]
)
def test_a_file_of_another_making_is_put_out_of_the_way(tmp_path, text):
    (tmp_path / "000000000001.event").write_text(text)
    published = []
    Spool(tmp_path).empty(published.append)
    assert published == []


def test_a_draft_that_a_crash_left_is_no_event(tmp_path):
    (tmp_path / ".000000000007.draft").write_text("half")
    spool = Spool(tmp_path)
    assert len(spool) == 0
    assert list(tmp_path.iterdir()) == []


def test_a_disk_without_room_leaves_no_half_event(tmp_path, monkeypatch):
    spool = Spool(tmp_path)

    def full(_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        spool.keep(worker_seen())
    assert list(tmp_path.iterdir()) == []


KEEPS_FOR_EVER = """
import sys
from pathlib import Path
from quasar_core.worker.spool import Spool
from tests.support.events import attempt_started
spool = Spool(Path(sys.argv[1]))
print("keeping", flush=True)
while True:
    spool.keep(attempt_started())
"""


def test_every_event_is_whole_wherever_the_process_was_killed(tmp_path):
    with subprocess.Popen(
        [sys.executable, "-c", KEEPS_FOR_EVER, str(tmp_path)],
        stdout=subprocess.PIPE,
    ) as process:
        assert process.stdout.readline() == b"keeping\n"
        while not list(tmp_path.glob("*.event")):
            pass
        process.send_signal(signal.SIGKILL)
    kept = len(list(tmp_path.glob("*.event")))
    published = []
    Spool(tmp_path).empty(published.append)
    assert len(published) == kept > 0
    assert list(tmp_path.iterdir()) == []
