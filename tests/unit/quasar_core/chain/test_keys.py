"""Keys and addresses: one identity per key, and whose bytes these are."""

from __future__ import annotations

import os
import threading

import bittensor_core
import pytest
from hypothesis import given
from hypothesis import strategies as st
from quasar_core.chain import keys

from tests.support.wallets import address, keypair


@pytest.mark.parametrize("prefix", [0, 2, 42])
def test_every_spelling_of_a_key_is_one_identity(prefix):
    public_key = keypair("miner").public_key
    spelling = bittensor_core.ss58_encode(public_key, prefix)

    assert keys.canonical_hotkey(spelling) == address("miner")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "5",
        address("miner")[:-1],
        address("miner") + " ",
        address("miner")[:-1] + "0",
        "0x" + keypair("miner").public_key.hex(),
        "x" * 10_000,
        "5é",
        None,
        7,
    ],
)
def test_what_is_no_address_is_nobody(text):
    with pytest.raises(keys.KeyFault, match="not an ss58 address"):
        keys.canonical_hotkey(text)


def test_a_signature_holds_for_its_bytes_and_its_key_alone():
    signature = keys.sign_bytes(keypair("worker"), b"result")

    assert keys.verify_bytes(address("worker"), b"result", signature)
    assert not keys.verify_bytes(address("worker"), b"resuld", signature)
    assert not keys.verify_bytes(address("other"), b"result", signature)


def test_a_signature_of_the_bare_bytes_is_none_of_a_message():
    bare = bytes(keypair("worker").sign(b"result")).hex()

    assert not keys.verify_bytes(address("worker"), b"result", bare)


@given(signature=st.text(max_size=140), who=st.text(max_size=60))
def test_garbage_is_never_a_valid_signature(signature, who):
    assert not keys.verify_bytes(who, b"result", signature)
    assert not keys.verify_bytes(address("worker"), b"result", signature)


def test_only_registered_workers_have_valid_signatures():
    sign = keys.worker_signer(keypair("worker"))
    verify = keys.worker_verifier({"gpu-1": address("worker")})

    assert verify("gpu-1", b"result", sign(b"result"))
    assert not verify("gpu-2", b"result", sign(b"result"))


def test_a_worker_is_not_registered_under_a_bad_address():
    with pytest.raises(keys.KeyFault):
        keys.worker_verifier({"gpu-1": "nobody"})


def test_a_missing_key_file_is_made_for_its_owner_alone(tmp_path):
    path = tmp_path / "state" / "worker.seed"

    made = keys.worker_keypair(path)

    assert path.stat().st_mode & 0o777 == 0o600
    assert keys.worker_keypair(path).ss58_address == made.ss58_address
    assert [entry.name for entry in path.parent.iterdir()] == [path.name]


def test_many_starters_at_once_agree_on_one_key(tmp_path, monkeypatch):
    path = tmp_path / "worker.seed"
    drafts = iter(range(100))
    monkeypatch.setattr(keys.os, "getpid", lambda: next(drafts))
    found: list[str] = []

    def start() -> None:
        found.append(keys.worker_keypair(path).ss58_address)

    threads = [threading.Thread(target=start) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(found) == 8
    assert len(set(found)) == 1


def test_a_key_file_that_others_can_read_is_refused(tmp_path):
    path = tmp_path / "worker.seed"
    keys.worker_keypair(path)
    path.chmod(0o640)

    with pytest.raises(keys.KeyFault, match="chmod 600"):
        keys.worker_keypair(path)


@pytest.mark.parametrize("text", ["", "zz", "ab" * 31, "ab" * 33, "é"])
def test_a_key_file_that_holds_no_seed_is_refused(tmp_path, text):
    path = tmp_path / "worker.seed"
    path.touch(mode=0o600)
    path.write_text(text, encoding="utf-8")

    with pytest.raises(keys.KeyFault):
        keys.worker_keypair(path)


def test_a_key_file_must_be_a_regular_file(tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe, 0o600)

    for path in (pipe, tmp_path):
        with pytest.raises(keys.KeyFault, match="no regular file"):
            keys.worker_keypair(path)
