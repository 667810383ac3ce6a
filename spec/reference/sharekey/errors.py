"""Errors. Each has a stable `name`: that of the tables in "Errors and refusals".

An error inside another stands behind it, with a dot: "GrantSignature.Key.SmallOrder". The few rules for which
the specification has no error (misuse by the caller, such as GST-7) have the number of the rule as the name.
"""

from __future__ import annotations

from typing import Any


class SharekeyError(Exception):
    """Any refusal of this library."""

    def __init__(self, name: str, detail: str = "") -> None:
        super().__init__(f"{name}: {detail}" if detail else name)
        self.name = name
        self.detail = detail


class DecodeError(SharekeyError):
    """Bytes that do not decode: one of the eight names of "Encoding" (MSG-5 to MSG-13)."""

    NAMES = ("Truncated", "TooLong", "Trailing", "Magic", "Version", "Kind", "Option", "Value")

    def __init__(self, name: str, detail: str = "") -> None:
        assert name in self.NAMES, name
        super().__init__(name, detail)


class KeyRefused(SharekeyError):
    """A public key that is not to be used: NotCanonical, SmallOrder; or an X25519 result: NonContributory."""


class SignatureRefused(SharekeyError):
    """A signature that does not verify (KEY-1 to KEY-6): Key, Commitment, ScalarNotReduced or Mismatch."""


class TagRefused(SharekeyError):
    """A tag that does not verify: MacMismatch."""

    def __init__(self, detail: str = "") -> None:
        super().__init__("MacMismatch", detail)


class CodeRefused(SharekeyError):
    """A typed share code that is none: the first that applies of the table in "Check symbols"."""


class RuleBroken(SharekeyError):
    """Any other refusal of a party."""


class LockError(SharekeyError):
    """A mistake of the lock's own firmware, never of a sender: a report for nothing (STG-8), and such."""


def verify_as(name: str, message: Any, key: bytes) -> None:
    """Checks a message's signature, before anything in it counts (MSG-3); what is wrong is behind the error."""
    try:
        message.verify(key)
    except SignatureRefused as bad:
        raise RuleBroken(f"{name}.{bad.name}", bad.detail) from None
