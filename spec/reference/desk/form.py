"""How messages and their parts are written in requests, replies and vectors."""

from __future__ import annotations

import os
import re
from dataclasses import fields, is_dataclass
from enum import Enum
from typing import Any, Optional

from sharekey import messages
from sharekey.limits import Limits, Next, Schedule
from sharekey.messages import Bundle, Message, Withdraw, Withdrawn


class NoRequest(Exception):
    """A request that is none."""


class Refused(Exception):
    """A lock's refusal, with what it answers."""

    def __init__(self, name: str, answer: Optional[bytes] = None) -> None:
        super().__init__(name)
        self.name = name
        self.answer = answer


def snake(name: str) -> str:
    """A name as requests write it: `SetClock` as `set_clock`."""
    return re.sub("(?<!^)(?=[A-Z])", "_", name).lower()


def draw(request: dict[str, Any], size: int) -> bytes:
    """The entropy that a request brings, or fresh."""
    given = request.get("entropy")
    if given is None:
        return os.urandom(size)
    text = given if isinstance(given, str) else "".join(item["hex"] for item in given)
    data = bytes.fromhex(text)
    if len(data) < size:
        raise NoRequest(f"{size} bytes of entropy")
    return data[:size]


def hexed(request: dict[str, Any], name: str) -> bytes:
    """The bytes of a field."""
    return bytes.fromhex(request[name])


_DONE = {done.__name__: messages.OPERATIONS[tag].__name__ for tag, done in messages.COMPLETIONS.items()}
_NAMES = {**_DONE, "UnlockRefused": "Refused"}
_PLAIN = (Limits, Schedule, Next, messages.Left)


def show(value: Any) -> Any:
    """A part of a message in JSON: a variant has its name in `type`."""
    if isinstance(value, (bytes, bytearray)):
        return value.hex()
    if isinstance(value, Enum):
        return value.name
    if is_dataclass(value):
        shown = {item.name.rstrip("_"): show(getattr(value, item.name)) for item in fields(value) if item.name != "auth"}
        name = type(value).__name__
        return shown if isinstance(value, (*_PLAIN, Message)) else {"type": _NAMES.get(name, name), **shown}
    return value


def message_fields(message: Message) -> dict[str, Any]:
    """The fields of a message by the names of its table."""
    if isinstance(message, Bundle):
        return {name: getattr(message, name).encode().hex() for name, _ in Bundle.FIELDS}
    shown = show(message)
    if isinstance(message, Withdrawn):
        outcome, signature = shown.pop("outcome"), shown.pop("withdraw_signature")
        return {"withdraw": shown, "withdraw_signature": signature, "outcome": outcome}
    return shown


def limits(given: Optional[dict[str, Any]]) -> Limits:
    """Limits from JSON; null bounds nothing."""
    if given is None:
        return Limits()
    schedule = given.get("schedule")
    if schedule is not None:
        following = schedule.get("next")
        schedule = Schedule(
            schedule["days"],
            schedule["start"],
            schedule["end"],
            schedule["offset"],
            None if following is None else Next(following["at"], following["offset"]),
        )
    return Limits(given.get("from"), given.get("until"), schedule, given.get("uses"))


def read_withdraw(shown: dict[str, Any]) -> dict[str, Any]:
    """The fields that a Withdraw and a Withdrawn share, from JSON."""
    return {name: bytes.fromhex(shown[name]) if name in ("lock", "grant") else shown[name] for name, _ in Withdraw.FIELDS}
