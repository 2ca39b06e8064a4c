"""Submitting: from a signed request to a row that will not be lost."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from quasar_core.chain.chain import Neuron
from quasar_core.chain.signatures import Caller
from quasar_core.contracts.http import (
    QuotaLeft,
    RevealRequest,
    SubmissionAccepted,
    SubmissionRequest,
)
from quasar_core.domain import leagues, quotas
from quasar_core.domain.rounds import RoundSettings
from quasar_core.domain.submissions import (
    InvalidCommit,
    InvalidForkUrl,
    Status,
    check_commit_hash,
    check_fork_url,
)
from quasar_core.errors import Problem, ProblemCode
from sqlalchemy.orm import Session

from services.api.attempts import estimates
from services.api.db.ids import new_id
from services.api.db.models import Round, Submission
from services.api.miners.service import use_nonce
from services.api.problems import unavailable
from services.api.rounds import repository as rounds
from services.api.settings import Settings
from services.api.submissions import allowance, repository
from services.api.submissions.moves import enter
from services.api.submissions.repository import Door


@dataclass(frozen=True)
class Sender:
    """Who submits: the signed request, and the neuron behind its hotkey."""

    caller: Caller
    neuron: Neuron


def door_of(
    request: SubmissionRequest | RevealRequest,
    hotkey: str,
    settings: Settings,
) -> Door:
    """The request as it stands at the door, in its one spelling.

    Raises Problem 422 with the code of what is wrong.
    """
    try:
        return Door(
            hotkey=hotkey,
            fork_url=check_fork_url(
                request.fork_url, settings.git_schemes, settings.git_hosts
            ),
            commit_hash=check_commit_hash(request.commit_hash),
            target_sequence_length=request.target_sequence_length,
        )
    except InvalidForkUrl as fault:
        raise Problem(
            422, ProblemCode.INVALID_URL, f"fork_url {fault}"
        ) from fault
    except InvalidCommit as fault:
        raise Problem(
            422, ProblemCode.INVALID_COMMIT, f"commit_hash {fault}"
        ) from fault


def submit(
    session: Session,
    door: Door,
    request: SubmissionRequest,
    sender: Sender,
    *,
    height: int | None,
    now: datetime,
) -> tuple[SubmissionAccepted, bool]:
    """Take a submission in; with it, whether it is new.

    The session keeps the coldkey's other writes waiting. `height` is the
    newest block that is known of. Raises Problem, then nothing of it is
    stored.
    """
    use_nonce(session, sender.caller, now)
    current = the_open_round(session)
    rules = RoundSettings.from_dict(current.settings)
    # before any query: a length out of bounds is no number of the database
    league = league_of(door.target_sequence_length, rules)
    existing = repository.at_the_door(session, door, current.number)
    if existing is not None:
        return accepted(session, existing, current), False
    _check_unsealed(rules, current)
    account = allowance.Account(sender.neuron.coldkey, door.hotkey)
    use = allowance.use_of(session, account, league.name, current)
    allowance.check(rules, use)
    row = _row(door, request, sender.neuron, current, league)
    # where the height is not known, ids keep the order within the last one
    row.commit_block = max(height or 0, current.opened_at_block)
    row.created_at = row.updated_at = now
    enter(session, row, actor=f"miner:{door.hotkey}", now=now)
    use = quotas.after_queueing(use)
    quota = allowance.told(rules, use, league.name)
    return answer(session, row, quota), True


def the_open_round(session: Session) -> Round:
    """The round that takes submissions; Problem 503 before the first."""
    current = rounds.open_round(session)
    if current is None:
        raise unavailable("no round is open yet")
    return current


def _check_unsealed(rules: RoundSettings, current: Round) -> None:
    if not rules.accepts_unsealed:
        raise Problem(
            403,
            ProblemCode.UNSEALED_NOT_ACCEPTED,
            f"round {current.number} takes sealed submissions only: POST"
            " /commit_submission, and reveal it some blocks later"
            " (quasar miner submit --sealed)",
        )


def _row(
    door: Door,
    request: SubmissionRequest,
    neuron: Neuron,
    current: Round,
    league: leagues.League,
) -> Submission:
    return Submission(
        id=new_id(),
        round_number=current.number,
        hotkey=door.hotkey,
        coldkey=neuron.coldkey,
        fork_url=door.fork_url,
        commit_hash=door.commit_hash,
        target_sequence_length=door.target_sequence_length,
        league=league.name,
        multiplier=league.multiplier,
        status=Status.QUEUED,
        claimed_tokens_per_sec=request.tokens_per_sec,
        claimed_benchmarks=request.benchmarks,
    )


def league_of(length: int, rules: RoundSettings) -> leagues.League:
    """The league of a length in a round; Problem 422 where it has none."""
    try:
        return leagues.admit(
            length, rules.league_unit, rules.max_sequence_length
        )
    except leagues.BelowSmallestLeague as fault:
        raise Problem(
            422, ProblemCode.BELOW_SMALLEST_LEAGUE, str(fault)
        ) from fault
    except leagues.AboveLargestLength as fault:
        raise Problem(
            422, ProblemCode.ABOVE_LARGEST_LENGTH, str(fault)
        ) from fault


def accepted(
    session: Session, row: Submission, current: Round
) -> SubmissionAccepted:
    """The answer to a submission: where it stands, and what quota is left."""
    league = row.league or None
    account = allowance.account_of(row)
    use = allowance.use_of(session, account, league, current)
    rules = RoundSettings.from_dict(current.settings)
    return answer(session, row, allowance.told(rules, use, league))


def answer(
    session: Session, row: Submission, quota: QuotaLeft
) -> SubmissionAccepted:
    """The answer, where what is left of the quota is known."""
    place = estimates.place_of(session, row)
    return SubmissionAccepted(
        submission_id=row.id,
        status=row.status,
        round_number=row.round_number,
        league=row.league or None,
        position=place.position,
        eta_seconds=place.eta_seconds,
        quota=quota,
    )
