"""Commitments: a submission sealed in a hash, opened some blocks later."""

from __future__ import annotations

import hashlib
import hmac
import re
from dataclasses import dataclass
from enum import StrEnum

from quasar_core.domain.forks import check_commit_hash, normalise_fork_url
from quasar_core.domain.sources import framed
from quasar_core.errors import QuasarError

TAG = "quasar/commitment/v1"
MIN_SALT_BYTES = 16
MAX_SALT_BYTES = 64

_SALT = re.compile(r"(?:[0-9a-f]{2})+")
_COMMITMENT = re.compile(r"[0-9a-f]{64}")


class InvalidSalt(QuasarError, ValueError):
    """Not 16 to 64 bytes in lower-case hexadecimal."""


class Window(StrEnum):
    """Whether a commitment may be revealed at a block."""

    EARLY = "early"
    OPEN = "open"
    LATE = "late"


@dataclass(frozen=True)
class RevealBlocks:
    """The first and the last block at which a reveal is accepted."""

    first: int
    last: int

    def at(self, block: int) -> Window:
        """The state of the window at `block`."""
        if block < self.first:
            return Window.EARLY
        return Window.OPEN if block <= self.last else Window.LATE


def commitment_hash(
    hotkey: str,
    fork_url: str,
    commit_hash: str,
    target_sequence_length: int,
    salt: str,
) -> str:
    """SHA-256, in hexadecimal, that binds every field.

    Over the tag and the fields hotkey, fork_url (normalised), commit_hash,
    target_sequence_length (decimal) and salt, each as 4-byte big-endian
    length and UTF-8 bytes. Raises InvalidForkUrl, InvalidCommit,
    InvalidSalt, or ValueError for a length below 1.
    """
    if target_sequence_length < 1:
        raise ValueError(f"{target_sequence_length} is no sequence length")
    fields = (
        TAG,
        hotkey,
        normalise_fork_url(fork_url),
        check_commit_hash(commit_hash),
        str(target_sequence_length),
        check_salt(salt),
    )
    message = b"".join(framed(field.encode()) for field in fields)
    return hashlib.sha256(message).hexdigest()


def opens(
    commitment: str,
    *,
    hotkey: str,
    fork_url: str,
    commit_hash: str,
    target_sequence_length: int,
    salt: str,
) -> bool:
    """Whether these fields are what `commitment` sealed.

    Raises as commitment_hash does.
    """
    opened = commitment_hash(
        hotkey, fork_url, commit_hash, target_sequence_length, salt
    )
    return hmac.compare_digest(opened.encode(), commitment.encode())


def is_commitment(text: str) -> bool:
    """Whether `text` has the form of a commitment hash."""
    return _COMMITMENT.fullmatch(text) is not None


def check_salt(salt: str) -> str:
    """`salt` itself, or InvalidSalt."""
    if not _SALT.fullmatch(salt) or not (
        MIN_SALT_BYTES <= len(salt) // 2 <= MAX_SALT_BYTES
    ):
        raise InvalidSalt(
            f"a salt is {MIN_SALT_BYTES} to {MAX_SALT_BYTES} bytes in"
            " lower-case hexadecimal"
        )
    return salt


def reveal_blocks(
    commit_block: int, blocks_until_reveal: int, reveal_window: int
) -> RevealBlocks:
    """When a commitment made at `commit_block` may be revealed.

    From `blocks_until_reveal` until `reveal_window` blocks after it, both
    included.
    """
    return RevealBlocks(
        commit_block + blocks_until_reveal, commit_block + reveal_window
    )
