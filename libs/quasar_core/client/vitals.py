"""Vitals: how an API says it is, and what its clock shows, asked once."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from email.utils import parsedate_to_datetime

import httpx2

from quasar_core.client.addresses import LOOPBACK, checked_url
from quasar_core.client.answers import ApiUnavailable, checked, parsed
from quasar_core.contracts.http import Health

PATH = "/health/ready"
TIMEOUT_SECONDS = 10.0
NOT_READY = 503
"""The status of an API that lives and says what it lacks."""


@dataclass(frozen=True)
class Vitals:
    """What an API says of itself; `ahead_seconds` bounds the difference.

    It is how far this machine's clock is ahead of the API's, at least and
    at most: HTTP tells whole seconds, and an answer takes its time.
    """

    health: Health
    ahead_seconds: tuple[float, float]


def read_vitals(
    base_url: str, *, clock: Callable[[], float] = time.time
) -> Vitals:
    """Ask whether an API is ready, and what time it is there.

    Raises ApiUnavailable where it does not answer, or not as an API does.
    """
    url = checked_url(base_url)
    before = clock()
    try:
        with httpx2.Client(
            base_url=url,
            timeout=TIMEOUT_SECONDS,
            trust_env=url.host not in LOOPBACK,
        ) as http:
            response = http.get(PATH)
    except httpx2.RequestError as fault:
        raise ApiUnavailable(
            f"{base_url} does not answer ({type(fault).__name__}: {fault})"
        ) from fault
    after = clock()
    if response.status_code != NOT_READY:
        checked(response)
    health = parsed(response, Health)
    there = _date_of(response)
    return Vitals(health, (before - there - 1, after - there))


def _date_of(response: httpx2.Response) -> float:
    """The second that the answer was given in, since 1970."""
    sent = response.headers.get("date", "")
    try:
        return parsedate_to_datetime(sent).timestamp()
    except ValueError as fault:
        raise ApiUnavailable(
            f"{response.request.url} says no time (Date: {sent!r})"
        ) from fault
