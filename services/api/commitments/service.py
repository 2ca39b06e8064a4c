"""Commit and reveal: a place in the order, before anybody knows for what."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from quasar_core.contracts.http import (
    CommitmentAccepted,
    RevealRequest,
    SubmissionAccepted,
)
from quasar_core.domain import quotas
from quasar_core.domain.commitments import (
    RevealBlocks,
    Window,
    opens,
    reveal_blocks,
)
from quasar_core.domain.rounds import RoundSettings
from quasar_core.domain.submissions import Status
from quasar_core.errors import Problem, ProblemCode
from quasar_core.telemetry.logs import get_logger
from sqlalchemy.orm import Session

from services.api.commitments import repository
from services.api.db.ids import new_id
from services.api.db.models import Round, Submission
from services.api.db.session import Database
from services.api.miners.service import use_nonce
from services.api.problems import not_found
from services.api.submissions import allowance
from services.api.submissions import repository as submissions
from services.api.submissions.moves import enter, move, reveal
from services.api.submissions.repository import Door
from services.api.submissions.service import (
    Sender,
    accepted,
    league_of,
    the_open_round,
)

ACTOR = "scheduler"
BATCH = 100

log = get_logger("api.commitments")


@dataclass(frozen=True)
class TooLate:
    """A reveal after its window: the commitment has expired."""

    last_block: int
    height: int

    def problem(self) -> Problem:
        """What the miner is told once that is written down."""
        return Problem(
            410,
            ProblemCode.REVEAL_TOO_LATE,
            f"it could be revealed until block {self.last_block}, and the"
            f" chain is at {self.height}; commit to it anew, with a new salt",
        )


def commit(
    session: Session,
    commitment_hash: str,
    sender: Sender,
    *,
    height: int,
    now: datetime,
) -> CommitmentAccepted:
    """Take a commitment in at the chain's block.

    Raises Problem, then nothing of it is stored.
    """
    hotkey = sender.caller.hotkey
    account = allowance.Account(sender.neuron.coldkey, hotkey)
    use_nonce(session, sender.caller, now)
    current = the_open_round(session)
    if repository.committed(session, hotkey, commitment_hash) is not None:
        raise Problem(
            409,
            ProblemCode.COMMITMENT_REPEATED,
            "this hotkey has made this very commitment before; GET"
            " /submissions?commitment_hash=... tells what became of it",
        )
    rules = RoundSettings.from_dict(current.settings)
    use = allowance.use_of(session, account, None, current)
    allowance.check_commitment(rules, use)
    window = reveal_blocks(
        height, rules.blocks_until_reveal, rules.reveal_window
    )
    row = _sealed_row(commitment_hash, account, current, height, window)
    row.created_at = row.updated_at = now
    enter(session, row, actor=f"miner:{hotkey}", now=now)
    return CommitmentAccepted(
        submission_id=row.id,
        status=row.status,
        round_number=row.round_number,
        commit_block=height,
        reveal_from_block=window.first,
        reveal_until_block=window.last,
        quota=allowance.told(rules, quotas.after_committing(use), None),
    )


def _sealed_row(
    commitment_hash: str,
    account: allowance.Account,
    current: Round,
    height: int,
    window: RevealBlocks,
) -> Submission:
    return Submission(
        id=new_id(),
        round_number=current.number,
        hotkey=account.hotkey,
        coldkey=account.coldkey,
        fork_url="",
        commit_hash="",
        target_sequence_length=0,
        league="",
        multiplier=0.0,
        status=Status.COMMITTED,
        commit_block=height,
        commitment_hash=commitment_hash,
        reveal_from_block=window.first,
        reveal_until_block=window.last,
    )


def open_seal(
    session: Session,
    door: Door,
    request: RevealRequest,
    sender: Sender,
    *,
    height: int,
    now: datetime,
) -> tuple[SubmissionAccepted | TooLate, bool]:
    """Queue what a commitment sealed; with it, whether that is new.

    A reveal that was accepted before is answered as it was. Raises Problem,
    then nothing of it is stored; a reveal that comes too late is stored,
    as the commitment's expiry.
    """
    use_nonce(session, sender.caller, now)
    current = the_open_round(session)
    row = repository.committed(session, door.hotkey, request.commitment_hash)
    if row is None:
        raise not_found("commitment of this hotkey's")
    if row.status == Status.WITHDRAWN and row.is_sealed:
        raise Problem(
            409, ProblemCode.CONFLICT, "this commitment was withdrawn"
        )
    if not row.is_sealed:
        _check_opening(request, door)
        return accepted(session, row, current), False
    late = _check_window(session, row, height, now)
    if late is not None:
        return late, False
    _check_opening(request, door)
    _check_salt(session, door.hotkey, request.salt)
    _fill(session, row, door, request, sender, current)
    row.updated_at = now
    reveal(session, row, actor=f"miner:{door.hotkey}", now=now)
    return accepted(session, row, current), True


def _check_window(
    session: Session, row: Submission, height: int, now: datetime
) -> TooLate | None:
    assert row.reveal_from_block is not None  # noqa: S101 -- a commitment
    assert row.reveal_until_block is not None  # noqa: S101 -- likewise
    window = RevealBlocks(row.reveal_from_block, row.reveal_until_block)
    late = TooLate(window.last, height)
    if row.status == Status.EXPIRED:
        return late
    match window.at(height):
        case Window.EARLY:
            raise Problem(
                425,
                ProblemCode.REVEAL_TOO_EARLY,
                f"it can be revealed from block {window.first}, and the"
                f" chain is at {height}; nothing of it was kept",
            )
        case Window.LATE:
            _expire(session, row, height, now)
            return late
        case _:
            return None


def _check_opening(request: RevealRequest, door: Door) -> None:
    if not opens(
        request.commitment_hash,
        hotkey=door.hotkey,
        fork_url=door.fork_url,
        commit_hash=door.commit_hash,
        target_sequence_length=door.target_sequence_length,
        salt=request.salt,
    ):
        raise Problem(
            400,
            ProblemCode.COMMITMENT_MISMATCH,
            "hotkey, fork_url, commit_hash, target_sequence_length and salt"
            " are not those that this commitment sealed",
        )


def _check_salt(session: Session, hotkey: str, salt: str) -> None:
    if repository.salt_is_known(session, hotkey, salt):
        raise Problem(
            409,
            ProblemCode.SALT_REUSED,
            "an earlier submission was sealed with this salt, and it is"
            " public: commit anew, with a salt that was drawn for it alone",
        )


def _fill(
    session: Session,
    row: Submission,
    door: Door,
    request: RevealRequest,
    sender: Sender,
    current: Round,
) -> None:
    """Let the row hold what was sealed, where the round takes that in."""
    rules = RoundSettings.from_dict(current.settings)
    league = league_of(door.target_sequence_length, rules)
    same = submissions.at_the_door(session, door, current.number)
    if same is not None:
        raise Problem(
            409,
            ProblemCode.CONFLICT,
            "this commit at this length stands in the round already, as"
            f" submission {same.id}",
        )
    account = allowance.Account(sender.neuron.coldkey, door.hotkey)
    use = allowance.use_of(session, account, league.name, current, row.id)
    allowance.check(rules, use)
    row.round_number = current.number
    row.coldkey = account.coldkey
    row.fork_url = door.fork_url
    row.commit_hash = door.commit_hash
    row.target_sequence_length = door.target_sequence_length
    row.league, row.multiplier = league.name, league.multiplier
    row.claimed_tokens_per_sec = request.tokens_per_sec
    row.salt = request.salt


def expire_overdue(database: Database, height: int, now: datetime) -> int:
    """Let commitments expire whose window has passed; how many did."""
    with database.read() as session:
        if not repository.any_overdue(session, height):
            return 0
    expired = 0
    with database.write() as session:
        for row in repository.overdue(session, height, BATCH):
            _expire(session, row, height, now)
            expired += 1
    return expired


def _expire(
    session: Session, row: Submission, height: int, now: datetime
) -> None:
    evidence = {"block": height, "reveal_until_block": row.reveal_until_block}
    move(
        session,
        row,
        Status.EXPIRED,
        actor=ACTOR,
        now=now,
        evidence=evidence,
    )
    log.info("commitment.expired", submission_id=str(row.id), block=height)
