"""The key schedule: the pairing key, and the keys that a lock draws from its seed."""

from __future__ import annotations

from dataclasses import dataclass

from . import primitives


def pairing_key(receipt_digest: bytes, shared: bytes) -> bytes:
    """KDF-3. `shared` comes from `primitives.agree`, which keeps KEY-8."""
    return primitives.hkdf(receipt_digest, shared, b"sharekey v1 pairing")


@dataclass(frozen=True)
class LockKeys:
    """KDF-6. `lock` is an Ed25519 private key, `lock_id` its public key."""

    lock: bytes
    lock_id: bytes
    record: bytes
    nonce: bytes
    agreement: bytes


def lock_keys(seed: bytes) -> LockKeys:
    """The keys of the lock with this seed."""
    lock = primitives.hkdf(b"", seed, b"sharekey v1 lock key")
    return LockKeys(
        lock=lock,
        lock_id=primitives.public_key(lock),
        record=record_key(seed),
        nonce=primitives.hkdf(b"", seed, b"sharekey v1 nonce"),
        agreement=primitives.hkdf(b"", seed, b"sharekey v1 agreement"),
    )


def record_key(seed: bytes) -> bytes:
    """The key of the MACs of records, the seed's own included (REC-4)."""
    return primitives.hkdf(b"", seed, b"sharekey v1 record mac")


def agreement_secret(agreement_key: bytes, entropy: bytes, install_digest: bytes) -> bytes:
    """KDF-1: the lock's X25519 secret of one install."""
    return primitives.hkdf(agreement_key, entropy + install_digest, b"sharekey v1 agreement secret")


def new_seed(before: bytes, entropy: bytes) -> bytes:
    """LCK-7."""
    return primitives.hkdf(before, entropy, b"sharekey v1 seed")


def challenge_nonce(nonce_key: bytes, number: int, entropy: bytes) -> bytes:
    """CTR-2."""
    return primitives.mac(nonce_key, number.to_bytes(8, "little") + entropy)


def rescue_nonce(nonce_key: bytes, number: int, entropy: bytes) -> bytes:
    """CTR-9: of a lock whose header or counter is damaged."""
    return primitives.mac(nonce_key, b"rescue" + number.to_bytes(8, "little") + entropy)
