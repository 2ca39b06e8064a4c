"""The weight setter, joined: client, chain, wallet, and the loop."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from quasar_core.chain.chain import Chain
from quasar_core.chain.open import open_chain
from quasar_core.chain.signatures import RequestSigner
from quasar_core.chain.wallets import open_wallet
from quasar_core.client.api import QuasarClient
from quasar_core.telemetry.logs import configure_logging, get_logger
from quasar_core.telemetry.metrics import serve_metrics

from services.weight_setter.setter import WeightSetter
from services.weight_setter.settings import WeightSetterSettings

log = get_logger("weight_setter")


@dataclass(frozen=True)
class App:
    """What a command or the process needs of the weight setter."""

    setter: WeightSetter
    chain: Chain
    hotkey: str


@contextmanager
def opened(
    settings: WeightSetterSettings, *, dry_run: bool = False
) -> Iterator[App]:
    """The setter with its wallet, its chain and its client open.

    Raises KeyFault, ChainUrlFault, ChainUnavailable or ApiUnavailable with
    what to mend where one of them cannot be.
    """
    wallet = open_wallet(
        settings.wallet_name, settings.wallet_hotkey, settings.wallet_path
    )
    chain = open_chain(
        settings.chain_url,
        settings.netuid,
        wallet=wallet,
        block_seconds=settings.block_seconds,
    )
    signer = RequestSigner(wallet.keypair, settings.receiver_hotkey)
    with QuasarClient(settings.api_url, signer) as client:
        setter = WeightSetter(
            client, chain, wallet.hotkey, signer, dry_run=dry_run
        )
        yield App(setter, chain, wallet.hotkey)


def run(
    settings: WeightSetterSettings,
    *,
    dry_run: bool = False,
    stop: threading.Event | None = None,
) -> None:
    """Keep the weights as the last final round says, until `stop`.

    A turn that is under way is finished first.
    """
    stop = stop or threading.Event()
    with opened(settings, dry_run=dry_run) as app:
        log.info(
            "weight_setter.started",
            hotkey=app.hotkey,
            netuid=settings.netuid,
            dry_run=dry_run,
        )
        while not stop.is_set():
            app.setter.turn()
            stop.wait(settings.weights_poll_seconds)
    log.info("weight_setter.stopped")


def hush() -> None:
    """Let a command speak for itself: only warnings are logged."""
    configure_logging("weight_setter", "WARNING", json=False)


def serve(settings: WeightSetterSettings, *, dry_run: bool = False) -> None:
    """`run` as a process: logs, metrics, and a clean end on SIGTERM."""
    configure_logging(
        "weight_setter", settings.log_level, json=settings.log_json
    )
    serve_metrics(settings.metrics_port, settings.metrics_host)
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    run(settings, dry_run=dry_run, stop=stop)
