"""Miners of the demo without keys and repositories, for unit tests."""

from __future__ import annotations

from pathlib import Path
from typing import cast

from quasar_core.chain.wallets import OpenWallet

from deploy.local.miners.forks import Fork
from deploy.local.miners.kinds import kind_named
from deploy.local.miners.roster import Miner, Sent
from tests.support.played import hotkey_of, id_of


def sent_by(kind: str, number: int) -> Sent:
    """A submission of that kind's miner, with that number's id."""
    keypair = cast("object", None)
    miner = Miner(
        kind=kind_named(kind),
        wallet=OpenWallet(
            name=kind,
            hotkey=hotkey_of(number),
            coldkey=hotkey_of(number),
            keypair=keypair,  # type: ignore[arg-type]
            wallet=keypair,  # type: ignore[arg-type]
        ),
        fork=Fork(Path("/forks") / kind, "a" * 40),
        sequence_length=1_024,
    )
    return Sent(miner, id_of(number))
