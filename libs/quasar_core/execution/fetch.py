"""Fetching the kernel files of a stranger's commit, in a sandbox."""

from __future__ import annotations

import re
import ssl
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from quasar_core.contracts.reports import Source
from quasar_core.domain.forks import (
    InvalidCommit,
    InvalidForkUrl,
    check_commit_hash,
    check_fork_url,
)
from quasar_core.errors import (
    RejectionCode,
    Stage,
    SubmissionFault,
    TransientError,
)
from quasar_core.execution.frames import Answer
from quasar_core.execution.gateway import Destinations, Gateway
from quasar_core.execution.hardened_git import within
from quasar_core.execution.limits import MIB, Limits
from quasar_core.execution.local_source import local_source
from quasar_core.execution.reading import ANSWER_BYTES, GRACE_SECONDS, Asked
from quasar_core.execution.reading import read as read_inside
from quasar_core.execution.sandbox import Mount, Sandbox
from quasar_core.execution.sources import as_source

__all__ = ["FetchLimits", "Fetcher", "fetch_checked", "local_source"]

FORK = Path("/opt/fork")
AUTHORITIES = Path("/opt/authorities.crt")
BUNDLES = (
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/cert.pem",
)
TARGET = re.compile(r"http://([^/]+)/")
SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True)
class FetchLimits:
    """Where may be fetched from, and how much of it.

    `pack_bytes` bounds what is taken to find the files (a host that does
    not serve parts sends the whole commit), `blob_bytes` the files
    themselves as they travel, `memory_bytes` each of git's processes.
    `private` allows hosts of this machine's own networks, `authorities`
    other certificates than the system's: both in tests.
    """

    allowed_schemes: Sequence[str] = ("https",)
    allowed_hosts: Sequence[str] = ("github.com",)
    seconds: float = 60.0
    pack_bytes: int = 50 * MIB
    blob_bytes: int = 4 * MIB
    memory_bytes: int = 1024 * MIB
    private: bool = False
    authorities: Path | None = None

    @property
    def sandbox_limits(self) -> Limits:
        """What git may use inside, all its processes together."""
        return Limits(
            wall_seconds=self.seconds + GRACE_SECONDS,
            cpus=1,
            memory_bytes=self.memory_bytes,
            pids=64,
            tmp_bytes=2 * self.pack_bytes + 16 * MIB,
            shm_bytes=MIB,
            output_bytes=ANSWER_BYTES,
            drain_bytes=ANSWER_BYTES,
        )


@dataclass(frozen=True)
class Fetcher:
    """Takes kernel files out of forks, trusting nothing about them."""

    sandbox: Sandbox
    limits: FetchLimits = field(default_factory=FetchLimits)

    def fetch(self, fork_url: str, commit_hash: str) -> Source:
        """The kernel files of one commit of a fork.

        Raises SubmissionFault at stage fetch for what is the fork's fault,
        TransientError for what is the world's (GitTimeout among them).
        """
        limits = self.limits
        try:
            url = check_fork_url(
                fork_url, limits.allowed_schemes, limits.allowed_hosts
            )
            check_commit_hash(commit_hash)
        except InvalidForkUrl as error:
            raise _fault(RejectionCode.FORK_UNREACHABLE, error) from error
        except InvalidCommit as error:
            raise _fault(RejectionCode.COMMIT_NOT_FOUND, error) from error
        return fetch_checked(
            _as_served(url), commit_hash, limits, self.sandbox
        )


def fetch_checked(
    url: str, commit_hash: str, limits: FetchLimits, sandbox: Sandbox
) -> Source:
    """Fetch from an address that was found to be allowed."""
    facts: dict[str, Any] = {
        "url": url,
        "commit_hash": commit_hash,
        "protocols": list(limits.allowed_schemes),
        "seconds": limits.seconds,
        "pack_bytes": limits.pack_bytes,
        "blob_bytes": limits.blob_bytes,
        "memory_bytes": limits.memory_bytes,
        "settings": [],
        "lanes": [],
        "target": None,
    }
    if url.startswith("file://"):
        mounts = (Mount(_local(url), FORK),)
        facts["url"] = f"file://{FORK}"
        asked = Asked(
            "fetch", facts, Stage.FETCH, limits.sandbox_limits, mounts
        )
        return _source(_read(sandbox, asked))
    return _source(_over_network(sandbox, facts, limits))


def _over_network(
    sandbox: Sandbox, facts: dict[str, Any], limits: FetchLimits
) -> Answer:
    """The same, with the gateway as the only way out."""
    plain = TARGET.match(facts["url"])
    mounts: tuple[Mount, ...] = ()
    if plain is not None:
        facts["target"] = _with_port(plain[1])
        facts["url"] = facts["url"].replace(plain[1], facts["target"], 1)
    else:
        mounts = (Mount(_authorities(limits), AUTHORITIES),)
        facts["settings"].append(f"http.sslCAInfo={AUTHORITIES}")
    destinations = Destinations(
        hosts=tuple(limits.allowed_hosts),
        ports=None if limits.private else (443,),
        private=limits.private,
    )
    most_bytes = 2 * (limits.pack_bytes + limits.blob_bytes)
    with ExitStack() as stack:
        gateway = stack.enter_context(
            Gateway(
                destinations,
                most_bytes,
                within(limits.sandbox_limits.wall_seconds),
            )
        )
        facts["lanes"] = list(gateway.inside)
        asked = Asked(
            "fetch",
            facts,
            Stage.FETCH,
            limits.sandbox_limits,
            mounts,
            passed=gateway.inside,
            loopback=True,
        )
        return _read(sandbox, asked, gateway)


def _read(
    sandbox: Sandbox, asked: Asked, gateway: Gateway | None = None
) -> Answer:
    try:
        if gateway is None:
            return read_inside(sandbox, asked)
        return read_inside(sandbox, asked, gateway.handed_over)
    except ValueError as error:
        # A fork on this machine that may not be mounted.
        raise TransientError(f"the fork cannot be read: {error}") from error


def _source(answer: Answer) -> Source:
    """The source in an answer, checked again outside; see `as_source`."""
    identity, *parts = answer.blobs or (b"",)
    said = identity.decode("ascii", "replace")
    if len(parts) % 2 or not SHA256.fullmatch(said):
        raise SubmissionFault(
            RejectionCode.FORK_UNREACHABLE, Stage.FETCH, "unreadable"
        )
    names = (name.decode("utf-8", "backslashreplace") for name in parts[::2])
    return as_source(dict(zip(names, parts[1::2], strict=True)), said)


def _local(url: str) -> Path:
    path = Path(url.removeprefix("file://"))
    if not path.is_dir():
        raise SubmissionFault(
            RejectionCode.FORK_UNREACHABLE,
            Stage.FETCH,
            "there is no such folder",
        )
    return path


def _with_port(host: str) -> str:
    return host if ":" in host else f"{host}:80"


def _authorities(limits: FetchLimits) -> Path:
    """The certificates by which hosts are known."""
    system = ssl.get_default_verify_paths().cafile
    for each in (limits.authorities, system, *BUNDLES):
        if each is not None and Path(each).is_file():
            return Path(each)
    raise TransientError(
        "there is no bundle of certificates: install ca-certificates"
    )


def _as_served(url: str) -> str:
    """Hosts redirect the bare address to this one, and none is followed."""
    return f"{url}.git" if url.startswith("https://") else url


def _fault(code: RejectionCode, error: Exception) -> SubmissionFault:
    return SubmissionFault(code, Stage.FETCH, str(error))
