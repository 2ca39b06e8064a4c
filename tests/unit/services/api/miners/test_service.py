import pytest
from quasar_core.chain.signatures import Caller, sign
from quasar_core.errors import Problem, ProblemCode

from services.api.miners import service
from tests.support.api import RECEIVER, Moment
from tests.support.wallets import address, keypair

CALLER = Caller(address("alice"), 7)


def test_a_signed_request_is_its_signers():
    headers = sign(keypair("alice"), "POST", "/x?y=1", b"{}", RECEIVER)
    caller = service.identify(headers, b"{}", "POST", "/x?y=1", (RECEIVER,))
    assert caller.hotkey == address("alice")


@pytest.mark.parametrize(
    ("headers", "code"),
    [
        ({}, ProblemCode.SIGNATURE_MISSING),
        ({"X-Bittensor-Version": "9"}, ProblemCode.SIGNATURE_MALFORMED),
    ],
)
def test_another_is_told_to_whom_requests_are_signed(headers, code):
    with pytest.raises(Problem) as refused:
        service.identify(headers, b"", "POST", "/x", (RECEIVER,))
    assert (refused.value.status, refused.value.code) == (401, code)
    assert RECEIVER in refused.value.headers["WWW-Authenticate"]


def test_a_claimed_hotkey_must_be_the_signers():
    service.same_person(CALLER, None)
    service.same_person(CALLER, address("alice"))
    for other in (address("bob"), "x"):
        with pytest.raises(Problem) as refused:
            service.same_person(CALLER, other)
        assert refused.value.code is ProblemCode.HOTKEY_MISMATCH


def test_a_nonce_authorises_one_write(sqlite_world):
    with sqlite_world.database.write() as session:
        service.use_nonce(session, CALLER, Moment()())
        with pytest.raises(Problem) as refused:
            service.use_nonce(session, CALLER, Moment()())
    assert refused.value.status == 409
    assert refused.value.code is ProblemCode.NONCE_REPLAYED
