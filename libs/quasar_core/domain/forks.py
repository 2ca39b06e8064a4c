"""Forks: which address and which commit a submission may name."""

from __future__ import annotations

import re
from collections.abc import Collection

from quasar_core.errors import QuasarError

MAX_URL_LENGTH = 512

_COMMIT_HASH = re.compile(r"[0-9a-f]{40}")
_URL = re.compile(r"([A-Za-z][A-Za-z0-9.-]*)://([^/]*)(/.*)")
_LABEL = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_HOST = re.compile(rf"(?:{_LABEL}\.)+[a-z](?:[a-z0-9-]{{0,61}}[a-z0-9])")
_SEGMENT = re.compile(r"[A-Za-z0-9_.~+][A-Za-z0-9_.~+-]*")


class InvalidCommit(QuasarError, ValueError):
    """Not the full, lower-case hash of a commit."""


class InvalidForkUrl(QuasarError, ValueError):
    """Not an address that a fork may have."""


def check_commit_hash(commit_hash: str) -> str:
    """`commit_hash` itself, if it is 40 lower-case hexadecimal digits.

    Raises InvalidCommit for a branch, a tag, a short or upper-case hash,
    and anything that git could read as an option.
    """
    if not _COMMIT_HASH.fullmatch(commit_hash):
        raise InvalidCommit(
            "a commit is named by its full hash: 40 lower-case"
            " hexadecimal digits"
        )
    return commit_hash


def normalise_fork_url(fork_url: str) -> str:
    """The one spelling of an address.

    Scheme and host in lower case, no trailing `.git` or `/`. Raises
    InvalidForkUrl for what is not `scheme://host/path` in plain ASCII.
    """
    if len(fork_url) > MAX_URL_LENGTH:
        raise InvalidForkUrl(f"longer than {MAX_URL_LENGTH} characters")
    if not fork_url.isascii() or not fork_url.isprintable():
        raise InvalidForkUrl("holds characters other than printable ASCII")
    match = _URL.fullmatch(fork_url)
    if match is None:
        raise InvalidForkUrl("is not of the form scheme://host/path")
    scheme, host, path = match.groups()
    return f"{scheme.lower()}://{host.lower()}{_bare(path)}"


def check_fork_url(
    fork_url: str,
    allowed_schemes: Collection[str] = ("https",),
    allowed_hosts: Collection[str] = ("github.com",),
) -> str:
    """The normalised address, if a fork may have it.

    A host must be on the list by its exact name, so addresses by number,
    ports, user names and metadata services fall with it; a `file` address
    has no host and passes only where its scheme is listed. Raises
    InvalidForkUrl, saying what is wrong.
    """
    url = normalise_fork_url(fork_url)
    scheme, _, rest = url.partition("://")
    host, _, path = rest.partition("/")
    if scheme not in allowed_schemes:
        raise InvalidForkUrl(
            f"scheme {scheme} is not one of {', '.join(allowed_schemes)}"
        )
    _check_host(scheme, host, allowed_hosts)
    for segment in path.split("/"):
        _check_segment(segment)
    return url


def _bare(path: str) -> str:
    """`path` without any trailing `.git` or `/`."""
    while path.endswith(("/", ".git")):
        path = path.removesuffix("/").removesuffix(".git")
    return path


def _check_host(
    scheme: str, host: str, allowed_hosts: Collection[str]
) -> None:
    if scheme == "file":
        if host:
            raise InvalidForkUrl("a file address has no host")
        return
    if not _HOST.fullmatch(host):
        raise InvalidForkUrl(
            "the host must be a plain name: no user, port or number"
        )
    if host not in allowed_hosts:
        raise InvalidForkUrl(
            f"host {host} is not one of {', '.join(allowed_hosts)}"
        )


def _check_segment(segment: str) -> None:
    if not _SEGMENT.fullmatch(segment) or segment in {".", ".."}:
        raise InvalidForkUrl(
            "every part of the path must be a plain name: letters, digits"
            " and _ . ~ + - only, not . or .., not beginning with -"
        )
