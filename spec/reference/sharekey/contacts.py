"""Contacts: pinned keys and their fingerprints ("Contacts")."""

from __future__ import annotations

from dataclasses import dataclass, replace

from . import primitives
from .errors import RuleBroken


@dataclass(frozen=True)
class Contact:
    """A pinned key; unverified until somebody looked (CON-1)."""

    key: bytes
    verified: bool = False


def pin(key: bytes) -> Contact:
    """CON-1, CON-5: a new contact is unverified, and its key is a good one."""
    primitives.check_key_as("Key", key)
    return Contact(key)


def fingerprint(key: bytes) -> list[str]:
    """CON-6: six groups of five digits."""
    d = primitives.sha256(b"sharekey v1 fingerprint" + key)
    return [f"{int.from_bytes(d[5 * i : 5 * i + 5], 'big') % 100000:05d}" for i in range(6)]


def show(groups: list[str]) -> str:
    """A fingerprint as it is shown: one space between the groups."""
    return " ".join(groups)


def read(typed: str) -> list[str]:
    """The groups of a typed fingerprint: 30 digits, whitespace anywhere."""
    digits = [char for char in typed if not char.isspace()]
    if any(char not in "0123456789" for char in digits):
        raise RuleBroken("NotADigit")
    if len(digits) != 30:
        raise RuleBroken("TooShort" if len(digits) < 30 else "TooLong", f"{len(digits)} digits")
    return ["".join(digits[i : i + 5]) for i in range(0, 30, 5)]


def compared(contact: Contact, groups: list[str]) -> Contact:
    """The fingerprint that its owner reads out makes a contact verified, if it is the same."""
    if groups != fingerprint(contact.key):
        raise RuleBroken("FingerprintMismatch")
    return replace(contact, verified=True)


def scanned(contact: Contact, key: bytes) -> Contact:
    """The key scanned from its owner's screen makes a contact verified, if it is the same."""
    if key != contact.key:
        raise RuleBroken("ScannedKeyMismatch")
    return replace(contact, verified=True)


def seen(contact: Contact, key: bytes) -> Contact:
    """A key that the contact is said to have now: another one is an error (CON-2)."""
    primitives.check_key_as("Key", key)
    if key != contact.key:
        raise RuleBroken("KeyChanged")
    return contact


def accept(contact: Contact, key: bytes) -> Contact:
    """The user accepts a changed key: unverified again (CON-3, CON-5)."""
    new = pin(key)
    if key == contact.key:
        raise RuleBroken("KeyNotChanged")
    return new
