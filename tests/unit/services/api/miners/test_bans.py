from datetime import timedelta

import pytest
from quasar_core.contracts.http import BanKind
from quasar_core.errors import Problem

from services.api.db.records import Ban
from services.api.db.session import DatabaseUnavailable
from services.api.miners import bans
from tests.support.api import Moment
from tests.support.chains import Clock
from tests.support.wallets import address


def add(database, kind, subject, now, until=None):
    with database.write() as session:
        session.add(
            Ban(
                kind=kind,
                subject=subject,
                reason="a drill",
                banned_by=address("boss"),
                banned_at=now,
                until=until,
            )
        )


def test_a_hotkey_is_banned_until_its_ban_ends(sqlite_world):
    now = Moment()()
    hour = timedelta(hours=1)
    add(sqlite_world.database, BanKind.HOTKEY, address("a"), now, now + hour)
    with sqlite_world.database.read() as session:
        bans.check_hotkey(session, address("b"), now)
        bans.check_hotkey(session, address("a"), now + hour)
        with pytest.raises(Problem, match="a drill") as refused:
            bans.check_hotkey(session, address("a"), now + hour / 2)
        assert refused.value.headers == {"Retry-After": "1800"}
        assert len(bans.standing(session, now)) == 1
        assert not bans.standing(session, now, BanKind.ADDRESS)
        assert not bans.standing(session, now + hour)


def test_a_ban_without_an_end_promises_none():
    assert bans.banned("for good").headers == {}
    assert bans.banned("for now", 9).headers == {"Retry-After": "9"}


async def test_networks_are_read_again_now_and_then(sqlite_world, monkeypatch):
    now, monotonic = Moment()(), Clock()
    networks = bans.BannedNetworks(sqlite_world.database, Moment(), monotonic)
    await networks.check("203.0.113.7")
    for network in ("203.0.113.0/24", "2001:db8::/48"):
        add(sqlite_world.database, BanKind.ADDRESS, network, now)
    await networks.check("203.0.113.7")
    monotonic.now += bans.REFRESH_SECONDS
    for client in ("203.0.113.7", "2001:db8:0:7::/64"):
        with pytest.raises(Problem):
            await networks.check(client)
    for client in ("203.0.114.7", "2001:db9::/64", "testclient", "local"):
        await networks.check(client)

    def away():
        raise DatabaseUnavailable("away")

    monkeypatch.setattr(sqlite_world.database, "read", away)
    networks.forget()
    with pytest.raises(Problem):
        await networks.check("203.0.113.7")
