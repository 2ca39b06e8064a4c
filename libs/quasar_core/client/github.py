"""GitHub: a fork of a repository, by its API."""

from __future__ import annotations

import base64
import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Self

import httpx2
from pydantic import BaseModel, ValidationError

from quasar_core.client.addresses import LOOPBACK, checked_url
from quasar_core.client.answers import ApiUnavailable
from quasar_core.errors import QuasarError

TIMEOUT_SECONDS = 30.0
PATIENCE_SECONDS = 300.0
POLL_SECONDS = 3.0
LONGEST_PAUSE_SECONDS = 60.0
API_VERSION = "2022-11-28"

_REPOSITORY = re.compile(
    r"[A-Za-z0-9][A-Za-z0-9-]{0,38}/[A-Za-z0-9._-]{1,100}"
)


class GitHubRefused(QuasarError):
    """GitHub will not do it: a name or a token that is not right."""


class _Repository(BaseModel):
    full_name: str
    clone_url: str


@dataclass(frozen=True)
class RemoteFork:
    """A fork of one's own, ready to be cloned."""

    full_name: str
    clone_url: str


def push_header(token: str) -> str:
    """The header by which GitHub's git server knows a token's owner."""
    pair = base64.b64encode(f"x-access-token:{token}".encode()).decode()
    return f"Authorization: Basic {pair}"


class GitHub:
    """GitHub's API, asked with a token that stands in a header alone."""

    def __init__(
        self,
        token: str,
        base_url: str = "https://api.github.com",
        *,
        patience_seconds: float = PATIENCE_SECONDS,
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        url = checked_url(base_url)
        self._patience = patience_seconds
        self._pause = pause
        self._http = httpx2.Client(
            base_url=url,
            headers={
                "authorization": f"Bearer {token}",
                "accept": "application/vnd.github+json",
                "x-github-api-version": API_VERSION,
            },
            timeout=TIMEOUT_SECONDS,
            trust_env=url.host not in LOOPBACK,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._http.close()

    def fork(self, repository: str) -> RemoteFork:
        """Fork `owner/name` to the token's account, and wait for it.

        A fork that is there already is given again. Raises GitHubRefused
        where GitHub says no, ApiUnavailable where it does not answer in
        time.
        """
        if not _REPOSITORY.fullmatch(repository):
            raise GitHubRefused(f"{repository!r} is no owner/name")
        deadline = time.monotonic() + self._patience
        made = self._ask("POST", f"/repos/{repository}/forks", deadline)
        fork = _read(made)
        # It answers before there is anything to clone.
        commits = f"/repos/{fork.full_name}/commits?per_page=1"
        self._ask("GET", commits, deadline, not_yet=frozenset({404, 409}))
        return RemoteFork(fork.full_name, fork.clone_url)

    def _ask(
        self,
        method: str,
        path: str,
        deadline: float,
        not_yet: frozenset[int] = frozenset(),
    ) -> httpx2.Response:
        """A success, however often it had to be asked for."""
        while True:
            why, wait = "no answer", POLL_SECONDS
            try:
                response = self._http.request(method, path)
            except httpx2.RequestError as fault:
                why = type(fault).__name__
            else:
                if response.is_success:
                    return response
                why = f"status {response.status_code}"
                told = response.headers.get("retry-after", "")
                passing = told.isdecimal() or response.status_code >= 500
                if not passing and response.status_code not in {429, *not_yet}:
                    raise GitHubRefused(_sentence(response))
                wait = float(told) if told.isdecimal() else POLL_SECONDS
            if time.monotonic() + wait > deadline:
                raise ApiUnavailable(f"GitHub gave {why} for {method} {path}")
            self._pause(min(wait, LONGEST_PAUSE_SECONDS))


def _read(response: httpx2.Response) -> _Repository:
    try:
        found = _Repository.model_validate_json(response.content)
    except ValidationError as fault:
        raise ApiUnavailable("GitHub told of no repository") from fault
    if not _REPOSITORY.fullmatch(found.full_name):
        raise ApiUnavailable("GitHub named a fork as it names none")
    checked_url(found.clone_url)
    return found


def _sentence(response: httpx2.Response) -> str:
    hints = {
        401: "the token is not valid",
        403: "the token may not fork (it needs the right to write contents"
        " and to administer forks)",
        404: "there is no such repository, or the token may not see it",
    }
    status = response.status_code
    return f"GitHub refused with status {status}: " + hints.get(
        status, "see its documentation of forks"
    )
