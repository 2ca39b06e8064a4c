"""Keys and addresses: who somebody is, and that he said these bytes."""

from __future__ import annotations

import os
import secrets
import stat
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Protocol

import bittensor_core

from quasar_core.errors import QuasarError

# a compiled module without stubs: the types are stated here instead
_core: Any = bittensor_core

SS58_PREFIX = 42
SR25519: int = _core.CRYPTO_SR25519
SEED_BYTES = 32

MESSAGE_DOMAIN = b"quasar/message/v1\n"
"""What every signed message begins with, so that no signature made here
can be taken for one of a request or of an extrinsic."""


class Keypair(Protocol):
    """A key that can sign, as the SDK makes them."""

    @property
    def ss58_address(self) -> str:
        """The address with prefix 42."""
        ...

    @property
    def public_key(self) -> bytes:
        """32 bytes."""
        ...

    @property
    def crypto_type(self) -> int:
        """1 for sr25519."""
        ...

    def sign(self, payload: bytes) -> bytes:
        """64 bytes; another signature of the same bytes each time."""
        ...


class KeyFault(QuasarError):
    """A key or an address that cannot be used; the text says what to do."""


def canonical_hotkey(address: str) -> str:
    """The same account's address with ss58 prefix 42.

    One key has an address per prefix; only this one is an identity, a
    limit's key or a nonce's. Raises KeyFault for anything that is not an
    ss58 address of 32 bytes.
    """
    try:
        public_key = _core.ss58_decode(address)
        return _core.ss58_encode(public_key, SS58_PREFIX)
    except (ValueError, TypeError) as fault:
        raise KeyFault("not an ss58 address") from fault


def sign_bytes(keypair: Keypair, message: bytes) -> str:
    """The keypair's sr25519 signature of `message`, 128 hex digits."""
    return bytes(keypair.sign(MESSAGE_DOMAIN + message)).hex()


def verify_bytes(address: str, message: bytes, signature: str) -> bool:
    """Whether `signature` is the address's own of exactly `message`.

    Malformed addresses and signatures are simply not valid ones.
    """
    try:
        return _core.verify(
            MESSAGE_DOMAIN + message,
            bytes.fromhex(signature),
            address,
            SR25519,
        )
    except (ValueError, TypeError):
        return False


def worker_signer(keypair: Keypair) -> Callable[[bytes], str]:
    """`sign(message) -> signature`, as the messaging door wants it."""
    return lambda message: sign_bytes(keypair, message)


def worker_verifier(
    addresses: Mapping[str, str],
) -> Callable[[str, bytes, str], bool]:
    """`verify(worker, message, signature)` over registered workers.

    `addresses` maps a worker's name to its key's ss58 address; a name that
    is not in it has no valid signature. Raises KeyFault for a bad address.
    """
    known = {
        name: canonical_hotkey(address) for name, address in addresses.items()
    }

    def verify(worker: str, message: bytes, signature: str) -> bool:
        address = known.get(worker)
        return address is not None and verify_bytes(
            address, message, signature
        )

    return verify


def keypair_from_seed(seed: bytes) -> Keypair:
    """The sr25519 keypair of a 32-byte seed; raises KeyFault otherwise."""
    if len(seed) != SEED_BYTES:
        raise KeyFault(f"a seed has {SEED_BYTES} bytes, not {len(seed)}")
    return _core.Keypair.create_from_seed(seed, SR25519)


def worker_keypair(seed_file: Path) -> Keypair:
    """The keypair whose seed lies in `seed_file`, made there if missing.

    The file holds 64 hex digits and is its owner's alone (0600). Raises
    KeyFault where it is not a regular file, is readable by others, or
    holds anything else.
    """
    if not seed_file.exists():
        _create_seed(seed_file)
    return keypair_from_seed(_read_seed(seed_file))


def _create_seed(seed_file: Path) -> None:
    seed_file.parent.mkdir(parents=True, exist_ok=True)
    draft = seed_file.with_name(f".{seed_file.name}.{os.getpid()}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(secrets.token_hex(SEED_BYTES) + "\n")
        # `link` fails where another process was first: then its seed counts
        os.link(draft, seed_file)
    except FileExistsError:
        pass
    finally:
        draft.unlink()


def _read_seed(seed_file: Path) -> bytes:
    try:
        # a pipe must not keep us waiting for whoever writes into it
        descriptor = os.open(seed_file, os.O_RDONLY | os.O_NONBLOCK)
    except OSError as fault:
        raise KeyFault(
            f"the key file {seed_file} cannot be read: {fault.strerror}"
        ) from fault
    try:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            raise KeyFault(f"the key file {seed_file} is no regular file")
        if stat.S_IMODE(status.st_mode) & 0o077:
            raise KeyFault(
                f"the key file {seed_file} is open to others: run"
                f" chmod 600 {seed_file}"
            )
        text = os.read(descriptor, 4 * SEED_BYTES)
    finally:
        os.close(descriptor)
    try:
        return bytes.fromhex(text.decode("ascii").strip().removeprefix("0x"))
    except ValueError as fault:
        raise KeyFault(
            f"the key file {seed_file} does not hold {2 * SEED_BYTES} hex"
            " digits"
        ) from fault
