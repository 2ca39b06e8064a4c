"""Signed requests: the SDK's own `btauth/1`, without a store of nonces.

A nonce is inserted by the API in the transaction of the write that it
authorises, so `verify` hands it back instead of remembering it.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from quasar_core.chain.keys import (
    SR25519,
    KeyFault,
    Keypair,
    canonical_hotkey,
    keypair_from_seed,
    sign_bytes,
    verify_bytes,
    worker_keypair,
    worker_signer,
    worker_verifier,
)
from quasar_core.errors import ProblemCode, QuasarError
from quasar_core.telemetry.logs import get_logger

if TYPE_CHECKING:
    from bittensor import Wallet

log = get_logger("signatures")

MAX_AGE_SECONDS = 10.0
ALLOWED_SKEW_SECONDS = 2.0
NONCE_RETENTION_SECONDS = MAX_AGE_SECONDS + ALLOWED_SKEW_SECONDS
"""For how long a nonce must be remembered; an older one is stale."""

_NANOSECONDS = 1e9


@dataclass(frozen=True)
class Caller:
    """Who signed a request: the canonical hotkey, and its nonce.

    The same (hotkey, nonce) must never be accepted twice.
    """

    hotkey: str
    nonce_ns: int


class SignatureFault(QuasarError):
    """A request that does not prove who sent it.

    The text tells the caller nothing but what he sent himself.
    """

    code = ProblemCode.SIGNATURE_MALFORMED


class SignatureMissing(SignatureFault):
    """The request carries no signature at all."""

    code = ProblemCode.SIGNATURE_MISSING


class SignatureMalformed(SignatureFault):
    """A header of the signature is missing or cannot be read."""

    code = ProblemCode.SIGNATURE_MALFORMED


class WrongReceiver(SignatureFault):
    """The request was signed for another deployment, or for none."""

    code = ProblemCode.WRONG_RECEIVER


class BadSignature(SignatureFault):
    """The signature is not that hotkey's of this request."""

    code = ProblemCode.SIGNATURE_BAD


class StaleRequest(SignatureFault):
    """The nonce is too old, or too far ahead.

    `server_time_ns` is the server's clock, `age_seconds` how far the nonce
    lies behind it (negative: ahead of it).
    """

    code = ProblemCode.SIGNATURE_STALE

    def __init__(self, server_time_ns: int, age_seconds: float) -> None:
        side = "behind" if age_seconds > 0 else "ahead of"
        server_time = datetime.fromtimestamp(server_time_ns / 1e9, UTC)
        super().__init__(
            f"the request's time is {abs(age_seconds):.1f} s {side} the"
            f" server's, which is {server_time.isoformat()}; requests are"
            f" accepted from {MAX_AGE_SECONDS:g} s behind to"
            f" {ALLOWED_SKEW_SECONDS:g} s ahead: set this machine's clock"
        )
        self.server_time_ns = server_time_ns
        self.age_seconds = age_seconds


class _NoStore:
    """Remembers nothing: the caller of `verify` does."""

    def check_and_store(self, hotkey_ss58: str, nonce_ns: int) -> bool:
        del hotkey_ss58, nonce_ns
        return True


def sign(
    wallet: Wallet | Keypair,
    method: str,
    path: str,
    body: bytes,
    receiver: str,
    nonce_ns: int | None = None,
) -> dict[str, str]:
    """The headers that prove who sends this request, to whom, and when.

    `path` is the request target exactly as sent, query and all; `receiver`
    is the hotkey of the deployment. Each attempt needs a signature of its
    own, for the time is in it: now, unless `nonce_ns` says when it will be
    sent.
    """
    from bittensor import http_auth

    return http_auth.sign(
        wallet,
        method=method,
        path=path,
        body=body,
        receiver_ss58=receiver,
        nonce_ns=nonce_ns,
    )


class RequestSigner:
    """`sign(method, path, body)` for an HTTP client, by one key.

    The receiver is the deployment's hotkey. One that was given is pinned:
    an API that becomes another one has to be asked about. Else it is learnt
    (from `/rounds/current`), and learnt anew when the API rotates it: what
    is signed for one receiver is worth nothing to another.
    """

    def __init__(self, keypair: Keypair, receiver: str | None = None) -> None:
        self._keypair = keypair
        self._is_pinned = receiver is not None
        self.receiver = receiver

    def learn(self, receiver: str) -> None:
        """Sign for this receiver from now on.

        Raises WrongReceiver where another one is pinned.
        """
        if receiver == self.receiver:
            return
        if self._is_pinned:
            raise WrongReceiver(
                f"the API calls itself {receiver}, and {self.receiver} was"
                " expected: nothing is signed for it"
            )
        if self.receiver is not None:
            log.warning("receiver.rotated", former=self.receiver, now=receiver)
        self.receiver = receiver

    def __call__(self, method: str, path: str, body: bytes) -> dict[str, str]:
        """The headers; raises WrongReceiver before a receiver is known."""
        if self.receiver is None:
            raise WrongReceiver("for whom to sign is not known yet")
        return sign(self._keypair, method, path, body, self.receiver)


def verify(
    headers: Mapping[str, str],
    body: bytes,
    method: str,
    path: str,
    receiver: str,
    *,
    now_ns: int | None = None,
) -> Caller:
    """The caller whose sr25519 hotkey signed this request to `receiver`.

    `body` is the raw bytes received, `path` the target with its query.
    Raises a SignatureFault, each kind with the ProblemCode it is told by.
    Whether the nonce was used before is the caller's to check.
    """
    from bittensor import http_auth

    now = time.time_ns() if now_ns is None else now_ns
    lowered = {name.lower(): value for name, value in headers.items()}
    _check_headers(lowered)
    try:
        caller = http_auth.verify(
            lowered,
            body,
            method=method,
            path=path,
            self_hotkey_ss58=receiver,
            max_age=MAX_AGE_SECONDS,
            allowed_skew=ALLOWED_SKEW_SECONDS,
            nonce_store=_NoStore(),
            now_ns=now,
        )
        if caller.crypto_type != SR25519:
            raise SignatureMalformed("hotkeys sign with sr25519")
        return Caller(canonical_hotkey(caller.hotkey_ss58), caller.nonce_ns)
    except http_auth.StaleRequest as fault:
        nonce = int(lowered[http_auth.HEADER_NONCE.lower()])
        raise StaleRequest(now, (now - nonce) / _NANOSECONDS) from fault
    except http_auth.WrongReceiver as fault:
        raise WrongReceiver(str(fault)) from fault
    except http_auth.BadSignature as fault:
        raise BadSignature(str(fault)) from fault
    except (http_auth.MalformedAuth, KeyFault) as fault:
        raise SignatureMalformed(str(fault)) from fault


def _check_headers(lowered: Mapping[str, str]) -> None:
    from bittensor import http_auth

    present = {name for name in lowered if name.startswith("x-bittensor-")}
    if not present:
        raise SignatureMissing(
            "this request must be signed: send the X-Bittensor-* headers of"
            " btauth/1"
        )
    # A nonce is a row's key of 64 bits; a longer one, or one in another
    # spelling of the same number, is nobody's honest clock.
    nonce = lowered.get(http_auth.HEADER_NONCE.lower(), "")
    if not (nonce.isascii() and nonce.isdecimal() and len(nonce) < 20):
        raise SignatureMalformed(
            f"{http_auth.HEADER_NONCE} is missing or is no time in"
            " nanoseconds since 1970"
        )


__all__ = [
    "ALLOWED_SKEW_SECONDS",
    "MAX_AGE_SECONDS",
    "NONCE_RETENTION_SECONDS",
    "BadSignature",
    "Caller",
    "KeyFault",
    "Keypair",
    "RequestSigner",
    "SignatureFault",
    "SignatureMalformed",
    "SignatureMissing",
    "StaleRequest",
    "WrongReceiver",
    "canonical_hotkey",
    "keypair_from_seed",
    "sign",
    "sign_bytes",
    "verify",
    "verify_bytes",
    "worker_keypair",
    "worker_signer",
    "worker_verifier",
]
