from types import SimpleNamespace

import pytest
from celery.exceptions import WorkerShutdown
from quasar_core.messaging.loop import LoopConsumer


def consumer(stopping):
    made = LoopConsumer.__new__(LoopConsumer)
    made.controller = SimpleNamespace(stopping=lambda: stopping)
    return made


def test_a_stop_leaves_the_loop_with_a_clean_exit_code():
    with pytest.raises(WorkerShutdown) as left:
        consumer(stopping=True).leave_if_stopping()
    assert left.value.code == 0


def test_without_a_stop_the_loop_goes_on():
    consumer(stopping=False).leave_if_stopping()


def test_connecting_asks_at_each_try_whether_to_stop():
    calls = []
    looking = consumer(stopping=False)
    connection = SimpleNamespace(
        ensure_connection=lambda tell, retries, callback, **_: calls.append(
            (retries, callback)
        )
    )
    looking.ensure_connected(connection)
    assert calls == [(None, looking.leave_if_stopping)]
