import pytest
from quasar_core.contracts.events import (
    EVENTS,
    BenchmarkCompleted,
    BenchmarkRequested,
    ChallengeRequested,
    Event,
)
from quasar_core.messaging.topology import TOPOLOGY, events_on, queue_for


def test_every_event_has_a_queue():
    assert set(TOPOLOGY) == set(EVENTS.values())


def test_a_job_goes_to_the_queue_of_its_pool():
    assert queue_for(BenchmarkRequested, "h200") == "benchmark.h200"


def test_a_fact_goes_to_the_one_recording_queue():
    assert queue_for(BenchmarkCompleted) == "recording"


def test_a_job_without_a_pool_has_no_queue():
    with pytest.raises(ValueError, match="needs a pool"):
        queue_for(BenchmarkRequested)


def test_a_fact_cannot_be_sent_to_a_pool():
    with pytest.raises(ValueError, match="has no pools"):
        queue_for(BenchmarkCompleted, "cpu")


def test_an_event_that_is_not_in_the_topology_goes_nowhere():
    class Stray(Event):
        event_name = "stray"

    with pytest.raises(KeyError):
        queue_for(Stray)


def test_a_consumer_hears_the_events_of_its_queue_and_no_others():
    assert events_on("benchmark") == (BenchmarkRequested, ChallengeRequested)
    assert set(events_on("recording")) == {
        event for event, queue in TOPOLOGY.items() if queue == "recording"
    }
