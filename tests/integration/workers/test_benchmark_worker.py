"""The benchmark worker's process, with real forks, sandbox and judge."""

# pylint: disable=redefined-outer-name

import os
import signal

import psutil
import pytest
from quasar_core.chain.keys import worker_keypair, worker_verifier
from quasar_core.contracts.events import WorkerSeen
from quasar_core.errors import RejectionCode, Stage
from quasar_core.messaging.bus import Bus

from tests.support.events import benchmark_requested
from tests.support.waiting import eventually
from tests.support.workers import (
    HANGS,
    KERNELS,
    LENGTH,
    Recorder,
    change_fork,
    make_fork,
    start_worker,
)

pytestmark = pytest.mark.slow

HANGING = {"__init__.py": HANGS}


@pytest.fixture
def bus(redis_url):
    made = Bus(redis_url)
    yield made
    made.close()


def job_for(fork, commit_hash, **changes):
    return benchmark_requested(
        fork_url=f"file://{fork}",
        commit_hash=commit_hash,
        sequence_length=LENGTH,
        **changes,
    )


def judge_processes(worker_pid):
    """The worker's children and theirs: referees and sandboxes."""
    try:
        return psutil.Process(worker_pid).children(recursive=True)
    except psutil.NoSuchProcess:
        return []


def sandboxes(processes):
    return [each for each in processes if each.name() == "bwrap"]


def all_gone(processes):
    return not any(
        each.is_running() and each.status() != psutil.STATUS_ZOMBIE
        for each in processes
    )


def test_good_and_bad_submissions_one_after_another(tmp_path, redis_url, bus):
    fork = tmp_path / "fork"
    honest = make_fork(fork)
    forbidden = change_fork(
        fork, {f"{KERNELS}/extra.py": b"import subprocess\n"}
    )
    elsewhere = tmp_path / "elsewhere"
    hollow = make_fork(elsewhere)
    for path in (elsewhere / KERNELS).iterdir():
        path.unlink()
    hollow = change_fork(elsewhere, {"README.md": b"nothing here\n"})
    verify = worker_verifier(
        {"worker-1": worker_keypair(tmp_path / "worker.seed").ss58_address}
    )
    jobs = [
        job_for(fork, forbidden),
        job_for(elsewhere, hollow),
        job_for(tmp_path / "no-such-fork", honest),
        job_for(fork, "b" * 40),
        job_for(fork, honest),
    ]
    with (
        Recorder(redis_url, verify) as recorder,
        start_worker(tmp_path, redis_url) as worker,
    ):
        worker.wait_for("worker.ready")
        for job in jobs:
            bus.publish(job, pool="cpu")
        endings = [recorder.ending(job) for job in jobs]
        assert [
            (end.event_name, end.rejection.code) for end in endings[:-1]
        ] == [
            ("submission.rejected", RejectionCode.FORBIDDEN_IMPORT),
            ("submission.rejected", RejectionCode.FILES_MISSING),
            ("submission.rejected", RejectionCode.FORK_UNREACHABLE),
            ("submission.rejected", RejectionCode.COMMIT_NOT_FOUND),
        ]
        assert endings[-1].event_name == "benchmark.completed"
        assert endings[-1].timing.sequence_length == LENGTH
        assert recorder.names(jobs[-1].submission_id) == [
            "attempt.started",
            "source.fetched",
            *["stage.completed"] * 6,
            "benchmark.completed",
        ]
        assert [
            event.stage
            for event in recorder.of(jobs[-1].submission_id)
            if event.event_name == "stage.completed"
        ] == [
            Stage.FETCH,
            Stage.SCREEN,
            Stage.SMOKE,
            Stage.CORRECTNESS,
            Stage.WARM_UP,
            Stage.TIMED,
        ]
        told = [event.event_name for event in recorder.events]
        assert told[0] == "worker.seen"
        assert told.count("baseline.measured") == 1
        assert told.index("baseline.measured") < told.index("source.fetched")
        assert "attempt.heartbeat" in told
        assert worker.terminate() == 0
    assert "Traceback" not in worker.text
    assert jobs[0].fencing_token not in worker.text


@pytest.fixture
def hanging_job(tmp_path):
    """A job that does not end by itself, in its sandbox."""
    commit_hash = make_fork(tmp_path / "hangs", HANGING)
    return job_for(tmp_path / "hangs", commit_hash)


def wait_until_it_hangs(worker, recorder, job):
    eventually(
        lambda: any(
            event.event_name == "stage.completed"
            and event.stage is Stage.CORRECTNESS
            for event in recorder.of(job.submission_id)
        ),
        "the judging",
        180,
    )
    return eventually(
        lambda: sandboxes(judge_processes(worker.pid))
        and judge_processes(worker.pid),
        "a sandbox",
    )


def test_sigterm_gives_the_job_up_and_leaves_nothing_running(
    tmp_path, redis_url, bus, hanging_job
):
    with (
        Recorder(redis_url) as recorder,
        start_worker(tmp_path, redis_url) as worker,
    ):
        bus.publish(hanging_job, pool="cpu")
        running = wait_until_it_hangs(worker, recorder, hanging_job)
        assert worker.terminate(seconds=15) == 0
        failed = recorder.ending(hanging_job)
        assert failed.event_name == "run.failed"
        assert "stopped" in failed.reason
        assert all_gone(running)
    assert "Traceback" not in worker.text


def test_sigkill_leaves_nothing_running_and_the_next_worker_is_healthy(
    tmp_path, redis_url, bus, hanging_job
):
    honest = make_fork(tmp_path / "fork")
    with Recorder(redis_url) as recorder:
        with start_worker(tmp_path, redis_url) as worker:
            bus.publish(hanging_job, pool="cpu")
            running = wait_until_it_hangs(worker, recorder, hanging_job)
            os.kill(worker.pid, signal.SIGKILL)
            worker.wait()
        with start_worker(tmp_path, redis_url) as worker:
            worker.wait_for("worker.ready")
            eventually(lambda: all_gone(running), "the end of all")
            job = job_for(tmp_path / "fork", honest)
            bus.publish(job, pool="cpu")
            ending = recorder.ending(job)
            assert ending.event_name == "benchmark.completed"
            assert "run.failed" not in recorder.names(
                hanging_job.submission_id
            )


def test_a_result_that_could_not_be_handed_in_is_the_first_thing_said(
    tmp_path, own_valkey
):
    commit_hash = make_fork(
        tmp_path / "fork", {"extra.py": b"import socket\n"}
    )
    job = job_for(tmp_path / "fork", commit_hash)
    bus = Bus(own_valkey.url)
    state = tmp_path / "state" / "benchmark" / "worker-1" / "spool"
    with start_worker(tmp_path, own_valkey.url) as worker:
        worker.wait_for("worker.ready")
        bus.publish(job, pool="cpu")
        worker.wait_for("attempt.started")
        own_valkey.stop()
        worker.wait_for("submission.rejected", seconds=90)
        eventually(
            lambda: len(list(state.glob("*.event"))) == 3,
            "baseline, source and verdict on disk",
        )
        worker.kill()
    own_valkey.start()
    with (
        Recorder(own_valkey.url) as recorder,
        start_worker(tmp_path, own_valkey.url) as worker,
    ):
        assert recorder.ending(job).event_name == "submission.rejected"
        assert [event.event_name for event in recorder.events[:3]] == [
            "baseline.measured",
            "source.fetched",
            "submission.rejected",
        ]
        eventually(
            lambda: any(type(e) is WorkerSeen for e in recorder.events),
            "the worker",
        )
        assert list(state.iterdir()) == []
        assert worker.terminate() == 0
    bus.close()


def test_a_second_worker_of_the_same_name_is_refused(tmp_path, redis_url):
    with start_worker(tmp_path, redis_url) as first:
        first.wait_for("worker.ready")
        with start_worker(tmp_path, redis_url) as second:
            assert second.wait() == 1
            assert "QUASAR_WORKER_NAME" in second.text
            assert "Traceback" not in second.text
        assert first.terminate() == 0


def test_without_a_sandbox_a_worker_refuses_to_start(tmp_path, redis_url):
    bin_directory = tmp_path / "bin"
    bin_directory.mkdir()
    with start_worker(tmp_path, redis_url, PATH=str(bin_directory)) as worker:
        assert worker.wait() == 1
        assert "bubblewrap is not installed" in worker.text
        assert "Traceback" not in worker.text


def test_settings_that_make_no_sense_are_told_in_a_sentence(
    tmp_path, redis_url
):
    with start_worker(
        tmp_path, redis_url, QUASAR_WORKER_NAME="Not a Name"
    ) as worker:
        assert worker.wait() == 1
        assert "worker_name" in worker.text
        assert "Traceback" not in worker.text


def test_sigterm_before_the_broker_is_up_ends_a_worker_cleanly(
    tmp_path, own_valkey
):
    own_valkey.stop()
    with start_worker(tmp_path, own_valkey.url) as worker:
        worker.wait_for("broker.unreachable")
        assert worker.terminate(seconds=15) == 0
