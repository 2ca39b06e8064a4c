from datetime import timedelta

from services.api.miners import repository
from tests.support.api import Moment


def test_a_nonce_is_used_once_per_hotkey_until_it_is_purged(sqlite_world):
    now = Moment()()
    later = now + timedelta(seconds=24)
    with sqlite_world.database.write() as session:
        repository.lock_owner(session, "cold")
        assert repository.add_nonce(session, "a", 1, later)
        assert not repository.add_nonce(session, "a", 1, later)
        assert repository.add_nonce(session, "b", 1, later)
        repository.purge_nonces(session, now)
        assert not repository.add_nonce(session, "a", 1, later)
        repository.purge_nonces(session, later + timedelta(seconds=1))
        assert repository.add_nonce(session, "a", 1, later)
