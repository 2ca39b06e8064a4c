"""Commitments: every field is bound, and the window is by block."""

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st
from quasar_core.domain.commitments import (
    InvalidSalt,
    RevealBlocks,
    Window,
    commitment_hash,
    is_commitment,
    opens,
    reveal_blocks,
)
from quasar_core.domain.forks import InvalidCommit, InvalidForkUrl

VECTOR = {
    "hotkey": "5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY",
    "fork_url": "https://github.com/miner/flash-linear-attention",
    "commit_hash": "0123456789abcdef0123456789abcdef01234567",
    "target_sequence_length": 1_000_000,
    "salt": "000102030405060708090a0b0c0d0e0f",
}
PUBLISHED = "d04be05ff5714064e1dabe0068e4b5b6b36c466042f027aee9f4dcb5ca12aa0e"

hashes = st.text("0123456789abcdef", min_size=40, max_size=40)
salts = st.binary(min_size=16, max_size=64).map(bytes.hex)
names = st.text("abcdefgh-_0123", min_size=1, max_size=8)
sealed = st.fixed_dictionaries(
    {
        "hotkey": st.text(min_size=1, max_size=48).filter(str.isprintable),
        "fork_url": st.builds("https://github.com/{}/{}".format, names, names),
        "commit_hash": hashes,
        "target_sequence_length": st.integers(1, 10**12),
        "salt": salts,
    }
)


def test_the_published_vector():
    assert commitment_hash(**VECTOR) == PUBLISHED


def test_the_vector_by_hand():
    fields = [
        "quasar/commitment/v1",
        VECTOR["hotkey"],
        VECTOR["fork_url"],
        VECTOR["commit_hash"],
        "1000000",
        VECTOR["salt"],
    ]
    message = b"".join(
        len(field).to_bytes(4, "big") + field.encode() for field in fields
    )
    assert hashlib.sha256(message).hexdigest() == PUBLISHED


@pytest.mark.parametrize("end", [".git", "/", ".git/"])
def test_the_spelling_of_an_address_does_not_matter(end):
    url = VECTOR["fork_url"].replace("github", "GitHub") + end
    assert commitment_hash(**{**VECTOR, "fork_url": url}) == PUBLISHED


@given(sealed)
def test_a_commitment_opens_with_what_it_sealed(fields):
    commitment = commitment_hash(**fields)
    assert is_commitment(commitment)
    assert opens(commitment, **fields)


@given(sealed, sealed)
def test_d7_every_field_is_bound(fields, others):
    commitment = commitment_hash(**fields)
    for name, value in others.items():
        if value != fields[name]:
            assert not opens(commitment, **{**fields, name: value})


@given(st.text("ab", min_size=2, max_size=9), st.data())
def test_no_character_moves_from_one_field_to_the_next(text, data):
    # Without lengths, ("ab", "c") and ("a", "bc") would be one message.
    cut = data.draw(st.integers(1, len(text) - 1))
    whole = {**VECTOR, "hotkey": text, "target_sequence_length": 11}
    moved = {**whole, "hotkey": text[:cut]}
    assert commitment_hash(**whole) != commitment_hash(**moved)


@pytest.mark.parametrize(
    "salt",
    [
        "",
        "00" * 15,
        "00" * 15 + "0",
        "00" * 65,
        "0A" * 16,
        "zz" * 16,
        "00" * 16 + "\n",
    ],
)
def test_a_salt_is_sixteen_bytes_at_least_in_lower_case(salt):
    with pytest.raises(InvalidSalt):
        commitment_hash(**{**VECTOR, "salt": salt})


@pytest.mark.parametrize(
    ("field", "value", "error"),
    [
        ("commit_hash", "main", InvalidCommit),
        ("fork_url", "git@github.com:a/b", InvalidForkUrl),
        ("target_sequence_length", 0, ValueError),
    ],
)
def test_what_could_not_be_submitted_cannot_be_sealed(field, value, error):
    with pytest.raises(error):
        commitment_hash(**{**VECTOR, field: value})


def test_something_else_is_no_commitment():
    assert not is_commitment(PUBLISHED.upper())
    assert not is_commitment(PUBLISHED + "\n")
    assert not opens("\u00e9", **VECTOR)


def test_the_window_is_open_at_both_of_its_ends():
    blocks = reveal_blocks(1_000, 100, 300)
    assert blocks == RevealBlocks(1_100, 1_300)
    assert [blocks.at(block) for block in (1_099, 1_100, 1_300, 1_301)] == [
        Window.EARLY,
        Window.OPEN,
        Window.OPEN,
        Window.LATE,
    ]
