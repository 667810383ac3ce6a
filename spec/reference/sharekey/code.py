"""Share codes: alphabet, reading, check symbols, the subject's key ("Share codes")."""

from __future__ import annotations

from . import primitives
from .errors import CodeRefused

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
LENGTH = 20
DATA = 18

SALT = b"sharekey v1 share code"
ROUNDS = 100_000


def _separators() -> frozenset[str]:
    """What a reader of typed codes ignores (COD-2)."""
    single = [0x2D, 0x20, 0x85, 0xA0, 0x1680, 0x2028, 0x2029, 0x202F, 0x205F, 0x3000]  # hyphen; White_Space
    single += [0xAD, 0x2043, 0x2212, 0xFE58, 0xFE63, 0xFF0D, 0xFEFF]  # dashes; the byte order mark
    ranges = [
        (0x09, 0x0D),
        (0x2000, 0x200A),
        (0x2010, 0x2015),
        (0x200B, 0x200F),
        (0x202A, 0x202E),
        (0x2060, 0x2069),
    ]
    for low, high in ranges:
        single += range(low, high + 1)
    return frozenset(map(chr, single))


SEPARATORS = _separators()
_TWINS = {"O": "0", "I": "1", "L": "1"}  # COD-4, COD-5


def times(a: int, b: int) -> int:
    """Multiplication in GF(32), modulo x^5 + x^2 + 1."""
    product = 0
    for bit in range(5):
        if b >> bit & 1:
            product ^= a << bit
    for bit in range(8, 4, -1):
        if product >> bit & 1:
            product ^= 0b100101 << (bit - 5)
    return product


ALPHA = 2
ALPHA_2 = times(ALPHA, ALPHA)


def value_at(symbols: list[int], point: int) -> int:
    """The code polynomial at a point; the first symbol has the highest power."""
    total = 0
    for symbol in symbols:
        total = times(total, point) ^ symbol
    return total


def check_symbols(data: list[int]) -> list[int]:
    """COD-8: the remainder of data times z^2 by the generator (z - alpha)(z - alpha^2)."""
    linear, constant = ALPHA ^ ALPHA_2, times(ALPHA, ALPHA_2)  # z^2 + linear z + constant
    high = low = 0
    for symbol in data + [0, 0]:
        high, low, over = low, symbol, high
        high ^= times(over, linear)
        low ^= times(over, constant)
    return [high, low]


def issue(entropy: bytes) -> str:
    """A code from 18 bytes of a cryptographic source, five bits of each (COD-11)."""
    if len(entropy) != DATA:
        raise ValueError("18 bytes of entropy")
    return encode([byte & 31 for byte in entropy])


def encode(data: list[int]) -> str:
    """The 20 symbols of 18 data symbols."""
    return "".join(ALPHABET[symbol] for symbol in data + check_symbols(data))


def show(code: str) -> str:
    """COD-1: five groups of four."""
    return "-".join(code[i : i + 4] for i in range(0, LENGTH, 4))


def read(typed: str) -> str:
    """The 20 symbols of a typed code (COD-2 to COD-7, COD-9); nothing is corrected (COD-10).

    Only the ASCII letters have case here: a letter that some other script maps to one is refused. The error is
    the first of the table that applies to the whole text, so the text is read to its end.
    """
    upper = [char.upper() if "a" <= char <= "z" else char for char in typed if char not in SEPARATORS]  # COD-3
    canonical = [_TWINS.get(char, char) for char in upper]
    if any(char not in ALPHABET and char != "U" for char in canonical):
        raise CodeRefused("UnknownSymbol", "a character outside the alphabet")  # COD-6
    if "U" in canonical:
        raise CodeRefused("LetterU")
    symbols = [ALPHABET.index(char) for char in canonical]
    if len(symbols) != LENGTH:
        raise CodeRefused("TooShort" if len(symbols) < LENGTH else "TooLong", f"{len(symbols)} symbols")
    if value_at(symbols, ALPHA) or value_at(symbols, ALPHA_2):
        raise CodeRefused("CheckFailed", "the check symbols do not fit")
    return "".join(ALPHABET[symbol] for symbol in symbols)


def subject_seed(code: str) -> bytes:
    """COD-12: the Ed25519 private key of the code's subject."""
    return primitives.pbkdf2(code.encode("ascii"), SALT, ROUNDS)
