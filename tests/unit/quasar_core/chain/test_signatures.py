"""Signed requests: who asks is known, or the request is refused by name."""

from __future__ import annotations

import time

import bittensor_core
import pytest
from quasar_core.chain import signatures
from quasar_core.chain.signatures import Caller
from quasar_core.errors import ProblemCode
from structlog.testing import capture_logs

from tests.support.wallets import KeyedWallet, address, keypair

API = address("api")
PATH = "/submit_submission?dry=1"
BODY = b'{"fork_url": "https://example.org/fork"}'


def signed(**changes) -> dict[str, str]:
    request = {
        "method": "POST",
        "path": PATH,
        "body": BODY,
        "receiver": API,
        **changes,
    }
    return signatures.sign(keypair("miner"), **request)


def verify(headers, **changes) -> Caller:
    request = {
        "body": BODY,
        "method": "POST",
        "path": PATH,
        "receiver": API,
        **changes,
    }
    return signatures.verify(headers, **request)


def test_a_signed_request_tells_its_caller_and_its_nonce():
    headers = signed()

    caller = verify(headers)

    nonce = int(headers["X-Bittensor-Nonce"])
    assert caller == Caller(address("miner"), nonce)


def test_headers_are_read_in_any_case():
    lowered = {name.lower(): value for name, value in signed().items()}

    assert verify(lowered).hotkey == address("miner")


def test_a_wallet_signs_with_its_hotkey():
    wallet = KeyedWallet(hotkey=keypair("hot"), coldkey=keypair("cold"))
    headers = signatures.sign(wallet, "POST", PATH, BODY, API)

    assert verify(headers).hotkey == address("hot")


def test_the_same_request_can_be_verified_again_by_itself():
    """Remembering nonces is the database's, in the write's transaction."""
    headers = signed()

    assert verify(headers) == verify(headers)


def test_a_caller_with_another_prefix_is_the_same_caller():
    miner = keypair("miner")

    class Elsewhere:
        ss58_address = bittensor_core.ss58_encode(miner.public_key, 0)
        public_key = miner.public_key
        crypto_type = 1
        sign = staticmethod(miner.sign)

    headers = signatures.sign(Elsewhere(), "POST", PATH, BODY, API)

    assert headers["X-Bittensor-Hotkey"] != address("miner")
    assert verify(headers).hotkey == address("miner")


@pytest.mark.parametrize(
    "change",
    [
        {"body": BODY + b" "},
        {"method": "PUT"},
        {"path": "/submit_submission"},
        {"path": "/admin/rounds/close"},
    ],
)
def test_a_signature_binds_body_method_and_path(change):
    with pytest.raises(signatures.BadSignature) as caught:
        verify(signed(), **change)

    assert caught.value.code is ProblemCode.SIGNATURE_BAD


def test_another_hotkey_cannot_be_claimed():
    headers = signed() | {"X-Bittensor-Hotkey": address("victim")}

    with pytest.raises(signatures.BadSignature):
        verify(headers)


def test_a_request_to_another_deployment_is_refused():
    with pytest.raises(signatures.WrongReceiver) as caught:
        verify(signed(receiver=address("elsewhere")))

    assert caught.value.code is ProblemCode.WRONG_RECEIVER


def test_a_request_to_nobody_is_refused():
    headers = signed()
    del headers["X-Bittensor-Receiver"]

    with pytest.raises(signatures.WrongReceiver):
        verify(headers)


@pytest.mark.parametrize(
    ("seconds", "accepted"),
    [(-10.1, False), (-9.9, True), (1.9, True), (2.1, False)],
)
def test_requests_are_accepted_from_10_s_back_to_2_s_ahead(seconds, accepted):
    headers = signed()
    now = int(headers["X-Bittensor-Nonce"]) - int(seconds * 1e9)
    if accepted:
        assert verify(headers, now_ns=now).hotkey == address("miner")
        return

    with pytest.raises(signatures.StaleRequest) as caught:
        verify(headers, now_ns=now)

    assert caught.value.code is ProblemCode.SIGNATURE_STALE
    assert caught.value.server_time_ns == now
    assert caught.value.age_seconds == pytest.approx(-seconds, abs=1e-6)
    assert f"{abs(seconds):.1f} s" in str(caught.value)


def test_an_unsigned_request_is_told_to_sign():
    with pytest.raises(signatures.SignatureMissing) as caught:
        verify({"content-type": "application/json"})

    assert caught.value.code is ProblemCode.SIGNATURE_MISSING


@pytest.mark.parametrize("name", ["Version", "Hotkey", "Nonce", "Signature"])
def test_a_request_without_one_of_the_headers_is_malformed(name):
    headers = signed()
    del headers[f"X-Bittensor-{name}"]

    with pytest.raises(signatures.SignatureMalformed) as caught:
        verify(headers)

    assert caught.value.code is ProblemCode.SIGNATURE_MALFORMED


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("Version", "2"),
        ("Hotkey", "nobody"),
        ("Hotkey", "0x" + keypair("miner").public_key.hex()),
        ("Nonce", "soon"),
        ("Nonce", "-1"),
        ("Nonce", "1_000"),
        ("Nonce", "٣"),
        ("Nonce", "9" * 5_000),
        ("Signature", "0x"),
        ("Signature", "0xzz"),
        ("Signature", "0x" + "00" * 63),
        ("Crypto", "rot13"),
    ],
)
def test_headers_that_cannot_be_read_are_malformed(name, value):
    headers = signed() | {f"X-Bittensor-{name}": value}
    if name == "Hotkey":
        headers["X-Bittensor-Nonce"] = str(time.time_ns())

    with pytest.raises(signatures.SignatureMalformed):
        verify(headers)


def test_only_sr25519_keys_are_hotkeys():
    edwards = bittensor_core.Keypair.create_from_seed(bytes(32), 0)
    headers = signatures.sign(edwards, "POST", PATH, BODY, API)

    with pytest.raises(signatures.SignatureMalformed, match="sr25519"):
        verify(headers)


def test_a_request_signer_signs_for_the_receiver_it_learnt():
    sign = signatures.RequestSigner(keypair("miner"))
    with pytest.raises(signatures.WrongReceiver, match="not known"):
        sign("POST", PATH, BODY)

    sign.learn(API)
    sign.learn(API)

    assert verify(sign("POST", PATH, BODY)).hotkey == address("miner")


def test_a_request_signer_follows_an_api_that_rotates_what_it_learnt():
    sign = signatures.RequestSigner(keypair("miner"))
    sign.learn(address("former"))
    with capture_logs() as lines:
        sign.learn(API)
    assert verify(sign("POST", PATH, BODY)).hotkey == address("miner")
    assert [line["event"] for line in lines] == ["receiver.rotated"]


def test_a_request_signer_is_not_talked_into_another_receiver():
    sign = signatures.RequestSigner(keypair("miner"), receiver=API)

    with pytest.raises(signatures.WrongReceiver, match="was expected"):
        sign.learn(address("impostor"))

    assert sign.receiver == API
