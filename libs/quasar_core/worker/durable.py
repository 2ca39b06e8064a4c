"""Durable files: there whole or not at all, whatever ends the process."""

from __future__ import annotations

import os
from pathlib import Path

FLAGS = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC | os.O_NOFOLLOW


def write_durably(path: Path, text: str, mode: int = 0o600) -> None:
    """Let `path` hold `text`, on disk, when this returns.

    Until then it holds what it held before. Raises OSError where there is
    no room; a draft beside it, `.NAME.draft`, is then gone too.
    """
    draft = draft_of(path)
    try:
        descriptor = os.open(draft, FLAGS, mode)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            os.fchmod(descriptor, mode)
            file.write(text)
            file.flush()
            os.fsync(descriptor)
        draft.rename(path)
    except OSError:
        draft.unlink(missing_ok=True)
        raise
    _sync_directory(path.parent)


def draft_of(path: Path) -> Path:
    """Where `path` is written before it appears under its name."""
    return path.with_name(f".{path.stem}.draft")


def _sync_directory(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
