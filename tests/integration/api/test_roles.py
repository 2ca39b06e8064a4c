"""Who may do what: every role at every route of the document."""

# pylint: disable=redefined-outer-name

import json

import pytest
from fastapi import APIRouter, Depends

from services.api.app import create_app
from services.api.dependencies import denied_by_default
from services.api.openapi import Role, role_of
from tests.support.api import make_world, settings_for, submission
from tests.support.judged import play
from tests.support.wallets import address

ROLES = ("anonymous", "unregistered", "miner", "validator", "admin", "banned")
BANNED = (403, "banned")
NOBODY = (401, "signature_missing")
STRANGER = (403, "not_registered")
NOT_PERMITTED = (403, "not_permitted")
DONE = None
"""The role is let in: whatever comes then, it is no refusal of a person."""

EVERYBODY = dict.fromkeys(ROLES, DONE)
MINERS = {
    **EVERYBODY,
    "anonymous": NOBODY,
    "unregistered": STRANGER,
    "banned": BANNED,
}
VALIDATORS = {
    **MINERS,
    "miner": NOT_PERMITTED,
    "admin": NOT_PERMITTED,
    "banned": BANNED,
}
ADMINS = {**dict.fromkeys(ROLES, NOT_PERMITTED), "anonymous": NOBODY}
ADMINS["admin"] = DONE

OWNERS = {**dict.fromkeys(ROLES, NOT_PERMITTED), "anonymous": NOBODY}
"""What is asked about is nobody's of them."""
OWNERS["banned"] = BANNED

PERSONAL = {NOBODY[1], STRANGER[1], NOT_PERMITTED[1], BANNED[1]}
"""The codes that refuse a person, and not what he asks for."""

ORDER = {"reason": "a test of roles"}
REPORT = {"round_number": None, "outcome": "dry_run", "netuid": 24}
OPENING = {
    **{k: v for k, v in submission("x").items() if k != "tokens_per_sec"},
    "commitment_hash": "c" * 64,
    "salt": "5a" * 16,
}
BAN = {"kind": "hotkey", "subject": address("nobody"), **ORDER}

WRITES = {
    "/submit_submission": (MINERS, submission),
    "/commit_submission": (
        MINERS,
        lambda who: {"commitment_hash": who.encode().hex().ljust(64, "0")},
    ),
    "/reveal_submission": (MINERS, lambda _: OPENING),
    "/submissions/{submission_id}/withdraw": (OWNERS, lambda _: {}),
    "/weights/reports": (VALIDATORS, lambda _: REPORT),
    "/admin/rounds/open": (ADMINS, lambda _: ORDER),
    "/admin/rounds/{round_number}/close": (ADMINS, lambda _: ORDER),
    "/admin/submissions/{submission_id}/{order_name}": (
        ADMINS,
        lambda _: ORDER,
    ),
    "/admin/bans": (ADMINS, lambda _: BAN),
    "/admin/bans/lift": (ADMINS, lambda _: BAN),
}
"""Of each path that writes: who may, and what he sends."""

SIGNED_READS = {
    "/admin/bans": ADMINS,
    "/admin/config": ADMINS,
    "/admin/log": ADMINS,
}

APP = create_app(settings_for("sqlite:////dev/null/nothing.db"))
ROUTES = [
    (method, path)
    for path, operations in APP.openapi()["paths"].items()
    for method in operations
]


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    """A world with somebody of each role in it."""
    from services.api.db import migrate
    from services.api.db.session import Database

    folder = tmp_path_factory.mktemp("roles")
    url = f"sqlite:///{folder / 'roles.db'}"
    database = Database(url)
    migrate.upgrade(database)
    database.close()
    for made in make_world(url, folder, admin_hotkeys=(address("admin"),)):
        made.open_round()
        made.register("player")
        made.extra["played"] = play(made, "player")
        for name in ("miner", "admin"):
            made.register(name)
        # a ban is stronger than any right
        for name in ("validator", "banned"):
            made.register(name, permit=True)
        ban = {**BAN, "subject": address("banned")}
        assert made.post("admin", "/admin/bans", ban).status_code == 200
        yield made


def target_of(path, world):
    return path.format(
        submission_id=world.extra["played"],
        round_number=1,
        order_name="quarantine",
        hotkey=address("player"),
        n=1,
    )


def ask(world, role, method, path):
    """The route's answer to that role's well-made request."""
    target = target_of(path, world)
    content = b""
    headers = {}
    if method == "post":
        _, make = WRITES[path]
        content = json.dumps(make(role)).encode()
        headers["Content-Type"] = "application/json"
    if role != "anonymous":
        headers |= world.signed(role, method.upper(), target, content)
    return world.client.request(
        method.upper(), target, content=content, headers=headers
    )


@pytest.mark.parametrize(("method", "path"), ROUTES)
@pytest.mark.parametrize("role", ROLES)
def test_a_role_may_do_what_the_table_says_and_nothing_else(
    world, role, method, path
):
    if method == "post":
        assert path in WRITES, f"say in the table who may POST {path}"
        expected = WRITES[path][0][role]
    else:
        assert method == "get"
        expected = SIGNED_READS.get(path, EVERYBODY)[role]
    answer = ask(world, role, method, path)
    if expected is not DONE:
        assert (answer.status_code, answer.json()["code"]) == expected
    else:
        assert answer.status_code not in {401, 422, 500}, answer.text
        if answer.headers["content-type"] == "application/problem+json":
            assert answer.json()["code"] not in PERSONAL


def test_what_writes_and_declares_no_role_is_nobodys(world):
    def forgotten():
        raise AssertionError

    router = APIRouter()
    router.post("/forgotten")(forgotten)
    world.client.app.include_router(
        router, dependencies=[Depends(denied_by_default)]
    )
    for name in ("admin", "validator", "miner"):
        answer = world.post(name, "/forgotten", {})
        assert (answer.status_code, answer.json()["code"]) == NOT_PERMITTED
    answer = world.client.post("/forgotten", json={})
    assert (answer.status_code, answer.json()["code"]) == NOBODY


def test_every_route_that_writes_declares_its_role_in_the_document():
    document = APP.openapi()
    for method, path in ROUTES:
        if method == "post":
            assert isinstance(role_of(document["paths"][path][method]), Role)
