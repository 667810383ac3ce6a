"""Reading a message that somebody sent: what is wrong with its bytes is the error of the role that got them."""

from __future__ import annotations

from typing import Any, Type

from . import messages
from .errors import DecodeError, RuleBroken
from .messages import MAGIC, VERSION, Message


def decode(cls: Type[Message], data: bytes) -> Any:
    """A message, or the error of a role that got none."""
    try:
        return cls.decode(data)
    except DecodeError as error:
        raise RuleBroken(f"Wire.{error.name}", error.detail) from None


def peek(data: bytes) -> Type[Message]:
    """The kind that a header names, where messages of several kinds may come ("Encoding")."""
    try:
        if len(data) < 4:
            raise DecodeError("Truncated")
        if data[:2] != MAGIC:
            raise DecodeError("Magic")
        if data[2] != VERSION:
            raise DecodeError("Version")
        if data[3] not in messages.KINDS:
            raise DecodeError("Value")
    except DecodeError as error:
        raise RuleBroken(f"Wire.{error.name}") from None
    return messages.KINDS[data[3]]


def one_of(data: bytes, *kinds: Type[Message]) -> Message:
    """A message of one of these kinds."""
    kind = peek(data)
    if kind not in kinds:
        raise RuleBroken("Wire.Kind")
    return decode(kind, data)
