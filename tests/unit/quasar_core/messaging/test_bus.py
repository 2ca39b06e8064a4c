import pytest
from quasar_core.errors import TransientError
from quasar_core.messaging.bus import Bus, BusUnavailable

from tests.support.events import benchmark_requested, worker_seen
from tests.support.valkey import free_port


@pytest.fixture
def nowhere():
    bus = Bus(f"redis://127.0.0.1:{free_port()}/0")
    yield bus
    bus.close()


def test_a_broker_that_is_away_is_the_world_s_fault():
    assert issubclass(BusUnavailable, TransientError)


@pytest.mark.parametrize(
    "ask",
    [
        lambda bus: bus.publish(worker_seen()),
        lambda bus: bus.depth("recording"),
        lambda bus: bus.ping(),
    ],
)
def test_every_call_says_so_where_the_broker_is_away(nowhere, ask):
    with pytest.raises(BusUnavailable, match="broker is away"):
        ask(nowhere)


def test_a_job_needs_a_pool(nowhere):
    with pytest.raises(ValueError, match="needs a pool"):
        nowhere.publish(benchmark_requested())
