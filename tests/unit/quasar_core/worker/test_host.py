from dataclasses import replace

import pytest
from quasar_core.contracts.events import BenchmarkRequested
from quasar_core.domain.canaries import EXPECTED
from quasar_core.errors import Stage, TransientError
from quasar_core.execution.sandbox import SandboxUnavailable
from quasar_core.worker import host as module
from quasar_core.worker.canaries import Doubt
from quasar_core.worker.host import Host, environment_of, installed_versions
from quasar_core.worker.locks import FileLock, LockTaken
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

    def __init__(self, url, queue, handlers, *, on_stop, until):
        self.made_with = (url, queue, on_stop)
        self.handlers = handlers
        self.until = until
        self.stopped = False
        FakeConsumer.last = self

    def run(self):
        self.handlers[BenchmarkRequested](benchmark_requested())
        self.stopping = not self.until()

    def stop(self):
        self.stopped = True


def unasked(_):
    raise AssertionError("no canary is due")


@pytest.fixture
def host(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(module, "Consumer", FakeConsumer)
    (tmp_path / ".run" / "benchmark" / "worker-1").mkdir(parents=True)
    return Host(
        settings=WorkerSettings(
            worker_name="worker-1", pool="h200", canary_seconds=0
        ),
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
        host.consume({BenchmarkRequested: hurt}, unasked)
    assert FakeConsumer.last.stopped


def test_a_worker_is_seen_before_it_takes_its_first_job(host):
    host.consume(
        {
            BenchmarkRequested: lambda job: host.run(
                job, lambda attempt: attempt.completed(a_pass()), Stage.FETCH
            )
        },
        unasked,
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
    host.consume({BenchmarkRequested: lambda _: None}, unasked)
    _, queue, on_stop = FakeConsumer.last.made_with
    assert queue == "benchmark.h200"
    assert on_stop == host.stop.interrupt


def test_what_waits_on_disk_goes_before_the_next_job(host):
    order = []
    host.post.flush = lambda: order.append("flush") or True
    host.consume({BenchmarkRequested: lambda _: order.append("job")}, unasked)
    assert order == ["flush", "flush", "job"]


def test_a_worker_whose_results_wait_does_not_ask_for_more(host):
    host.post.flush = lambda: False
    host.be_seen()
    assert host.post.names() == []


def test_a_worker_that_lost_its_sandbox_takes_no_further_job(host):
    def handle(_):
        raise SandboxUnavailable("install bubblewrap")

    with pytest.raises(SandboxUnavailable, match="install"):
        host.consume({BenchmarkRequested: handle}, unasked)
    assert FakeConsumer.last.stopped is True


def with_canaries(host, seconds=3_600):
    settings = host.settings.model_copy(update={"canary_seconds": seconds})
    return replace(host, settings=settings)


def right(canary):
    return EXPECTED["benchmark"][canary]


def test_canaries_are_judged_before_the_first_job_and_then_not(host):
    host = with_canaries(host)
    for _ in range(2):
        host.consume({BenchmarkRequested: lambda _: None}, right)
    assert host.post.names() == [
        "worker.seen",
        *["canary.completed"] * 3,
        "worker.seen",
    ]
    told = host.post.delivered
    assert [event.canary for event in told] == list(EXPECTED["benchmark"])
    assert {event.worker for event in told} == {"worker-1"}


def test_a_worker_with_a_missed_canary_takes_no_job(host):
    host = with_canaries(host)
    with pytest.raises(WorkerQuarantined, match="canary honest"):
        host.consume(
            {BenchmarkRequested: unasked}, lambda _: "output_mismatch"
        )
    assert [e.got for e in host.post.delivered] == ["output_mismatch"] * 3


def test_canaries_follow_a_job_that_failed_on_this_machine(host):
    host = with_canaries(host)
    host.consume({BenchmarkRequested: lambda _: None}, right)
    host.post.delivered.clear()
    faults = [TransientError("the referee was killed by 9"), None]

    def story(attempt):
        attempt.stage = Stage.SMOKE
        fault = faults.pop(0)
        if fault:
            raise fault
        attempt.completed(a_pass())

    host.consume(
        {BenchmarkRequested: lambda job: host.run(job, story, Stage.FETCH)},
        right,
    )
    assert [event.event_name for event in host.post.delivered] == [
        "attempt.started",
        "run.failed",
        *["canary.completed"] * 3,
        "attempt.started",
        "benchmark.completed",
    ]


def test_a_fork_that_could_not_be_fetched_casts_no_doubt(host):
    def story(_):
        raise TransientError("the host is down")

    host.run(benchmark_requested(), story, Stage.FETCH)
    assert not host.doubt.stands


def test_a_process_that_dies_in_a_job_leaves_the_doubt_behind(host):
    def story(_):
        raise MemoryError

    with pytest.raises(MemoryError):
        host.run(benchmark_requested(), story, Stage.FETCH)
    assert Doubt(host.home / "in-doubt").stands


def test_the_machine_is_held_and_swept_while_canaries_are_judged(host):
    host = with_canaries(host)
    swept = []
    host.sandbox.sweep = lambda: swept.append(True)

    def examine(canary):
        with pytest.raises(LockTaken), host.machine.held_at_once("taken"):
            raise AssertionError("never reached")
        return right(canary)

    host.consume({BenchmarkRequested: lambda _: None}, examine)
    assert swept == [True]
