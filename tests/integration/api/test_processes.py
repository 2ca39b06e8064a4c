"""The three processes, for real: HTTP, a broker, both engines, signals."""

# pylint: disable=redefined-outer-name,protected-access

from contextlib import ExitStack

import httpx2
from sqlalchemy import func, select

from services.api.db.models import Attempt, Round, Submission
from services.api.db.records import LogRow, OutboxRow
from tests.support.api import Moment
from tests.support.api_processes import Platform
from tests.support.judged import Worker
from tests.support.processes import Program
from tests.support.waiting import eventually


def test_a_submission_goes_through_all_three_and_each_ends_well(platform):
    platform.start("scheduler", "web", "recorder")
    platform.register("alice")
    eventually(
        lambda: httpx2.get(f"{platform.url}/rounds/current").status_code == 200
    )
    answer = platform.submit("alice")
    assert answer.status_code == 202, answer.text
    submission_id = answer.json()["submission_id"]
    (job,) = platform.jobs()
    assert str(job.submission_id) == submission_id

    worker = Worker(Moment())
    forger = platform.bus(key="somebody-else")
    forger.publish(worker.rejected(job))
    bus = platform.bus()
    bus.publish(worker.started(job))
    bus.publish(worker.fetched(job))
    eventually(lambda: platform.status(submission_id) == "benchmarking")

    stream = f"{platform.url}/submissions/{submission_id}/events"
    with httpx2.stream("GET", stream, timeout=20) as events:
        lines = events.iter_lines()
        assert any("benchmarking" in line for line in lines)
        bus.publish(worker.benchmarked(job))
        assert any('"to_status":"verifying"' in line for line in lines)
        codes = {
            name: program.terminate()
            for name, program in platform.programs.items()
        }
    assert codes == {"web": 0, "recorder": 0, "scheduler": 0}
    for client in (bus, forger):
        client.close()
    with platform.database.read() as session:
        row = session.scalars(select(Submission)).one()
        assert row.status == "verifying"


def test_what_was_accepted_before_a_kill_is_judged_after_it(platform):
    platform.start("scheduler", "web")
    platform.register("alice")
    eventually(
        lambda: httpx2.get(f"{platform.url}/rounds/current").status_code == 200
    )
    platform.programs["scheduler"].kill()
    answer = platform.submit("alice")
    assert answer.status_code == 202
    platform.programs["web"].kill()
    platform.start("scheduler")
    (job,) = platform.jobs()
    assert str(job.submission_id) == answer.json()["submission_id"]
    assert platform.programs["scheduler"].terminate() == 0


def test_a_broker_that_comes_back_empty_delays_and_loses_nothing(
    sqlite_url, own_valkey, tmp_path
):
    platform = Platform(sqlite_url, own_valkey.url, tmp_path)
    platform.environment["QUASAR_DISPATCH_LOST_SECONDS"] = "0.5"
    platform.environment["QUASAR_LEASE_SECONDS"] = "0.5"
    with ExitStack() as stack:
        stack.callback(platform.close)
        platform.start("scheduler", "web", "recorder")
        platform.register("alice")
        platform.register("bob")
        eventually(
            lambda: httpx2.get(f"{platform.url}/rounds/current").status_code
            == 200
        )
        first = platform.submit("alice").json()["submission_id"]

        def published():
            with platform.database.read() as session:
                query = select(func.count()).where(
                    OutboxRow.published_at.is_not(None)
                )
                return session.scalar(query)

        eventually(published)
        own_valkey.stop()
        answer = platform.submit("bob")
        assert answer.status_code == 202
        own_valkey.start()
        expected = {first, answer.json()["submission_id"]}
        taken = set()
        # nobody says that he began: the same job may come once more
        while taken != expected:
            taken |= {str(job.submission_id) for job in platform.jobs()}
        with platform.database.read() as session:
            states = session.scalars(select(Attempt.state)).all()
        assert "undelivered" in states
        for program in platform.programs.values():
            assert program.terminate() == 0


def test_two_schedulers_of_which_one_is_killed_turn_each_round_once(
    platform,
):
    platform.environment |= {
        "QUASAR_ROUND_BLOCKS": "50",
        "QUASAR_ROUND_POLL_SECONDS": "0.02",
        "QUASAR_METAGRAPH_REFRESH_SECONDS": "0.02",
    }
    statuses = {}

    def reached(number):
        with platform.database.read() as session:
            rows = session.scalars(select(Round).order_by(Round.number)).all()
        statuses.update({row.number: row.status for row in rows})
        return len(rows) > number

    platform.start("scheduler")
    with Program(
        "services.api.scheduler", environment=platform.environment
    ) as doomed:
        doomed.wait_for("scheduler.started")
        for number in range(6):
            eventually(lambda least=number: reached(least), "the next round")
            if number == 3:
                doomed.kill()
            platform.chain.advance(50)
    ended = [*["weighed"] * 5, "finalised", "open"]
    eventually(
        lambda: reached(6) and list(statuses.values()) == ended,
        "the end of every closed round",
    )
    assert platform.programs["scheduler"].terminate() == 0
    with platform.database.read() as session:
        query = select(LogRow).where(LogRow.kind == "round")
        told = [
            (row.round_number, row.to_status) for row in session.scalars(query)
        ]
    assert len(told) == len(set(told)), "each step was taken once"


def test_a_database_that_was_not_migrated_is_refused_at_the_start(
    empty_database_url, redis_url, tmp_path
):
    platform = Platform(empty_database_url, redis_url, tmp_path)
    with Program(
        "services.api.web", environment=platform.environment
    ) as program:
        assert program.wait() == 3
        assert "quasar api migrate" in program.text
    platform.database.close()


def test_settings_that_are_missing_are_named(tmp_path):
    with Program(
        "services.api.scheduler",
        environment={"QUASAR_RECEIVER_HOTKEY": "nobody", "QUASAR_PORT": "x"},
    ) as program:
        assert program.wait() == 2
        assert "QUASAR_RECEIVER_HOTKEY:" in program.text
        assert "QUASAR_PORT:" in program.text
