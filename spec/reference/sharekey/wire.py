"""Field encodings ("Encoding" of the specification), without any message.

A codec is a pair of functions: `write(value) -> bytes` and `read(reader) -> value`. Both refuse what
version 1 does not define, so whatever decodes encodes again to the same bytes (MSG-4).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import Any, Callable, Optional, Type

from .errors import DecodeError


class Reader:
    """Reads fields off the front of some bytes."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.at = 0

    def take(self, size: int) -> bytes:
        """The next `size` bytes; Truncated where there are fewer (MSG-9)."""
        if len(self.data) - self.at < size:
            raise DecodeError("Truncated", f"{size} bytes wanted at {self.at}")
        out = self.data[self.at : self.at + size]
        self.at += size
        return out

    def end(self) -> None:
        """Nothing may be left over (MSG-8, MSG-17)."""
        if self.at != len(self.data):
            raise DecodeError("Trailing", f"{len(self.data) - self.at} bytes left over")


@dataclass(frozen=True)
class Codec:
    """How one type of field is written and read."""

    write: Callable[[Any], bytes]
    read: Callable[[Reader], Any]


def number(size: int, signed: bool = False, low: Optional[int] = None, high: Optional[int] = None) -> Codec:
    """A little-endian number, within a range where one is given (MSG-7)."""
    bits = 8 * size
    least = (-(1 << (bits - 1)) if signed else 0) if low is None else low
    most = ((1 << (bits - 1)) - 1 if signed else (1 << bits) - 1) if high is None else high

    def check(value: int) -> int:
        if not least <= value <= most:
            raise DecodeError("Value", f"{value} is not in {least} to {most}")
        return value

    return Codec(
        write=lambda value: check(value).to_bytes(size, "little", signed=signed),
        read=lambda reader: check(int.from_bytes(reader.take(size), "little", signed=signed)),
    )


U8 = number(1)
U16 = number(2)
U32 = number(4)
U64 = number(8)
SLOTS = number(1, low=1)

MAX_U32 = (1 << 32) - 1  # MSG-14: a number is compared with its end; Python does not wrap
MAX_U64 = (1 << 64) - 1


def _battery(value: int) -> int:
    if 100 < value < UNKNOWN:
        raise DecodeError("Value", f"{value} is no percentage")
    return value


UNKNOWN = 255  # of a battery
BATTERY = Codec(write=lambda value: U8.write(_battery(value)), read=lambda reader: _battery(U8.read(reader)))


def raw(size: int) -> Codec:
    """A key, digest, nonce or tag: its bytes."""

    def write(value: bytes) -> bytes:
        if len(value) != size:
            raise ValueError(f"{len(value)} bytes where {size} belong")
        return bytes(value)

    return Codec(write=write, read=lambda reader: reader.take(size))


KEY = raw(32)
DIGEST = raw(32)
NONCE = raw(16)
TAG = raw(16)


def optional(inner: Codec) -> Codec:
    """0, or 1 and the value (MSG-5)."""

    def read(reader: Reader) -> Any:
        flag = reader.take(1)[0]
        if flag > 1:
            raise DecodeError("Option", f"{flag} is neither 0 nor 1")
        return inner.read(reader) if flag else None

    return Codec(write=lambda value: b"\0" if value is None else b"\1" + inner.write(value), read=read)


def one_byte(enum: Type[IntEnum]) -> Codec:
    """An enumeration without fields (MSG-6)."""

    def read(reader: Reader) -> IntEnum:
        byte = reader.take(1)[0]
        try:
            return enum(byte)
        except ValueError:
            raise DecodeError("Value", f"{byte} is no {enum.__name__}") from None

    return Codec(write=lambda value: bytes([enum(value)]), read=read)


def fields(cls: type) -> Codec:
    """The fields of a dataclass in the order of its FIELDS: a list of (name, codec)."""

    def read(reader: Reader) -> Any:
        return cls(**{name: codec.read(reader) for name, codec in cls.FIELDS})

    return Codec(write=lambda value: write_fields(value, cls.FIELDS), read=read)


def write_fields(value: Any, of: list) -> bytes:
    """The fields of a value, one behind the other."""
    return b"".join(codec.write(getattr(value, name)) for name, codec in of)


def variants(by_tag: dict[int, type]) -> Codec:
    """An enumeration: one tag byte, then the variant's fields (MSG-6)."""
    tags = {cls: tag for tag, cls in by_tag.items()}

    def write(value: Any) -> bytes:
        return bytes([tags[type(value)]]) + write_fields(value, type(value).FIELDS)

    def read(reader: Reader) -> Any:
        tag = reader.take(1)[0]
        if tag not in by_tag:
            raise DecodeError("Value", f"{tag} is none of the tags {sorted(by_tag)}")
        return fields(by_tag[tag]).read(reader)

    return Codec(write=write, read=read)
