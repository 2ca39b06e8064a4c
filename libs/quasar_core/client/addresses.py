"""Addresses of an API: which are none, and whether one was reached."""

from __future__ import annotations

import httpx2

from quasar_core.client.answers import ApiUnavailable

LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


def checked_url(base_url: str) -> httpx2.URL:
    """The URL of an API; raises ApiUnavailable for what is none."""
    try:
        url = httpx2.URL(base_url)
    except httpx2.InvalidURL as fault:
        raise ApiUnavailable(f"{base_url!r} is no URL: {fault}") from fault
    if url.scheme not in {"http", "https"} or not url.host:
        raise ApiUnavailable(
            f"{base_url!r} is no address of an API; write something like"
            " http://127.0.0.1:8000"
        )
    return url


def never_arrived(fault: httpx2.RequestError) -> bool:
    """Whether the API cannot have heard what was sent."""
    return isinstance(fault, httpx2.ConnectError | httpx2.ConnectTimeout)
