"""Shots: submissions as requests, signed beforehand for their moments."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Sequence
from functools import cache

from quasar_core.chain.keys import Keypair, keypair_from_seed
from quasar_core.chain.signatures import sign

from deploy.local.load import reference
from deploy.local.load.generator import Shot, request

MINERS = 64
PATH = "/submit_submission"

Shots = Callable[[int, float], Sequence[Shot]]
"""(rate, seconds) -> requests, ready to be sent at once."""


def key(name: str) -> Keypair:
    """A key of this benchmark's own."""
    return keypair_from_seed(hashlib.sha256(name.encode()).digest())


@cache
def hotkey(number: int) -> str:
    """A miner's address."""
    return key(f"miner-{number}").ss58_address


RECEIVER = key("api").ss58_address


def signed_shots(rate: int, seconds: float) -> Sequence[Shot]:
    """Submissions, each signed beforehand for its own moment.

    Whoever calls this sends them at once: a signature is good for ten
    seconds, so the moments are counted from the end of the signing.
    """
    keys = [key(f"miner-{number}") for number in range(MINERS)]
    count = round(rate * seconds)
    began = time.time_ns()
    # about what signing takes, on a machine that is not ours alone
    start = began + 1_000_000_000 + count * 250_000
    shots = []
    for number in range(count):
        body = _body(began, number)
        due = number / rate
        headers = sign(
            keys[number % MINERS],
            "POST",
            PATH,
            body,
            RECEIVER,
            start + round(due * 1e9),
        )
        shots.append(Shot(due, request("POST", PATH, body, headers)))
    rest = (start - time.time_ns()) / 1e9
    if rest > 0:
        time.sleep(rest)
    return shots


def plain_shots(rate: int, seconds: float) -> Sequence[Shot]:
    """The same bodies, unsigned, for the reference."""
    began = time.time_ns()
    return [
        Shot(
            number / rate,
            request("POST", reference.PATH, _body(began, number)),
        )
        for number in range(round(rate * seconds))
    ]


def _body(began: int, number: int) -> bytes:
    commit = hashlib.sha1(  # noqa: S324 -- as git names commits
        f"{began}-{number}".encode()
    ).hexdigest()
    return json.dumps(
        {
            "fork_url": "https://github.com/some-miner/flash-linear-attention",
            "commit_hash": commit,
            "target_sequence_length": 100_000 + 100_000 * (number % 10),
            "tokens_per_sec": 1_000.0 + number,
        }
    ).encode()
