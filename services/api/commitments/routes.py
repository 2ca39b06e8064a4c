"""Routes of commitments: commit to a submission, and reveal it."""

from __future__ import annotations

from fastapi import APIRouter, Response
from quasar_core.contracts.http import (
    CommitmentAccepted,
    CommitmentRequest,
    RevealRequest,
    SubmissionAccepted,
)
from quasar_core.telemetry.logs import get_logger

from services.api.commitments import service
from services.api.dependencies import TheCaller, TheDoors
from services.api.miners.service import same_person
from services.api.openapi import Role, example, problems, signed_by
from services.api.submissions.service import Sender, door_of

router = APIRouter(tags=["submissions"])

log = get_logger("api.commitments")

# the published test vector: docs/rules.md
COMMITMENT = {
    "commitment_hash": (
        "d04be05ff5714064e1dabe0068e4b5b6b36c466042f027aee9f4dcb5ca12aa0e"
    )
}
OPENING = {
    **COMMITMENT,
    "fork_url": "https://github.com/miner/flash-linear-attention",
    "commit_hash": "0123456789abcdef0123456789abcdef01234567",
    "target_sequence_length": 1_000_000,
    "salt": "000102030405060708090a0b0c0d0e0f",
}


@router.post(
    "/commit_submission",
    status_code=202,
    responses=problems(401, 403, 409, 413, 429),
    openapi_extra={**signed_by(Role.MINER), **example(COMMITMENT)},
)
def commit_submission(
    caller: TheCaller, request: CommitmentRequest, doors: TheDoors
) -> CommitmentAccepted:
    """Commit to a submission by a hash, and keep what it seals to yourself.

    202: its place in the order is the chain's block now. Reveal it from
    `reveal_from_block` until `reveal_until_block`, else it expires. How the
    hash is made stands in the rules, with a test vector.
    """
    same_person(caller, request.miner_hotkey)
    neuron = doors.registry.registered(caller.hotkey)
    height = doors.registry.known_height()
    with doors.database.write(owner=neuron.coldkey) as session:
        answer = service.commit(
            session,
            request.commitment_hash,
            Sender(caller, neuron),
            height=height,
            now=doors.clock(),
        )
    log.info("submission.committed", submission_id=str(answer.submission_id))
    return answer


@router.post(
    "/reveal_submission",
    status_code=202,
    responses={
        200: {
            "model": SubmissionAccepted,
            "description": "It was revealed already; this is it.",
        },
        **problems(400, 401, 403, 404, 409, 410, 413, 425, 429),
    },
    openapi_extra={**signed_by(Role.MINER), **example(OPENING)},
)
def reveal_submission(
    caller: TheCaller,
    request: RevealRequest,
    doors: TheDoors,
    response: Response,
) -> SubmissionAccepted:
    """Reveal what a commitment sealed: now it is queued, and public.

    Push the commit first: from here on it may be fetched at any time.
    """
    same_person(caller, request.miner_hotkey)
    door = door_of(request, caller.hotkey, doors.settings)
    neuron = doors.registry.registered(caller.hotkey)
    height = doors.registry.known_height()
    with doors.database.write(owner=neuron.coldkey) as session:
        answer, is_new = service.open_seal(
            session,
            door,
            request,
            Sender(caller, neuron),
            height=height,
            now=doors.clock(),
        )
    if isinstance(answer, service.TooLate):
        raise answer.problem()
    # pylint does not see that what is too late has left
    revealed = answer.submission_id  # pylint: disable=no-member
    log.info("submission.revealed", submission_id=str(revealed))
    response.status_code = 202 if is_new else 200
    return answer
