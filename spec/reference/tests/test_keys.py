"""Strict keys, on bytes."""

import hashlib

import pytest
from sharekey import pairing, primitives
from sharekey.errors import KeyRefused, SignatureRefused
from sharekey.primitives import P, SMALL_ORDER_Y

L = primitives.L
D = -121665 * pow(121666, -1, P) % P
SEED = bytes(range(32))
PUB = primitives.public_key(SEED)


def add(a, b):
    """Addition on the curve, affine."""
    (x1, y1), (x2, y2) = a, b
    t = D * x1 * x2 * y1 * y2
    x = (x1 * y2 + x2 * y1) * pow(1 + t, -1, P) % P
    return x, (y1 * y2 + x1 * x2) * pow(1 - t, -1, P) % P


def order(point):
    count, at = 1, point
    while at != (0, 1):
        at, count = add(at, point), count + 1
    return count


def x_of(y):
    x2 = (y * y - 1) * pow(D * y * y + 1, -1, P) % P
    x = pow(x2, (P + 3) // 8, P)
    if (x * x - x2) % P:
        x = x * pow(2, (P - 1) // 4, P) % P
    assert (x * x - x2) % P == 0
    return x


def test_the_table_of_small_orders():
    orders = sorted(order((x_of(y), y)) for y in SMALL_ORDER_Y)
    assert orders == [1, 2, 4, 8, 8]
    points = {(x, y) for y in SMALL_ORDER_Y for x in (x_of(y), -x_of(y) % P)}
    assert len(points) == 8


def encodings(y):
    return [(y | sign << 255).to_bytes(32, "little") for sign in (0, 1)]


def key_name(key):
    with pytest.raises(KeyRefused) as bad:
        primitives.check_public_key(key)
    return bad.value.name


def signature_name(key, message, signature):
    with pytest.raises(SignatureRefused) as bad:
        primitives.verify(key, message, signature)
    return bad.value.name


def test_public_keys():
    for y in SMALL_ORDER_Y:
        for key in encodings(y):
            assert key_name(key) == "SmallOrder"
    for y in range(P, 1 << 255):
        for key in encodings(y):
            assert key_name(key) == "NotCanonical"
    primitives.check_public_key(PUB)
    for key in encodings(P - 2):
        primitives.check_public_key(key)


def test_signatures():
    signature = primitives.sign(SEED, b"m")
    primitives.verify(PUB, b"m", signature)
    for y in SMALL_ORDER_Y:
        for r in encodings(y):
            assert signature_name(PUB, b"m", r + signature[32:]) == "Commitment.SmallOrder"
    for r in encodings(P) + encodings((1 << 255) - 1):
        assert signature_name(PUB, b"m", r + signature[32:]) == "Commitment.NotCanonical"
    s = int.from_bytes(signature[32:], "little")
    assert signature_name(PUB, b"m", signature[:32] + (s + L).to_bytes(32, "little")) == "ScalarNotReduced"
    assert signature_name(PUB, b"m", signature[:32] + L.to_bytes(32, "little")) == "ScalarNotReduced"
    assert signature_name(PUB, b"n", signature) == "Mismatch"
    assert signature_name(bytes(32), b"m", bytes(32) + b"\xff" * 32) == "Key.SmallOrder"
    assert signature_name(PUB, b"m", encodings(P)[0] + b"\xff" * 32) == "Commitment.NotCanonical"


def test_off_curve_key_passes_the_byte_checks_and_verifies_nothing():
    y = next(y for y in range(2, 100) if pow((y * y - 1) * (D * y * y + 1), (P - 1) // 2, P) == P - 1)
    key = y.to_bytes(32, "little")
    primitives.check_public_key(key)
    assert signature_name(key, b"m", primitives.sign(SEED, b"m")) == "Mismatch"


def test_cofactorless():
    """R with a point of order 2 added: it holds with the cofactor only, and is refused."""
    digest = hashlib.sha512(SEED).digest()
    a = int.from_bytes(digest[:32], "little") & ((1 << 254) - 8) | 1 << 254
    base_y = 4 * pow(5, -1, P) % P
    base = (x_of(base_y), base_y)
    base = base if base[0] % 2 == 0 else (P - base[0], base_y)

    def mul(n, point):
        out = (0, 1)
        while n:
            out, point, n = (add(out, point) if n & 1 else out), add(point, point), n >> 1
        return out

    def enc(point):
        return (point[1] | (point[0] & 1) << 255).to_bytes(32, "little")

    assert enc(mul(a, base)) == PUB
    r = 123456789
    for torsion, holds in (((0, 1), True), ((0, P - 1), False)):
        point = enc(add(mul(r, base), torsion))
        k = int.from_bytes(hashlib.sha512(point + PUB + b"m").digest(), "little") % L
        signature = point + ((r + k * a) % L).to_bytes(32, "little")
        if holds:
            primitives.verify(PUB, b"m", signature)
        else:
            assert signature_name(PUB, b"m", signature) == "Mismatch"


def test_agreement_must_contribute():
    for u in (0, 1, P, P + 1, P - 1):
        with pytest.raises(KeyRefused) as bad:
            primitives.agree(SEED, u.to_bytes(32, "little"))
        assert bad.value.name == "NonContributory"
    other = bytes(range(1, 33))
    one = primitives.agree(SEED, primitives.agreement_key(other))
    assert one == primitives.agree(other, primitives.agreement_key(SEED))


def test_lock_keys_differ():
    keys = pairing.lock_keys(SEED)
    assert len({keys.lock, keys.lock_id, keys.record, keys.nonce}) == 4
    assert pairing.new_seed(bytes(32), SEED) != pairing.new_seed(keys.nonce, SEED)
