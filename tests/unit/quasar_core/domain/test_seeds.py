import pytest
from quasar_core.domain.seeds import seed_commitment


def test_a_commitment_is_the_sha256_of_the_seeds_bytes():
    # sha256sum of 32 zero bytes
    assert seed_commitment("0" * 64) == (
        "66687aadf862bd776c8fc18b8e9f8e20089714856ee233b3902a591d0d5f2925"
    )


def test_what_is_no_seed_binds_nobody():
    with pytest.raises(ValueError, match="hexadecimal"):
        seed_commitment("x" * 64)
