from services.api.commitments import repository
from tests.support.sealed import SALT, Seal
from tests.support.wallets import address


def test_commitments_are_found_by_owner_hash_salt_and_age(sqlite_world):
    world = sqlite_world
    world.register("alice")
    seal = Seal("alice")
    submission_id = seal.committed(world)
    alice, bob = address("alice"), address("bob")
    with world.database.write() as session:
        found = repository.committed(session, alice, seal.commitment)
        assert found is not None
        assert found.id == submission_id
        assert repository.committed(session, bob, seal.commitment) is None
        assert not repository.salt_is_known(session, alice, SALT)
        assert not repository.any_overdue(session, 300)
        assert repository.any_overdue(session, 301)
        (overdue,) = repository.overdue(session, 301, 9)
        assert overdue.id == submission_id
        assert list(repository.overdue(session, 301, 0)) == []
    world.blocks(100)
    assert seal.reveal(world).status_code == 202
    with world.database.read() as session:
        assert repository.salt_is_known(session, alice, SALT)
        assert not repository.salt_is_known(session, bob, SALT)
        assert not repository.any_overdue(session, 10**9)
