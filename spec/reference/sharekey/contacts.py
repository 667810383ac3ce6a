"""Contacts: pinned keys and their fingerprints ("Contacts")."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Callable

from . import primitives
from .errors import RuleBroken


# The White_Space property. `str.isspace` takes U+001C to U+001F as well.
WHITESPACE = frozenset(map(chr, [*range(0x09, 0x0E), 0x20, 0x85, 0xA0, 0x1680, *range(0x2000, 0x200B)])) | frozenset(
    map(chr, [0x2028, 0x2029, 0x202F, 0x205F, 0x3000])
)


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
    digits = [char for char in typed if char not in WHITESPACE]
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


class Book:
    """The contacts of one owner, by whatever names them."""

    def __init__(self) -> None:
        self.contacts: dict[str, Contact] = {}
        self.deleted: dict[str, bytes] = {}

    def get(self, name: str) -> Contact:
        if name not in self.contacts:
            raise RuleBroken("NotFound")
        return self.contacts[name]

    def add(self, name: str, key: bytes) -> None:
        if name in self.contacts:
            raise RuleBroken("Duplicate")
        new = pin(key)
        # CON-7.
        if self.deleted.get(name, key) != key:
            raise RuleBroken("KeyChanged")
        self.deleted.pop(name, None)
        self.contacts[name] = new

    def delete(self, name: str) -> None:
        """Its key stays pinned (CON-7)."""
        self.deleted[name] = self.get(name).key
        del self.contacts[name]

    def accept(self, name: str, key: bytes) -> None:
        """Another key, as the user decided: of a deleted contact, for when it is added again."""
        if name not in self.contacts and name in self.deleted:
            self.deleted[name] = accept(Contact(self.deleted[name]), key).key
            return
        self.change(name, lambda contact: accept(contact, key))

    def change(self, name: str, how: Callable[[Contact], Contact]) -> None:
        """Compares, scans, observes or renames."""
        self.contacts[name] = how(self.get(name))
