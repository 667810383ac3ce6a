"""Errors. Each has a stable `name`.

Where the specification names an error (Truncated, Value, StaleGeneration ...) that is the name. Where it
only numbers the rule that was broken, the name is the number of the rule, such as "INS-3".
"""

from __future__ import annotations


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
    """A public key that is not to be used: KEY-1, KEY-2; or an X25519 result: KEY-8."""


class SignatureRefused(SharekeyError):
    """A signature that does not verify: KEY-1 to KEY-6, the first that fails."""


class TagRefused(SharekeyError):
    """A tag that does not verify. The name is "Tag"."""

    def __init__(self, detail: str = "") -> None:
        super().__init__("Tag", detail)


class CodeRefused(SharekeyError):
    """A typed share code that is none: COD-6 (character), COD-7 (length), COD-9 (check symbols)."""


class RuleBroken(SharekeyError):
    """Any other rule; the name is its number."""


class LockError(SharekeyError):
    """A mistake of the lock's own firmware, never of a sender: a report for nothing (STG-8), and such."""
