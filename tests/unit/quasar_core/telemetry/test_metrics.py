import urllib.request

from prometheus_client.metrics import MetricWrapperBase
from quasar_core.telemetry import metrics

from tests.support.valkey import free_port

STRANGERS_WORDS = {
    "hotkey",
    "coldkey",
    "commit",
    "commit_hash",
    "fork_url",
    "url",
    "path",
    "submission_id",
    "attempt_id",
}


def all_metrics():
    return [
        value
        for value in vars(metrics).values()
        if isinstance(value, MetricWrapperBase)
    ]


def test_no_label_takes_values_that_strangers_choose():
    labels = {name for each in all_metrics() for name in each._labelnames}
    assert labels
    assert labels & STRANGERS_WORDS == set()


def test_every_metric_is_ours_by_name_and_says_what_it_is():
    for metric in all_metrics():
        assert metric._name.startswith("quasar_")
        assert metric._documentation.endswith(".")


def test_metrics_are_served_on_their_own_port():
    port = free_port()
    assert metrics.serve_metrics(port) is True
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics") as page:
        assert b"quasar_messages_published" in page.read()


def test_port_zero_serves_nothing():
    assert metrics.serve_metrics(0) is False
