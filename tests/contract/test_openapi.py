"""What the OpenAPI document promises, the API keeps, whatever comes."""

# pylint: disable=redefined-outer-name

import os
import shutil

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from quasar_core.chain.signatures import sign
from schemathesis import GenerationMode, checks

from services.api.app import create_app
from tests.support.api import RECEIVER, make_world, settings_for
from tests.support.judged import play
from tests.support.wallets import address, keypair

EXAMPLES = int(os.environ.get("FUZZ_EXAMPLES", "12"))
"""Of each operation and kind; `make fuzz` asks for many more."""

FUZZING = "FUZZ_EXAMPLES" in os.environ
ALLOWED_TO_ALL = "boss"
"""A miner, a validator and an administrator, so that nothing is denied."""


class Signing:
    """The app behind a client that signs whatever it sends."""

    def __init__(self, app, name):
        self.app = app
        self.name = name

    async def __call__(self, scope, receive, send):
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        body, more = b"", True
        while more:
            message = await receive()
            body += message.get("body", b"")
            more = message.get("more_body", False)
        target = scope["raw_path"].split(b"?")[0].decode()
        if scope["query_string"]:
            target += "?" + scope["query_string"].decode()
        signed = sign(
            keypair(self.name), scope["method"], target, body, RECEIVER
        )
        headers = [
            (name, value)
            for name, value in scope["headers"]
            if not name.lower().startswith(b"x-bittensor-")
        ]
        headers += [
            (k.lower().encode(), v.encode()) for k, v in signed.items()
        ]

        async def replay():
            return {"type": "http.request", "body": body, "more_body": False}

        await self.app({**scope, "headers": headers}, replay, send)


@pytest.fixture(scope="module")
def filled(sqlite_template, tmp_path_factory):
    """A world with something of everything in it."""
    folder = tmp_path_factory.mktemp("filled")
    shutil.copy(sqlite_template, folder / "quasar.db")
    for world in make_world(
        f"sqlite:///{folder / 'quasar.db'}",
        folder,
        admin_hotkeys=(address(ALLOWED_TO_ALL),),
    ):
        world.open_round()
        for name in ("fast", "slow"):
            world.register(name, permit=True)
            play(world, name)
        world.blocks(14_400)
        world.turn()
        world.turn()
        world.register(ALLOWED_TO_ALL, permit=True)
        yield world


class Relay:
    """An app to generate requests for, with the test's app behind it."""

    def __init__(self, app):
        self.app = app

    async def __call__(self, scope, receive, send):
        await self.app(scope, receive, send)


# the document is that of an app that is connected to nothing
RELAY = Relay(create_app(settings_for("sqlite:////dev/null/nothing.db")))
SCHEMA = schemathesis.openapi.from_asgi("/openapi.json", RELAY)
OPERATIONS = [found.ok() for found in SCHEMA.get_all_operations()]
WRITES = [one for one in OPERATIONS if one.method.lower() == "post"]

WITH_INPUT = [
    one
    for one in OPERATIONS
    if one.body or one.query or one.path_parameters or one.headers
]
POSITIVE = GenerationMode.POSITIVE

PROMISES = [
    checks.content_type_conformance,
    checks.not_a_server_error,
    checks.response_headers_conformance,
    checks.response_schema_conformance,
    checks.status_code_conformance,
]

BOUNDED = settings(
    max_examples=EXAMPLES,
    deadline=None,
    derandomize=not FUZZING,
    database=None,
    suppress_health_check=list(HealthCheck),
)


def check_all(operation, app, claim=lambda _answer: None, mode=POSITIVE):
    """Send generated requests of an operation, and hold it to its promises."""
    RELAY.app = app

    @BOUNDED
    @given(case=operation.as_strategy(generation_mode=mode))
    def sent(case):
        claim(case.call_and_validate(checks=PROMISES))

    sent()


def labelled(operations):
    return {"argvalues": operations, "ids": [one.label for one in operations]}


@pytest.mark.parametrize("operation", **labelled(OPERATIONS))
def test_a_signed_request_is_answered_as_promised(operation, filled):
    check_all(operation, Signing(filled.client.app, ALLOWED_TO_ALL))


@pytest.mark.parametrize("operation", **labelled(WITH_INPUT))
def test_a_signed_request_that_is_wrong_is_answered_as_promised(
    operation, filled
):
    app = Signing(filled.client.app, ALLOWED_TO_ALL)
    check_all(operation, app, mode=GenerationMode.NEGATIVE)


@pytest.mark.parametrize("operation", **labelled(WRITES))
def test_an_unsigned_write_is_refused_as_promised(operation, filled):
    def refused(answer):
        assert answer.status_code in {401, 422}

    check_all(operation, filled.client.app, refused)


def test_the_document_has_every_path_of_the_interface():
    assert {one.path for one in OPERATIONS} == {
        "/submit_submission",
        "/commit_submission",
        "/reveal_submission",
        "/submissions",
        "/submissions/{submission_id}",
        "/submissions/{submission_id}/events",
        "/submissions/{submission_id}/source",
        "/submissions/{submission_id}/withdraw",
        "/get_submission_stats",
        "/leaderboard",
        "/rounds",
        "/rounds/current",
        "/rounds/{round_number}",
        "/rounds/{round_number}/standings",
        "/rounds/{round_number}/challenges",
        "/rounds/{round_number}/explain/{hotkey}",
        "/canaries",
        "/weights",
        "/weights/reports",
        "/health/live",
        "/health/ready",
        "/admin/rounds/open",
        "/admin/rounds/{round_number}/close",
        "/admin/submissions/{submission_id}/{order_name}",
        "/admin/bans",
        "/admin/bans/lift",
        "/admin/config",
        "/admin/log",
    }
