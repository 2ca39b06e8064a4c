"""Who is calling: the signature, the registration and the nonce."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from quasar_core.chain.keys import KeyFault, canonical_hotkey
from quasar_core.chain.signatures import (
    NONCE_RETENTION_SECONDS,
    Caller,
    SignatureFault,
    StaleRequest,
    verify,
)
from quasar_core.errors import Problem, ProblemCode
from sqlalchemy.orm import Session

from services.api.miners import bans, repository

RECEIVER_HEADER = "X-Bittensor-Receiver"


def identify(
    headers: Mapping[str, str],
    body: bytes,
    method: str,
    path: str,
    receivers: Sequence[str],
) -> Caller:
    """Who signed this request; Problem 401 where nobody did.

    `receivers` are the hotkeys that the API answers to, its own first.
    """
    own = receivers[0]
    addressed = headers.get(RECEIVER_HEADER, own)
    receiver = addressed if addressed in receivers else own
    try:
        return verify(headers, body, method, path, receiver)
    except SignatureFault as fault:
        raise Problem(
            401,
            fault.code,
            str(fault),
            headers={"WWW-Authenticate": f'btauth/1 receiver="{own}"'},
            members=_clocks(fault),
        ) from fault


def _clocks(fault: SignatureFault) -> dict[str, int | float]:
    """What a client needs to see how wrong its clock is."""
    if not isinstance(fault, StaleRequest):
        return {}
    return {
        "server_time_ns": fault.server_time_ns,
        "difference_seconds": round(fault.age_seconds, 3),
    }


def same_person(caller: Caller, claimed_hotkey: str | None) -> None:
    """Problem 403 where a body names another hotkey than the signer's."""
    if claimed_hotkey is None:
        return
    try:
        claimed = canonical_hotkey(claimed_hotkey)
    except KeyFault:
        claimed = None
    if claimed != caller.hotkey:
        raise Problem(
            403,
            ProblemCode.HOTKEY_MISMATCH,
            "miner_hotkey is not the hotkey that signed this request",
        )


def use_nonce(session: Session, caller: Caller, now: datetime) -> None:
    """Use the request's nonce up, in the transaction that it authorises.

    Raises Problem 409 where it was used before, and 403 where the hotkey
    is banned: whatever writes comes through here.
    """
    # a nonce may lie a little ahead of our clock, and must outlive that
    expires_at = now + timedelta(seconds=2 * NONCE_RETENTION_SECONDS)
    if not repository.add_nonce(
        session, caller.hotkey, caller.nonce_ns, now, expires_at
    ):
        bans.check_hotkey(session, caller.hotkey, now)
        raise Problem(
            409,
            ProblemCode.NONCE_REPLAYED,
            "this very request was accepted before; sign a new one",
        )
