"""The broker: whether Redis answers where the settings say it is."""

from __future__ import annotations

from collections.abc import Iterator

from quasar_core.doctor.findings import Finding
from quasar_core.messaging.bus import Bus, BusUnavailable
from quasar_core.settings import CoreSettings


def check_broker(settings: CoreSettings) -> Iterator[Finding]:
    """Ask it once."""
    bus = Bus(settings.redis_url)
    try:
        bus.ping()
    except BusUnavailable as fault:
        yield Finding(
            "redis",
            ok=False,
            detail=str(fault),
            fix="start it, or set QUASAR_REDIS_URL to where it listens",
        )
    else:
        yield Finding("redis", ok=True, detail="answers")
    finally:
        bus.close()
