import pytest
from quasar_core.contracts.events import BenchmarkRequested
from quasar_core.errors import Stage
from quasar_core.execution.sandbox import SandboxUnavailable
from quasar_core.worker import host as module
from quasar_core.worker.host import Host, environment_of, installed_versions
from quasar_core.worker.locks import FileLock
from quasar_core.worker.quarantine import Quarantine, WorkerQuarantined
from quasar_core.worker.settings import WorkerSettings
from quasar_core.worker.stopping import Stopper

from tests.support.events import a_pass, benchmark_requested
from tests.support.post import FakePost


class FakeSandbox:
    name = "fake"

    def sweep(self):
        return 0


class FakeConsumer:
    """Hands one job over, and notes what it was made with."""

    def __init__(self, url, queue, handlers, *, on_stop):
        self.made_with = (url, queue, on_stop)
        self.handlers = handlers
        self.stopped = False
        FakeConsumer.last = self

    def run(self):
        self.handlers[BenchmarkRequested](benchmark_requested())

    def stop(self):
        self.stopped = True


@pytest.fixture
def host(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(module, "Consumer", FakeConsumer)
    return Host(
        settings=WorkerSettings(worker_name="worker-1", pool="h200"),
        role="benchmark",
        sandbox=FakeSandbox(),
        post=FakePost(),
        stop=Stopper(),
        machine=FileLock(tmp_path / "machine.lock"),
        quarantine=Quarantine(tmp_path / "quarantined"),
    )


def test_a_distribution_that_is_not_installed_is_missing(monkeypatch):
    monkeypatch.setattr(module, "DISTRIBUTIONS", ("no-such-thing",))
    assert installed_versions()["no-such-thing"] == "missing"


def test_a_worker_says_what_it_runs_on():
    environment = environment_of(FakeSandbox())
    assert environment["sandbox"] == "fake"
    assert environment["python"].startswith("3.")
    assert int(environment["cpus"]) > 0


def test_a_worker_that_set_itself_aside_takes_no_more(host):
    def hurt(job):
        for _ in range(2):
            host.quarantine.failed("the canary is slow")

    with pytest.raises(WorkerQuarantined, match="the canary is slow"):
        host.consume({BenchmarkRequested: hurt})
    assert FakeConsumer.last.stopped


def test_a_worker_is_seen_before_it_takes_its_first_job(host):
    host.consume(
        {
            BenchmarkRequested: lambda job: host.run(
                job, lambda attempt: attempt.completed(a_pass()), Stage.FETCH
            )
        }
    )
    assert host.post.names() == [
        "worker.seen",
        "attempt.started",
        "benchmark.completed",
    ]
    seen = host.post.events[0]
    assert (seen.worker, seen.pool, seen.role) == (
        "worker-1",
        "h200",
        "benchmark",
    )


def test_the_queue_is_that_of_the_pool_and_a_stop_reaches_the_job(host):
    host.consume({BenchmarkRequested: lambda _: None})
    _, queue, on_stop = FakeConsumer.last.made_with
    assert queue == "benchmark.h200"
    assert on_stop == host.stop.interrupt


def test_what_waits_on_disk_goes_before_the_next_job(host):
    order = []
    host.post.flush = lambda: order.append("flush") or True
    host.consume({BenchmarkRequested: lambda _: order.append("job")})
    assert order == ["flush", "flush", "job"]


def test_a_worker_whose_results_wait_does_not_ask_for_more(host):
    host.post.flush = lambda: False
    host.be_seen()
    assert host.post.names() == []


def test_a_worker_that_lost_its_sandbox_takes_no_further_job(host):
    def handle(_):
        raise SandboxUnavailable("install bubblewrap")

    with pytest.raises(SandboxUnavailable, match="install"):
        host.consume({BenchmarkRequested: handle})
    assert FakeConsumer.last.stopped is True
