"""Messages and states as JSON, for vectors and for playing against another implementation.

Bytes are hexadecimal text. A dataclass is an object of its fields with its class in "type"; an enumeration
is its name; tuples and lists are lists. `to_json` takes any state; `message` reads a message back.
"""

from __future__ import annotations

from dataclasses import fields, is_dataclass
from enum import Enum
from typing import Any

from . import limits, messages


def to_json(value: Any) -> Any:
    """A value that the json module can write."""
    if isinstance(value, (bytes, bytearray)):
        return value.hex()
    if isinstance(value, Enum):
        return value.name
    if is_dataclass(value) and not isinstance(value, type):
        named = {field.name.rstrip("_"): to_json(getattr(value, field.name)) for field in fields(value)}
        return {"type": type(value).__name__, **named}
    if isinstance(value, dict):
        return [[to_json(key), to_json(item)] for key, item in value.items()]
    if isinstance(value, (list, tuple, set, frozenset)):
        return [to_json(item) for item in value]
    return value


_ENUMS = {
    "action": limits.Action,
    "purpose": messages.Purpose,
    "state": messages.State,
    "reason": limits.Reason,
}
_NESTED = {
    name: cls
    for module in (limits, messages)
    for name, cls in vars(module).items()
    if isinstance(cls, type) and is_dataclass(cls)
}


def message(value: Any, name: str = "") -> Any:
    """The message, or the part of one, that `to_json` wrote."""
    if isinstance(value, dict):
        cls = _NESTED[value["type"]]
        of = {field.name: message(value[field.name.rstrip("_")], field.name) for field in fields(cls)}
        return cls(**of)
    if isinstance(value, str):
        return _ENUMS[name][value] if name in _ENUMS else bytes.fromhex(value)
    return value
