import time

from quasar_core.chain.signatures import verify

from deploy.local.load.shots import PATH, RECEIVER, signed_shots


def test_each_request_is_signed_for_its_own_moment():
    shots = signed_shots(10, 0.5)
    assert [shot.due_seconds for shot in shots] == [0.0, 0.1, 0.2, 0.3, 0.4]
    callers = set()
    for shot in shots:
        head, body = shot.request.split(b"\r\n\r\n", 1)
        headers = dict(
            line.split(": ", 1) for line in head.decode().split("\r\n")[1:]
        )
        caller = verify(
            headers,
            body,
            "POST",
            PATH,
            RECEIVER,
            now_ns=time.time_ns(),
        )
        callers.add((caller.hotkey, caller.nonce_ns))
    assert len(callers) == 5
