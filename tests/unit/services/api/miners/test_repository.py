from datetime import timedelta

import pytest

from services.api.db.records import Ban
from services.api.miners import repository
from tests.support.api import Moment

NOW = Moment()()
LATER = NOW + timedelta(seconds=24)


def test_a_nonce_is_used_once_per_hotkey_until_it_is_purged(sqlite_world):
    with sqlite_world.database.write(owner="cold") as session:
        assert repository.add_nonce(session, "a", 1, NOW, LATER)
        assert not repository.add_nonce(session, "a", 1, NOW, LATER)
        assert repository.add_nonce(session, "b", 1, NOW, LATER)
        repository.purge_nonces(session, NOW)
        assert not repository.add_nonce(session, "a", 1, NOW, LATER)
        repository.purge_nonces(session, LATER + timedelta(seconds=1))
        assert repository.add_nonce(session, "a", 1, NOW, LATER)


@pytest.mark.parametrize(
    ("kind", "until", "added"),
    [
        ("hotkey", None, False),
        ("hotkey", LATER, False),
        ("hotkey", NOW, True),
        ("address", None, True),
    ],
)
def test_whoever_is_banned_uses_no_nonce_up(sqlite_world, kind, until, added):
    with sqlite_world.database.write() as session:
        session.add(
            Ban(
                kind=kind,
                subject="a",
                reason="r",
                banned_by="b",
                banned_at=NOW,
                until=until,
            )
        )
    with sqlite_world.database.write() as session:
        assert repository.add_nonce(session, "a", 1, NOW, LATER) is added
        assert repository.add_nonce(session, "b", 1, NOW, LATER)
