import pytest
from quasar_core.errors import TransientError
from quasar_core.worker.post import Post
from quasar_core.worker.spool import Spool

from tests.support.events import attempt_started, worker_seen


class FakeBus:
    def __init__(self):
        self.published = []
        self.away = False

    def publish(self, event):
        if self.away:
            raise TransientError("away")
        self.published.append(event)


@pytest.fixture
def bus():
    return FakeBus()


@pytest.fixture
def spool(tmp_path):
    return Spool(tmp_path)


def test_what_may_be_missed_is_missed_while_the_broker_is_away(bus, spool):
    post = Post(bus.publish, spool)
    bus.away = True
    post.tell(worker_seen())
    bus.away = False
    assert post.flush() is True
    assert bus.published == []


def test_a_result_waits_on_disk_for_the_broker(bus, spool):
    post = Post(bus.publish, spool)
    result = attempt_started()
    bus.away = True
    post.deliver(result)
    assert post.flush() is False
    assert len(spool) == 1
    bus.away = False
    assert post.flush() is True
    assert bus.published == [result]
    assert len(spool) == 0


def test_a_result_goes_out_behind_those_that_wait(bus, spool):
    post = Post(bus.publish, spool)
    first, second = attempt_started(), attempt_started()
    bus.away = True
    post.deliver(first)
    bus.away = False
    post.deliver(second)
    assert bus.published == [first, second]


def test_with_a_full_disk_a_result_is_still_published(bus, spool):
    def full(_):
        raise OSError(28, "No space left on device")

    spool.keep = full
    result = attempt_started()
    Post(bus.publish, spool).deliver(result)
    assert bus.published == [result]
