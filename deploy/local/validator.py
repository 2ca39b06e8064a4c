"""A validator's three processes, against a deployment that runs already."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from quasar_core.chain.local import LocalChain
from quasar_core.chain.open import local_path
from quasar_core.chain.signatures import worker_keypair
from quasar_core.chain.wallets import create_wallet
from quasar_core.errors import QuasarError

from deploy.local.identities import register
from deploy.local.operate import watch_over
from deploy.local.processes import Processes, Program
from deploy.local.screen import Screen
from services.weight_setter.settings import WeightSetterSettings

MODULES = {
    "benchmark-worker": "services.benchmark_worker",
    "verifier-worker": "services.verifier_worker",
    "weight-setter": "services.weight_setter",
}

SETTER = "weight-setter"
WALLET_PREFIXES = ("QUASAR_WALLET_", "WALLET_", "BT_WALLET_")
"""What tells of the validator's wallet: the weight setter's alone."""

SEED_VARIABLE = "QUASAR_WORKER_SEED_FILE"
"""One key for both workers of an operator: they share a name as well."""

SETTER_NEVER = (SEED_VARIABLE, "QUASAR_REDIS_URL")


class NotLocal(QuasarError):
    """`--mock` was asked for against something that is no stand-in."""


@dataclass(frozen=True)
class Deployment:
    """What an operator says of where he takes part, and as whom.

    What is None is left to the environment and to `.env`, as when the
    three processes are started one by one.
    """

    api_url: str | None = None
    redis_url: str | None = None
    chain_url: str | None = None
    netuid: int | None = None
    wallet_name: str | None = None
    wallet_hotkey: str | None = None
    wallet_path: Path | None = None
    pool: str | None = None

    def environment(self, name: str) -> Mapping[str, str]:
        """The settings of one of the three processes.

        Workers run strangers' code: they are not told of the wallet. The
        weight setter uses no queue: it is not told of the broker, nor of
        the key that signs results.
        """
        given = {
            f"QUASAR_{name.upper()}": str(value)
            for name, value in vars(self).items()
            if value is not None
        }
        whole = {**os.environ, "PYTHONUNBUFFERED": "1", **given}
        withheld = SETTER_NEVER if name == SETTER else WALLET_PREFIXES
        return {
            key: value
            for key, value in whole.items()
            if not key.startswith(withheld)
        }


def run_operator(deployment: Deployment, folder: Path) -> None:
    """Run both workers and the weight setter until interrupted.

    Raises ProcessFault, with the tail of its log, where one of them ends.
    """
    screen = Screen()
    seed = os.environ.get(SEED_VARIABLE) or str(
        folder.resolve() / "worker.seed"
    )
    key = worker_keypair(Path(seed)).ss58_address
    screen.tell(
        f"results are signed by {key}: they count once the API knows it"
        " (QUASAR_WORKER_HOTKEYS)"
    )
    with Processes(folder / "logs") as processes:
        for name, module in MODULES.items():
            environment = dict(deployment.environment(name))
            if name != SETTER:
                environment[SEED_VARIABLE] = seed
            processes.start(
                Program(
                    name,
                    (sys.executable, "-m", module),
                    environment,
                    directory=Path.cwd(),
                )
            )
            screen.tell(f"{name} runs; its log is {processes.log_path(name)}")
        watch_over(processes, screen)


def join_local_chain(deployment: Deployment) -> Deployment:
    """Register the operator with a permit on a local chain; plays there.

    Chain and wallet that are not given are the environment's. What comes
    back names that chain's subnet. The wallet is made if it is missing.
    Raises NotLocal or ChainUnavailable where the address is no local chain
    that exists.
    """
    settings = WeightSetterSettings()
    path = local_path(deployment.chain_url or settings.chain_url)
    if path is None:
        raise NotLocal(
            "--mock plays on a local chain: give its address with --network"
            " local:///PATH/chain.json (or QUASAR_CHAIN_URL), or leave"
            " --api-url out to have a whole stack started"
        )
    wallet = create_wallet(
        deployment.wallet_name or settings.wallet_name,
        deployment.wallet_hotkey or settings.wallet_hotkey,
        deployment.wallet_path or settings.wallet_path,
    )
    chain = LocalChain(path, netuid=deployment.netuid)
    register(chain, wallet, permit=True)
    return replace(deployment, netuid=chain.netuid)
