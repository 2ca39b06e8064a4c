"""An API that serves the contracts from memory, over real HTTP.

It checks signatures as the real one does, keeps what it was sent, and can
be told to fail, so that clients meet a server and not a stub of one.
"""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import uvicorn
from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse, Response, StreamingResponse
from quasar_core.chain import signatures
from quasar_core.contracts.http import (
    LeagueView,
    QuotaLeft,
    RoundView,
    Standings,
    StandingsRow,
    SubmissionAccepted,
    SubmissionMove,
    SubmissionView,
)
from quasar_core.errors import ProblemCode

from tests.support.wallets import address

RECEIVER = address("api")
NOW = datetime(2026, 11, 23, tzinfo=UTC)


def round_view(**changes: Any) -> RoundView:
    """An open round, the second one, with a finalised first."""
    values: dict[str, Any] = {
        "round_number": 2,
        "status": "open",
        "pool": "cpu",
        "opened_at_block": 10,
        "closes_at_block": 1_000,
        "current_block": 20,
        "netuid": 24,
        "receiver_hotkey": RECEIVER,
        "base_commit": "a" * 40,
        "harness_digest": None,
        "settings": {"min_improvement": 0.015},
        "leagues": (
            LeagueView(name="100k", smallest_length=512, multiplier=0.5),
        ),
        "baselines": (),
        "latest_finalised_round": 1,
    }
    return RoundView(**(values | changes))


def standings_row(place: int, share: float, name: str) -> StandingsRow:
    """A row of the standings for the miner of this name."""
    return StandingsRow(
        place=place,
        level=place,
        submission_id=UUID(int=place),
        hotkey=address(name),
        coldkey=address(f"{name}-cold"),
        league="100k",
        target_sequence_length=512,
        tokens_per_sec=1_000.0 / place,
        weighted_score=500.0 / place,
        speedup_vs_baseline=2.0,
        commit_block=place,
        paid_place=place if share else None,
        share=share,
        unpaid_reason=None if share else "not_a_founder",
    )


def standings(**changes: Any) -> Standings:
    """Final standings with all four places paid, and one unpaid."""
    names = ("first", "second", "third", "fourth", "fifth")
    shares = (0.6, 0.25, 0.1, 0.05, 0.0)
    values: dict[str, Any] = {
        "round_number": 1,
        "status": "finalised",
        "final": True,
        "log_hash": "b" * 64,
        "rows": tuple(
            standings_row(place, share, name)
            for place, (share, name) in enumerate(
                zip(shares, names, strict=True), start=1
            )
        ),
    }
    return Standings(**(values | changes))


def submission_view(submission_id: UUID, **changes: Any) -> SubmissionView:
    """A submission that waits in the queue."""
    values: dict[str, Any] = {
        "submission_id": submission_id,
        "hotkey": address("miner"),
        "fork_url": "file:///forks/miner",
        "commit_hash": "c" * 40,
        "target_sequence_length": 512,
        "league": "100k",
        "multiplier": 0.5,
        "round_number": 2,
        "commit_block": 20,
        "status": "queued",
        "stage": None,
        "attempts": 0,
        "position": 3,
        "eta_seconds": 40.0,
        "claimed_tokens_per_sec": None,
        "score": None,
        "weighted_score": None,
        "verdict": None,
        "correctness": None,
        "timing": None,
        "logits": None,
        "manifest": None,
        "identity": None,
        "tree_hash": None,
        "created_at": NOW,
        "updated_at": NOW,
    }
    return SubmissionView(**(values | changes))


def moved(
    sequence: int, start: str | None, end: str, **evidence: Any
) -> SubmissionMove:
    """A move of a submission's history."""
    return SubmissionMove(
        sequence=sequence,
        kind="moved",
        from_status=start,
        to_status=end,
        stage=None,
        evidence=evidence,
        occurred_at=NOW,
    )


@dataclass
class FakeApi:
    """What the server serves, what it was sent, and how it fails."""

    url: str = ""
    round: RoundView | None = field(default_factory=round_view)
    standings: dict[int, Any] = field(default_factory=lambda: {1: standings()})
    views: dict[UUID, list[SubmissionView]] = field(default_factory=dict)
    """Successive views of a submission; the last one stays."""
    sources: dict[UUID, dict[str, Any]] = field(default_factory=dict)
    moves: list[SubmissionMove] = field(default_factory=list)
    at_rest: bool = False
    """Whether a stream tells its end; else it just ends."""
    break_stream_after: int | None = None
    submitted: list[dict[str, Any]] = field(default_factory=list)
    reports: list[dict[str, Any]] = field(default_factory=list)
    callers: list[str] = field(default_factory=list)
    nonces: set[tuple[str, int]] = field(default_factory=set)
    requests: list[str] = field(default_factory=list)
    last_event_ids: list[str | None] = field(default_factory=list)
    fail_with: list[Response] = field(default_factory=list)
    """Answered first, one by one."""


def problem(
    status: int, code: ProblemCode, detail: str, **headers: str
) -> Response:
    """A problem+json answer."""
    content = {
        "type": "about:blank",
        "title": code.value,
        "status": status,
        "code": code.value,
        "detail": detail,
    }
    return JSONResponse(
        content,
        status,
        {name.replace("_", "-"): value for name, value in headers.items()},
        media_type="application/problem+json",
    )


def make_front(api: FakeApi) -> Any:
    """The app that serves `api`, behind what counts and fails requests."""
    app = make_app(api)

    async def front(scope, receive, send) -> None:
        target = scope["path"]
        if scope["query_string"]:
            target += f"?{scope['query_string'].decode()}"
        api.requests.append(f"{scope['method']} {target}")
        answer = api.fail_with.pop(0) if api.fail_with else app
        await answer(scope, receive, send)

    return front


def make_app(api: FakeApi) -> FastAPI:
    """The routes of the contracts."""
    app = FastAPI()
    _add_rounds(app, api)
    _add_weights(app, api)
    _add_submissions(app, api)
    return app


async def _caller(api: FakeApi, request: Request) -> str | Response:
    body = await request.body()
    try:
        found = signatures.verify(
            request.headers,
            body,
            request.method,
            request.url.path,
            api.round.receiver_hotkey,
        )
    except signatures.SignatureFault as fault:
        return problem(401, fault.code, str(fault))
    key = (found.hotkey, found.nonce_ns)
    if key in api.nonces:
        return problem(409, ProblemCode.NONCE_REPLAYED, "seen before")
    api.nonces.add(key)
    api.callers.append(found.hotkey)
    return found.hotkey


def _add_rounds(app: FastAPI, api: FakeApi) -> None:
    @app.get("/rounds/current")
    async def current() -> Response:
        if api.round is None:
            return problem(404, ProblemCode.NOT_FOUND, "no round is open")
        return _json(api.round)

    @app.get("/rounds/{number}/standings")
    async def of_round(number: int) -> Response:
        found = api.standings.get(number)
        if found is None:
            return problem(404, ProblemCode.NOT_FOUND, "no such round")
        return _json(found)


def _add_weights(app: FastAPI, api: FakeApi) -> None:
    @app.post("/weights/reports")
    async def report(request: Request) -> Response:
        who = await _caller(api, request)
        if isinstance(who, Response):
            return who
        api.reports.append(json.loads(await request.body()))
        return JSONResponse({"accepted": True}, 202)


def _add_submissions(app: FastAPI, api: FakeApi) -> None:
    @app.post("/submit_submission")
    async def submit(request: Request) -> Response:
        who = await _caller(api, request)
        if isinstance(who, Response):
            return who
        api.submitted.append(json.loads(await request.body()))
        submission_id = uuid4()
        api.views.setdefault(submission_id, [submission_view(submission_id)])
        return _json(
            SubmissionAccepted(
                submission_id=submission_id,
                status="queued",
                round_number=2,
                league="100k",
                position=3,
                eta_seconds=40.0,
                quota=QuotaLeft(
                    waiting_in_league=0,
                    waiting_in_league_limit=1,
                    judged_this_round=11,
                    judged_this_round_limit=12,
                ),
            ),
            202,
        )

    @app.get("/submissions/{submission_id}")
    async def submission(submission_id: UUID) -> Response:
        views = api.views.get(submission_id)
        if not views:
            return problem(404, ProblemCode.NOT_FOUND, "no such submission")
        return _json(views.pop(0) if len(views) > 1 else views[0])

    @app.get("/submissions/{submission_id}/source")
    async def source(submission_id: UUID) -> Response:
        if submission_id not in api.sources:
            return problem(404, ProblemCode.NOT_FOUND, "not public")
        return JSONResponse(
            {
                **api.sources[submission_id],
                "submission_id": str(submission_id),
            }
        )

    @app.get("/submissions/{submission_id}/events")
    async def events(submission_id: UUID, request: Request) -> Response:
        if submission_id not in api.views:
            return problem(404, ProblemCode.NOT_FOUND, "no such submission")
        last = request.headers.get("last-event-id")
        api.last_event_ids.append(last)
        after = int(last or 0)
        if api.at_rest and all(m.sequence <= after for m in api.moves):
            return Response(status_code=204)
        return StreamingResponse(
            _stream(api, after), media_type="text/event-stream"
        )


async def _stream(api: FakeApi, after: int):
    yield ": hello\n\nretry: 2000\n\n"
    for told, move in enumerate(m for m in api.moves if m.sequence > after):
        if told == api.break_stream_after:
            api.break_stream_after = None
            raise ConnectionResetError("the line breaks here")
        data = move.model_dump_json()
        yield f"id: {move.sequence}\nevent: {move.kind}\ndata: {data}\n\n"
    if api.at_rest:
        yield "event: end\ndata: {}\n\n"


def _json(value: Any, status: int = 200) -> Response:
    if hasattr(value, "model_dump"):
        value = value.model_dump(mode="json")
    return JSONResponse(value, status)


@contextmanager
def served(app: Any) -> Iterator[str]:
    """An ASGI app behind a real server on a free port; its address."""
    config = uvicorn.Config(app, log_level="critical", lifespan="off")
    server = uvicorn.Server(config)
    listener = socket.create_server(("127.0.0.1", 0))
    thread = threading.Thread(
        target=server.run, kwargs={"sockets": [listener]}, daemon=True
    )
    thread.start()
    while not server.started:
        time.sleep(0.005)
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        server.force_exit = True
        thread.join(timeout=10)
        listener.close()


@contextmanager
def serving(api: FakeApi | None = None) -> Iterator[FakeApi]:
    """A FakeApi behind a real server."""
    api = api or FakeApi()
    with served(make_front(api)) as api.url:
        yield api
