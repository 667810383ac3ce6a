"""The primitives, and the strict rules for keys and signatures ("Strict keys").

The strict rules are made on bytes, before the provider sees the key or the signature, so that every
provider gives one answer.
"""

from __future__ import annotations

import hashlib
import hmac

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from .errors import KeyRefused, RuleBroken, SignatureRefused, TagRefused

P = 2**255 - 19
L = 2**252 + 27742317777372353535851937790883648493

# The y coordinates of the points of small order, little-endian, as the specification lists them.
SMALL_ORDER_Y = frozenset(
    int.from_bytes(bytes.fromhex(text), "little")
    for text in (
        "0000000000000000000000000000000000000000000000000000000000000000",
        "0100000000000000000000000000000000000000000000000000000000000000",
        "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
    )
)


def _y(point: bytes) -> int:
    """The y of an encoded point: the number in its low 255 bits; bit 255 is the sign of x."""
    return int.from_bytes(point, "little") & ((1 << 255) - 1)


def check_public_key(key: bytes) -> None:
    """KEY-1, then KEY-2."""
    y = _y(key)
    if y >= P:
        raise KeyRefused("NotCanonical", "y is not below p")
    if y in SMALL_ORDER_Y:
        raise KeyRefused("SmallOrder", "a point of small order")


def check_key_as(name: str, key: bytes) -> None:
    """KEY-1 and KEY-2 of a key with a part to play; what is wrong with it stands behind the error of that."""
    try:
        check_public_key(key)
    except KeyRefused as bad:
        raise RuleBroken(f"{name}.{bad.name}", bad.detail) from None


def verify(key: bytes, message: bytes, signature: bytes) -> None:
    """KEY-1 to KEY-6 in this order; the first that fails names the error."""
    try:
        check_public_key(key)
    except KeyRefused as bad:
        raise SignatureRefused(f"Key.{bad.name}", bad.detail) from None
    r, s = signature[:32], signature[32:]
    if _y(r) >= P:
        raise SignatureRefused("Commitment.NotCanonical", "y of R is not below p")  # KEY-3
    if _y(r) in SMALL_ORDER_Y:
        raise SignatureRefused("Commitment.SmallOrder", "R is a point of small order")  # KEY-4
    if int.from_bytes(s, "little") >= L:
        raise SignatureRefused("ScalarNotReduced", "S is not below L")  # KEY-5
    try:  # KEY-6: the provider recomputes R without the cofactor and compares encodings
        Ed25519PublicKey.from_public_bytes(key).verify(signature, message)
    except (InvalidSignature, ValueError):
        raise SignatureRefused("Mismatch", "the equation does not hold") from None


def sign(seed: bytes, message: bytes) -> bytes:
    """An Ed25519 signature, R then S."""
    return Ed25519PrivateKey.from_private_bytes(seed).sign(message)


def public_key(seed: bytes) -> bytes:
    """The Ed25519 public key of a 32-byte private key."""
    return Ed25519PrivateKey.from_private_bytes(seed).public_key().public_bytes_raw()


def agreement_key(secret: bytes) -> bytes:
    """The X25519 public key of a secret."""
    return X25519PrivateKey.from_private_bytes(secret).public_key().public_bytes_raw()


def agree(secret: bytes, other: bytes) -> bytes:
    """X25519; KEY-8 refuses a result of zero bytes."""
    try:
        shared = X25519PrivateKey.from_private_bytes(secret).exchange(X25519PublicKey.from_public_bytes(other))
    except ValueError:  # providers refuse the zero result themselves
        shared = bytes(32)
    if shared == bytes(32):
        raise KeyRefused("NonContributory", "the X25519 key does not contribute")
    return shared


def sha256(data: bytes) -> bytes:
    """SHA-256; of the bytes of a whole message this is its digest."""
    return hashlib.sha256(data).digest()


def mac(key: bytes, data: bytes) -> bytes:
    """A tag: HMAC-SHA256(key, data)[..16]."""
    return hmac.new(key, data, hashlib.sha256).digest()[:16]


def check_tag(key: bytes, data: bytes, tag: bytes) -> None:
    """MSG-2: compared in constant time."""
    if not hmac.compare_digest(mac(key, data), tag):
        raise TagRefused()


def hkdf(salt: bytes, ikm: bytes, info: bytes) -> bytes:
    """HKDF-SHA256, 32 bytes."""
    return HKDF(algorithm=SHA256(), length=32, salt=salt, info=info).derive(ikm)


def pbkdf2(password: bytes, salt: bytes, rounds: int) -> bytes:
    """PBKDF2-HMAC-SHA256, 32 bytes."""
    return hashlib.pbkdf2_hmac("sha256", password, salt, rounds, 32)
