"""Wallets: made once, opened often, never replaced."""

from __future__ import annotations

import pytest
from quasar_core.chain.keys import KeyFault, sign_bytes, verify_bytes
from quasar_core.chain.wallets import create_wallet, open_wallet


def test_a_wallet_that_is_made_can_be_opened_and_signs(tmp_path):
    made = create_wallet("miner", "default", tmp_path)

    opened = open_wallet("miner", "default", tmp_path)

    assert (opened.hotkey, opened.coldkey) == (made.hotkey, made.coldkey)
    assert opened.hotkey != opened.coldkey
    signature = sign_bytes(opened.keypair, b"hello")
    assert verify_bytes(made.hotkey, b"hello", signature)


def test_making_a_wallet_again_replaces_nothing(tmp_path, capsys):
    first = create_wallet("miner", "default", tmp_path)

    again = create_wallet("miner", "default", tmp_path)
    second_hotkey = create_wallet("miner", "second", tmp_path)

    assert again.hotkey == first.hotkey
    assert second_hotkey.coldkey == first.coldkey
    assert second_hotkey.hotkey != first.hotkey
    assert capsys.readouterr().out == ""


def test_a_missing_wallet_says_how_to_make_one(tmp_path):
    with pytest.raises(KeyFault, match="quasar miner init"):
        open_wallet("miner", "default", tmp_path)


def test_a_validators_host_may_hold_the_hotkey_alone(tmp_path):
    create_wallet("validator", "default", tmp_path)
    for name in ("coldkey", "coldkeypub.txt"):
        (tmp_path / "validator" / name).unlink()

    assert open_wallet("validator", "default", tmp_path).coldkey is None


def test_a_damaged_hotkey_is_said_to_be_unreadable(tmp_path):
    create_wallet("miner", "default", tmp_path)
    (tmp_path / "miner" / "hotkeys" / "default").write_text("{}")

    with pytest.raises(KeyFault, match="cannot be read"):
        open_wallet("miner", "default", tmp_path)


def test_an_encrypted_hotkey_is_refused_without_asking(tmp_path):
    opened = create_wallet("miner", "default", tmp_path)
    opened.wallet.create_new_hotkey(
        hotkey_password="secret", overwrite=True, suppress=True
    )

    with pytest.raises(KeyFault, match="encrypted"):
        open_wallet("miner", "default", tmp_path)


@pytest.mark.parametrize("name", ["", ".", "..", "../miner", "a/b"])
def test_a_name_that_leaves_the_folder_is_none(tmp_path, name):
    with pytest.raises(KeyFault, match="is no name"):
        create_wallet(name, "default", tmp_path)
    with pytest.raises(KeyFault, match="is no name"):
        create_wallet("miner", name, tmp_path)

    assert list(tmp_path.iterdir()) == []


def test_a_place_that_cannot_be_written_is_said_so(tmp_path):
    (tmp_path / "wallets").write_text("a file, no folder")

    with pytest.raises(KeyFault, match="cannot be made"):
        create_wallet("miner", "default", tmp_path / "wallets")
