"""Every fault there is a scenario of, in the order of the operations."""

from __future__ import annotations

from collections.abc import Sequence

from quasar_core.errors import Stage

from tests.faults import disks, scenarios, surroundings
from tests.faults.scenarios import Fault

POSTGRES = "PostgreSQL"
MOUNT = "the right to mount"
DISK = "PostgreSQL on a disk of its own"
COMPILER = "a C compiler"

FAULTS: Sequence[Fault] = (
    Fault("API killed in requests", scenarios.api_killed_mid_request),
    Fault(
        "API killed before publishing", scenarios.api_killed_before_publishing
    ),
    Fault("broker restarted, empty", scenarios.broker_restarted_empty),
    Fault(
        "broker restarted, old data",
        scenarios.broker_restarted_with_yesterdays_data,
    ),
    Fault("broker emptied", scenarios.broker_emptied),
    Fault("broker away", scenarios.broker_away),
    Fault("database crashed", scenarios.database_crashed, POSTGRES),
    Fault("database away", scenarios.database_away, POSTGRES),
    Fault(
        "database connections cut",
        scenarios.database_connections_cut,
        POSTGRES,
    ),
    *(
        Fault(
            f"worker killed after {stage.value}",
            scenarios.worker_killed_after(stage),
        )
        for stage in (Stage.FETCH, Stage.SCREEN, Stage.SMOKE, Stage.TIMED)
    ),
    Fault(
        "worker killed publishing",
        scenarios.worker_killed_with_a_result_on_its_disk,
    ),
    Fault("verifier killed", scenarios.verifier_killed),
    Fault("worker frozen past its lease", scenarios.worker_frozen),
    Fault("worker cut off past its lease", scenarios.worker_cut_off),
    Fault("facts twice, out of order", scenarios.facts_twice_and_out_of_order),
    Fault("one job, two workers", scenarios.one_job_for_two_workers),
    Fault("malformed messages", scenarios.malformed_messages),
    Fault("poison submission", scenarios.poison),
    Fault(
        "recorder killed in a transaction",
        scenarios.recorder_killed_mid_transaction,
        POSTGRES,
    ),
    Fault("recorder killed under way", scenarios.recorder_killed_under_way),
    Fault("scheduler killed", scenarios.scheduler_killed),
    Fault("two schedulers, one killed", scenarios.two_schedulers),
    Fault("workers' disks full", surroundings.worker_without_a_disk, MOUNT),
    Fault("database's disk full", surroundings.database_without_a_disk, DISK),
    Fault(
        "workers' clocks off",
        surroundings.worker_with_another_clock,
        COMPILER,
    ),
    Fault(
        "scheduler's clock jumps",
        surroundings.clock_of_the_scheduler_jumps,
        COMPILER,
    ),
    Fault(
        "chain away, then nonsense",
        surroundings.chain_away_at_the_end_of_a_round,
    ),
    Fault(
        "chain slow, then rate-limited",
        surroundings.chain_slow_then_rate_limited,
    ),
)


def missing(fault: Fault, *, postgres: bool) -> str:
    """What this machine lacks for a fault; empty where it lacks nothing."""
    has = {
        POSTGRES: postgres,
        MOUNT: disks.may_mount(),
        DISK: postgres and disks.may_mount(),
        COMPILER: surroundings.may_compile(),
    }
    return "" if has.get(fault.needs, True) else fault.needs
