"""Forking: a clone to work in, from GitHub, from any remote, or new."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from quasar_core.client.github import GitHub, push_header
from quasar_core.execution.own_git import (
    NOTHING,
    clone,
    credentials,
    has_remote,
    remote_url,
)

from services.miner_agent.repository import create_base_repository


@dataclass(frozen=True)
class Origin:
    """Where a fork comes from, where there is none yet.

    `github` is `owner/name`, forked with the token; `base` is anything that
    git clones; with neither the base repository is made here.
    """

    base: str | None = None
    github: str | None = None
    token: str | None = None
    github_url: str = "https://api.github.com"


def ensure_fork(path: Path, origin: Origin) -> str:
    """Make sure that `path` is a repository; what was done, in words.

    One that is there is kept as it is. Raises GitHubRefused,
    ApiUnavailable, RepositoryError and RepositoryFault.
    """
    if (path / ".git").exists():
        return f"working in {path}"
    if origin.github is not None and origin.token is not None:
        with GitHub(origin.token, origin.github_url) as api:
            fork = api.fork(origin.github)
        clone(fork.clone_url, path, access(fork.clone_url, origin.token))
        return f"forked {origin.github} to {fork.full_name}, cloned to {path}"
    if origin.base is not None:
        clone(origin.base, path)
        return f"cloned {origin.base} to {path}"
    create_base_repository(path)
    return f"made the base repository in {path}"


def access(url: str, token: str | None) -> Mapping[str, str]:
    """How git is let in at this address: by the token, and there alone."""
    if token is None or not url.startswith(("https://", "http://127.0.0.1:")):
        return NOTHING
    return credentials(url, push_header(token))


def address_of(path: Path, remote: str) -> str | None:
    """The public address of a fork's remote, where it has one."""
    if not has_remote(path, remote):
        return None
    url = remote_url(path, remote)
    return url.removesuffix(".git") if url.startswith("https://") else None
