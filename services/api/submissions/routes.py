"""Routes of submissions: submit, look, list, watch, withdraw."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Header, Query, Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import StreamingResponse
from quasar_core.contracts.http import (
    SourceView,
    SubmissionAccepted,
    SubmissionPage,
    SubmissionRequest,
    SubmissionView,
)
from quasar_core.domain.submissions import TERMINAL, Status
from quasar_core.telemetry.logs import get_logger

from services.api.attempts.estimates import place_of
from services.api.dependencies import (
    HotkeyFilter,
    PageSize,
    RoundFilter,
    TheCaller,
    TheDoors,
    TheReader,
)
from services.api.miners.service import same_person
from services.api.openapi import (
    SIGNED_ROUTE,
    Role,
    example,
    problems,
    signed_by,
)
from services.api.problems import not_found
from services.api.submissions import (
    publicity,
    repository,
    service,
    views,
    withdrawing,
)
from services.api.submissions.streams import Pace, Stream, read_on, tell

router = APIRouter(tags=["submissions"])

log = get_logger("api.submissions")

CommitmentFilter = Annotated[
    str | None, Query(pattern=r"^[0-9a-f]{64}$", description="what it seals")
]

EXAMPLE = {
    "fork_url": "https://github.com/some-miner/flash-linear-attention",
    "commit_hash": "0123456789abcdef0123456789abcdef01234567",
    "target_sequence_length": 300_000,
    "tokens_per_sec": 250_000.0,
}


@router.post(
    "/submit_submission",
    status_code=202,
    responses={
        200: {
            "model": SubmissionAccepted,
            "description": "It was here already; this is it.",
        },
        **problems(401, 403, 409, 413, 429),
    },
    openapi_extra={**signed_by(Role.MINER), **example(EXAMPLE)},
)
def submit_submission(
    caller: TheCaller,
    request: SubmissionRequest,
    doors: TheDoors,
    response: Response,
) -> SubmissionAccepted:
    """Submit a commit of a fork to be judged at a sequence length.

    202: it is in the database and will be judged. What is claimed is shown
    beside what is measured, and never ranked.
    """
    same_person(caller, request.miner_hotkey)
    door = service.door_of(request, caller.hotkey, doors.settings)
    neuron = doors.registry.registered(caller.hotkey)
    height = doors.registry.last_height()
    with doors.database.write(owner=neuron.coldkey) as session:
        answer, is_new = service.submit(
            session,
            door,
            request,
            service.Sender(caller, neuron),
            height=height,
            now=doors.clock(),
        )
    # after the commit, and in the request's context: one line joins both ids
    log.info("submission.accepted", submission_id=str(answer.submission_id))
    response.status_code = 202 if is_new else 200
    return answer


@router.get("/submissions/{submission_id}", responses=problems(401, 404))
def get_submission(
    submission_id: UUID, doors: TheDoors, reader: TheReader
) -> SubmissionView:
    """A submission: status, stages, verdict with evidence, run manifest.

    Its owner, by a signature, gets the log tail as well.
    """
    with doors.database.read() as session:
        row = repository.by_id(session, submission_id)
        if row is None:
            raise not_found("submission")
        place = place_of(session, row)
        return views.whole(
            session,
            row,
            position=place.position,
            eta_seconds=place.eta_seconds,
            for_owner=reader is not None and reader.hotkey == row.hotkey,
        )


@router.post(
    "/submissions/{submission_id}/withdraw",
    responses=problems(401, 403, 404, 409, 413, 429),
    openapi_extra=SIGNED_ROUTE,
)
def withdraw_submission(
    submission_id: UUID, caller: TheCaller, doors: TheDoors
) -> SubmissionAccepted:
    """Take back a submission of one's own while it waits.

    That uses no quota up, unless it was sealed or on its way to a worker.
    Withdrawing it again changes nothing.
    """
    with doors.database.write() as session:
        return withdrawing.withdraw(
            session, submission_id, caller, now=doors.clock()
        )


@router.get(
    "/submissions/{submission_id}/source", responses=problems(403, 404)
)
def get_source(
    submission_id: UUID, doors: TheDoors, response: Response
) -> SourceView:
    """The archived files of a submission, once its round is final.

    They are what was judged, so anyone can judge them again.
    """
    with doors.database.read() as session:
        answer = publicity.source_of(session, submission_id)
    response.headers["Cache-Control"] = "public, max-age=86400"
    return answer


@router.get("/submissions", responses=problems())
def list_submissions(
    doors: TheDoors,
    hotkey: HotkeyFilter = None,
    status: Status | None = None,
    commitment_hash: CommitmentFilter = None,
    round_number: Annotated[RoundFilter, Query(alias="round")] = None,
    cursor: Annotated[
        UUID | None, Query(description="`next_cursor` of the last page")
    ] = None,
    limit: PageSize = 50,
) -> SubmissionPage:
    """Submissions, newest first."""
    with doors.database.read() as session:
        rows = repository.listed(
            session,
            hotkey=hotkey,
            status=status,
            round_number=round_number,
            commitment_hash=commitment_hash,
            before=cursor,
            limit=limit + 1,
        )
        more = len(rows) > limit
        return SubmissionPage(
            submissions=views.summaries(rows[:limit]),
            next_cursor=str(rows[limit - 1].id) if more else None,
        )


@router.get(
    "/submissions/{submission_id}/events",
    response_class=StreamingResponse,
    responses={
        200: {
            "description": "Moves and stages; ids resume the stream.",
            "content": {"text/event-stream": {"schema": {"type": "string"}}},
        },
        204: {"description": "There will be nothing after that id."},
        **problems(404),
    },
)
async def watch_submission(
    submission_id: UUID,
    doors: TheDoors,
    request: Request,
    last_event_id: Annotated[
        str, Header(pattern=r"^\d{1,18}$", description="resume after it")
    ] = "0",
) -> Response:
    """Server-sent events: each move and stage as it happens.

    Ends with an `end` event once the submission is at rest.
    """
    after = int(last_event_id)
    begun = await run_in_threadpool(_begun, doors, submission_id, after)
    if not begun:
        return Response(status_code=204)
    app = request.app
    client = request.scope["state"]["client"]
    app.state.streams.check(client)
    return Stream(
        tell(
            doors.database,
            submission_id,
            after,
            streams=app.state.streams,
            pace=Pace(
                doors.settings.event_poll_seconds,
                doors.settings.event_heartbeat_seconds,
            ),
            stopping=getattr(app.state, "stopping", lambda: False),
        ),
        app.state.streams,
        client,
    )


def _begun(doors: TheDoors, submission_id: UUID, after: int) -> bool:
    """Whether there is, or will be, something to tell after that id."""
    with doors.database.read() as session:
        row = repository.by_id(session, submission_id)
        if row is None:
            raise not_found("submission")
        if Status(row.status) not in TERMINAL:
            return True
    return not read_on(doors.database, submission_id, after).ended
