"""What a service and who asks it agree on: the form of an answer, and how old a request may be ("Reports")."""

from __future__ import annotations

from . import primitives
from .errors import DecodeError, RuleBroken
from .messages import FindRequest, ReportRequest
from .wire import U16, Reader

MAX_MESSAGES = 64  # RPT-8: how many go with a Report
MAX_LEN = 256  # and how long each may be
LEEWAY = 300  # RPT-4, in seconds


def divide(answer: bytes) -> tuple[bytes, list[bytes]]:
    """The Report and the messages that go with it, counted and measured, and not looked into (RPT-8)."""
    reader = Reader(answer)
    try:
        report, parts = reader.take(U16.read(reader)), []
        while reader.at != len(answer):
            if len(parts) == MAX_MESSAGES:
                raise DecodeError("TooLong", "too many messages")
            parts.append(reader.take(U16.read(reader)))
            if len(parts[-1]) > MAX_LEN:
                raise DecodeError("TooLong", "a message longer than any")
    except DecodeError as error:
        raise RuleBroken(f"Wire.{error.name}", error.detail) from None
    return report, parts


def content(parts: list[bytes]) -> bytes:
    """By what a Report names its messages: SHA-256 over their digests, in their order."""
    return primitives.sha256(b"".join(map(primitives.sha256, parts)))


def join(report: bytes, parts: list[bytes]) -> bytes:
    """The bytes of an answer."""
    return b"".join(U16.write(len(part)) + part for part in (report, *parts))


def check_time(asked: "ReportRequest | FindRequest", now: int) -> None:
    """RPT-4: on either side, or a request that is dated ahead could be repeated until then."""
    if abs(asked.time - now) > LEEWAY:
        raise RuleBroken("RequestTime", f"it is {now} here")
