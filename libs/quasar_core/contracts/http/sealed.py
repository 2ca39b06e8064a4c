"""Sealed submissions: committed as a hash, revealed some blocks later."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from pydantic import Field

from quasar_core.contracts.reports import Source
from quasar_core.contracts.values import Contract, Sha256Hex

Salt = Annotated[str, Field(pattern=r"^(?:[0-9a-f]{2}){16,64}$")]
"""16 to 64 bytes in lower-case hexadecimal."""


class CommitmentRequest(Contract):
    """POST /commit_submission: a hash, and nothing of what it seals."""

    commitment_hash: Sha256Hex
    miner_hotkey: Annotated[str, Field(max_length=64)] | None = None


class RevealRequest(Contract):
    """POST /reveal_submission: all that the commitment's hash was made of.

    The URL, the commit and the length are checked by the rules, as those
    of an unsealed submission are; the claim is not part of the hash.
    """

    commitment_hash: Sha256Hex
    fork_url: Annotated[str, Field(max_length=512)]
    commit_hash: Annotated[str, Field(max_length=128)]
    target_sequence_length: int
    salt: Salt
    tokens_per_sec: Annotated[float, Field(ge=0, le=1e12)] | None = None
    miner_hotkey: Annotated[str, Field(max_length=64)] | None = None


class QuotaLeft(Contract):
    """What is used up of a miner's quota, and how much there is of it.

    `waiting_in_league` is None while the league is sealed; `unrevealed`
    counts the hotkey's commitments, the rest the coldkey's submissions.
    """

    waiting_in_league: int | None
    waiting_in_league_limit: int
    judged_this_round: int
    judged_this_round_limit: int
    unrevealed: int = 0
    unrevealed_limit: int = 0


class CommitmentAccepted(Contract):
    """202: the commitment is in the database, in the order of its block.

    It is revealed from `reveal_from_block` until `reveal_until_block`,
    both included, by the chain's height.
    """

    submission_id: UUID
    status: str
    round_number: int
    commit_block: int
    reveal_from_block: int
    reveal_until_block: int
    quota: QuotaLeft


class CommitmentView(Contract):
    """What is known of a commitment; its salt once it is revealed.

    With the salt, anyone can make the hash again from what was revealed.
    """

    commitment_hash: Sha256Hex
    reveal_from_block: int
    reveal_until_block: int
    salt: str | None


class SourceView(Source):
    """GET /submissions/{id}/source: the archived files of the commit."""

    submission_id: UUID
