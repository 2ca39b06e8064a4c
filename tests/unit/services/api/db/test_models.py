from services.api.db.models import Submission


def test_a_submission_is_sealed_from_its_commitment_to_its_salt():
    assert not Submission().is_sealed
    assert Submission(commitment_hash="a" * 64).is_sealed
    assert not Submission(commitment_hash="a" * 64, salt="b" * 32).is_sealed
