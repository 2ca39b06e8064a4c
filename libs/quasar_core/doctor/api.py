"""The API: whether it answers and plays on our subnet, and both clocks."""

from __future__ import annotations

from collections.abc import Iterator

from quasar_core.chain.signatures import (
    ALLOWED_SKEW_SECONDS,
    MAX_AGE_SECONDS,
)
from quasar_core.client.answers import ApiUnavailable, ProblemAnswer
from quasar_core.client.api import QuasarClient
from quasar_core.client.vitals import Vitals, read_vitals
from quasar_core.doctor.findings import Finding
from quasar_core.settings import ParticipantSettings

ADDRESS = "start it, or name the right one: QUASAR_API_URL or --api-url"


def check_api(settings: ParticipantSettings) -> Iterator[Finding]:
    """The API's health, its round, and how far apart the clocks are."""
    try:
        vitals = read_vitals(settings.api_url)
    except ApiUnavailable as fault:
        yield Finding("api", ok=False, detail=str(fault), fix=ADDRESS)
        return
    yield _health(settings.api_url, vitals)
    yield _round(settings)
    yield _clock(vitals)


def _health(url: str, vitals: Vitals) -> Finding:
    health = vitals.health
    ill = [f"{n}: {v}" for n, v in health.checks.items() if v != "ok"]
    return Finding(
        "api",
        health.status == "ok",
        f"{url} says {health.status}" + "".join(f"; {each}" for each in ill),
        "it is its operator's to mend: see docs/runbooks",
    )


def _round(settings: ParticipantSettings) -> Finding:
    try:
        with QuasarClient(settings.api_url, attempts=1) as client:
            current = client.current_round()
    except (ApiUnavailable, ProblemAnswer) as fault:
        return Finding(
            "round",
            ok=False,
            detail=str(fault),
            fix="rounds open where the scheduler runs and the chain answers",
        )
    return Finding(
        "round",
        current.netuid == settings.netuid,
        f"round {current.round_number} of subnet {current.netuid},"
        f" pool {current.pool}",
        f"our subnet is {settings.netuid}: name the right one with"
        " QUASAR_NETUID or QUASAR_API_URL",
    )


def _clock(vitals: Vitals) -> Finding:
    """Requests are signed with our time, and accepted for seconds."""
    least, most = vitals.ahead_seconds
    middle = (least + most) / 2
    way = "ahead of" if middle > 0 else "behind"
    return Finding(
        "clock",
        most > -MAX_AGE_SECONDS and least < ALLOWED_SKEW_SECONDS,
        f"{abs(middle):.1f} s {way} the API's,"
        f" give or take {(most - least) / 2:.1f} s",
        "set this machine's clock, as with `timedatectl set-ntp true`:"
        f" requests count from {MAX_AGE_SECONDS:g} s behind to"
        f" {ALLOWED_SKEW_SECONDS:g} s ahead",
    )
