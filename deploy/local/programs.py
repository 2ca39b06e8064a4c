"""The platform's processes, and what each reads from its environment."""

from __future__ import annotations

import http.client
import json
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from deploy.local.broker import Doors
from deploy.local.environment import HOST, Place, base_environment
from deploy.local.identities import (
    BENCHMARK_WORKER,
    NETUID,
    VERIFIER_WORKER,
    Identities,
)
from deploy.local.processes import Program, always
from deploy.local.rules import POOL, Rules

PROCESSES = (
    *("web", "recorder", "scheduler"),
    *("benchmark-worker", "verifier-worker", "weight-setter"),
)
READY_SECONDS = 90.0
HEALTH_SECONDS = 2.0


@dataclass(frozen=True)
class Wiring:
    """How the processes of one stack find each other."""

    place: Place
    rules: Rules
    identities: Identities
    doors: Doors
    api_port: int
    base_commit: str
    metrics_ports: Mapping[str, int] = field(default_factory=dict)

    @property
    def api_url(self) -> str:
        """Where the API answers."""
        return f"http://{HOST}:{self.api_port}"

    def program(
        self,
        name: str,
        module: str,
        environment: Mapping[str, str],
        ready: Callable[[], bool] = always,
    ) -> Program:
        """One of our own modules as a process."""
        return Program(
            name=name,
            argv=(sys.executable, "-P", "-m", module),
            environment={
                **base_environment(),
                "QUASAR_METRICS_PORT": str(self.metrics_ports.get(name, 0)),
                "QUASAR_STATE_DIRECTORY": str(self.place.state_of(name)),
                **environment,
            },
            ready=ready,
            ready_seconds=READY_SECONDS,
            directory=self.place.root,
        )


def api_programs(wiring: Wiring) -> tuple[Program, ...]:
    """The API's three processes: they share one environment."""
    environment = api_environment(wiring)
    return (
        wiring.program(
            "web",
            "services.api.web",
            environment,
            ready=lambda: answers(wiring.api_port, "/health/ready"),
        ),
        wiring.program("recorder", "services.api.recorder", environment),
        wiring.program("scheduler", "services.api.scheduler", environment),
    )


def operator_programs(wiring: Wiring) -> tuple[Program, ...]:
    """One operator's three processes: both workers and the weight setter."""
    return (
        wiring.program(
            "benchmark-worker",
            "services.benchmark_worker",
            {
                **worker_environment(wiring, BENCHMARK_WORKER),
                "QUASAR_GIT_SCHEMES": json.dumps(wiring.rules.git_schemes),
            },
        ),
        wiring.program(
            "verifier-worker",
            "services.verifier_worker",
            worker_environment(wiring, VERIFIER_WORKER),
        ),
        wiring.program(
            "weight-setter",
            "services.weight_setter",
            setter_environment(wiring),
        ),
    )


def api_environment(wiring: Wiring) -> Mapping[str, str]:
    """The API's settings: its doors and keys, and the rules of a round."""
    rules, identities = wiring.rules, wiring.identities
    return {
        "QUASAR_REDIS_URL": wiring.doors.platform,
        "QUASAR_DATABASE_URL": wiring.place.database_url,
        "QUASAR_HOST": HOST,
        "QUASAR_PORT": str(wiring.api_port),
        "QUASAR_RECEIVER_HOTKEY": identities.owner.hotkey,
        "QUASAR_WORKER_HOTKEYS": json.dumps(identities.worker_hotkeys()),
        "QUASAR_ADMIN_HOTKEYS": json.dumps([identities.owner.hotkey]),
        "QUASAR_CHAIN_URL": wiring.place.chain_url,
        "QUASAR_NETUID": str(NETUID),
        "QUASAR_GIT_SCHEMES": json.dumps(rules.git_schemes),
        "QUASAR_POOL": POOL,
        "QUASAR_BASE_COMMIT": wiring.base_commit,
        "QUASAR_LEAGUE_UNIT": str(rules.league_unit),
        "QUASAR_MAX_SEQUENCE_LENGTH": str(rules.max_sequence_length),
        "QUASAR_MIN_IMPROVEMENT": str(rules.min_improvement),
        "QUASAR_MUST_BEAT_BASELINE": "false",
        "QUASAR_ROUND_BLOCKS": str(rules.round_blocks),
        "QUASAR_EVALUATING_BLOCKS": str(rules.evaluating_blocks),
        "QUASAR_BLOCKS_UNTIL_REVEAL": str(rules.blocks_until_reveal),
        "QUASAR_REVEAL_WINDOW": str(rules.reveal_window),
        "QUASAR_QUOTA_JUDGED_PER_ROUND": str(rules.judged_per_round),
        "QUASAR_LEASE_SECONDS": str(rules.lease_seconds),
        "QUASAR_CANARY_SECONDS": str(rules.canary_seconds),
        # everybody on this machine has the same address
        "QUASAR_REQUESTS_PER_MINUTE": "0",
        "QUASAR_AUTH_FAILURES": "0",
        "QUASAR_MAX_EVENT_STREAMS_PER_CLIENT": "200",
        "QUASAR_METAGRAPH_REFRESH_SECONDS": "1",
        "QUASAR_ROUND_POLL_SECONDS": "0.5",
    }


def worker_environment(wiring: Wiring, worker: str) -> Mapping[str, str]:
    """A worker's settings: its name, pool and key, its own broker user."""
    judge = wiring.rules.judge
    return {
        **({} if judge is None else {"QUASAR_JUDGE": judge}),
        "QUASAR_REDIS_URL": wiring.doors.workers[worker],
        "QUASAR_WORKER_NAME": worker,
        "QUASAR_WORKER_SEED_FILE": str(wiring.identities.workers[worker]),
        "QUASAR_POOL": POOL,
        "QUASAR_HEARTBEAT_SECONDS": str(wiring.rules.heartbeat_seconds),
        "QUASAR_CANARY_SECONDS": str(wiring.rules.canary_seconds),
    }


def setter_environment(wiring: Wiring) -> Mapping[str, str]:
    """The weight setter's settings: the API, the chain, its wallet."""
    validator = wiring.identities.validator
    return {
        "QUASAR_API_URL": wiring.api_url,
        "QUASAR_CHAIN_URL": wiring.place.chain_url,
        "QUASAR_NETUID": str(NETUID),
        "QUASAR_WALLET_NAME": validator.name,
        "QUASAR_WALLET_HOTKEY": "default",
        "QUASAR_WALLET_PATH": str(wiring.place.wallets),
        "QUASAR_WEIGHTS_POLL_SECONDS": "1",
    }


def write_targets(wiring: Wiring) -> None:
    """Tell Prometheus, in a file of its own form, whom it may ask."""
    path = wiring.place.targets
    path.parent.mkdir(parents=True, exist_ok=True)
    groups = [
        {"targets": [f"{HOST}:{port}"], "labels": {"process": name}}
        for name, port in wiring.metrics_ports.items()
    ]
    path.write_text(json.dumps(groups, indent=1), encoding="utf-8")


def answers(port: int, path: str) -> bool:
    """Whether an HTTP server of this machine answers 200 there."""
    connection = http.client.HTTPConnection(HOST, port, HEALTH_SECONDS)
    try:
        connection.request("GET", path)
        return connection.getresponse().status == http.HTTPStatus.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
