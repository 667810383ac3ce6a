"""A lock's records ("Records").

A cell is named by (kind, index). What cannot be read exactly, or has a wrong MAC, is damaged (REC-2,
REC-3): `open_*` return None then.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, ClassVar, Optional

from . import pairing, primitives, wire
from .errors import DecodeError
from .limits import LIMITS, RIGHTS, Limits
from .wire import DIGEST, KEY, SLOTS, U32, U64, Codec, Reader

Cell = tuple[int, int]

SEED: Cell = (1, 0)
HEADER: Cell = (2, 0)
COUNTER: Cell = (3, 0)


def slot_cell(index: int) -> Cell:
    """The cell of a slot."""
    return (4, index)


def place(cell: Cell) -> int:
    """Under which number a store may file a cell."""
    kind, index = cell
    return 3 + index if kind == 4 else kind - 1


def _bool(reader: Reader) -> bool:
    byte = reader.take(1)[0]
    if byte > 1:
        raise DecodeError("Value", "neither 0 nor 1")
    return bool(byte)


@dataclass(frozen=True)
class SeedRecord:
    """The seed, and whether all other records of its lock were written."""

    seed: bytes
    initialised: bool

    FIELDS = [("seed", wire.raw(32)), ("initialised", Codec(write=lambda v: bytes([v]), read=_bool))]


@dataclass(frozen=True)
class Unprovisioned:
    """The header of a factory-fresh lock. Its epoch counts as 0, which is no epoch."""

    epoch: ClassVar[int] = 0
    FIELDS: ClassVar[list] = []


@dataclass(frozen=True)
class Owned:
    """The header of a provisioned lock."""

    epoch: int
    owner: bytes
    service: bytes

    FIELDS = [("epoch", U32), ("owner", KEY), ("service", KEY)]


@dataclass(frozen=True)
class HeaderRecord:
    """Whose the lock is, and how many slots were ever written (LCK-11)."""

    slots: int
    owner: Any  # Unprovisioned or Owned

    FIELDS = [("slots", SLOTS), ("owner", wire.variants({1: Unprovisioned, 2: Owned}))]


@dataclass(frozen=True)
class CounterRecord:
    ceiling: int
    latest: int
    set_in: int  # the epoch in which the clock was set; 0 for none (CLK-4)

    FIELDS = [("ceiling", U64), ("latest", U64), ("set_in", U32)]


@dataclass(frozen=True)
class SlotInactive:
    """Closed."""

    FIELDS: ClassVar[list] = []


@dataclass(frozen=True)
class SlotEmpty:
    """Open, without a key."""

    FIELDS: ClassVar[list] = []


@dataclass(frozen=True)
class Key:
    """An installed key."""

    grant: bytes
    device: bytes
    pairing: bytes
    rights: int
    limits: Limits
    used: int

    FIELDS = [
        ("grant", DIGEST),
        ("device", KEY),
        ("pairing", wire.raw(32)),
        ("rights", RIGHTS),
        ("limits", LIMITS),
        ("used", U32),
    ]


@dataclass(frozen=True)
class LockSlot:
    """One slot of a lock."""

    epoch: int
    floor: int
    holding: Any  # SlotInactive, SlotEmpty or Key

    FIELDS = [("epoch", U32), ("floor", U32), ("holding", wire.variants({1: SlotInactive, 2: SlotEmpty, 3: Key}))]

    def with_used(self, used: int) -> "LockSlot":
        """The same key with another count."""
        return replace(self, holding=replace(self.holding, used=used))


FRESH_COUNTER = CounterRecord(0, 0, 0)
FRESH_SLOT = LockSlot(0, 0, SlotInactive())

CONTENT: dict[int, type] = {1: SeedRecord, 2: HeaderRecord, 3: CounterRecord, 4: LockSlot}


def _prefix(cell: Cell) -> bytes:
    return b"SR" + bytes([1, *cell])


def seal(cell: Cell, content: Any, record_key: bytes) -> bytes:
    """A record (REC-1); the seed's is under the key of the seed in it (REC-4)."""
    data = _prefix(cell) + wire.write_fields(content, content.FIELDS)
    if cell == SEED:
        record_key = pairing.record_key(content.seed)
    return data + primitives.mac(record_key, data)


def unseal(cell: Cell, data: Optional[bytes], record_key: bytes) -> Any:
    """The content of a record; None where it is damaged, a missing one included (DMG-4)."""
    if data is None:
        return None
    data, tag = data[:-16], data[-16:]
    if cell == SEED:
        record_key = pairing.record_key(data[5:37])
    try:
        primitives.check_tag(record_key, data, tag)
    except primitives.TagRefused:
        return None
    if data[:5] != _prefix(cell):
        return None
    reader = Reader(data[5:])
    try:
        content = wire.fields(CONTENT[cell[0]]).read(reader)
        reader.end()
    except DecodeError:
        return None
    return content


def older(found: Any, known: Any) -> bool:
    """Whether a record read back is older than one known (DMG-6, OPR-13), as far as its numbers tell."""
    if isinstance(found, LockSlot):
        return _slot_age(found) < _slot_age(known)
    if isinstance(found, CounterRecord):
        return found.ceiling < known.ceiling or found.set_in < known.set_in
    if isinstance(found, HeaderRecord):
        return found.owner.epoch < known.owner.epoch or found.slots < known.slots
    return found.initialised < known.initialised


def _slot_age(slot: LockSlot) -> tuple:
    """The epoch, then the floor, then a key rather than none, then its uses."""
    key = slot.holding if isinstance(slot.holding, Key) else None
    return (slot.epoch, slot.floor, key is None, key.used if key else 0)


def shows(content: Any) -> int:
    """The epoch that a record shows; 0 for none (OPR-15)."""
    if isinstance(content, LockSlot):
        return content.epoch
    if isinstance(content, CounterRecord):
        return content.set_in
    return content.owner.epoch if isinstance(content, HeaderRecord) else 0  # the seed's, or none at all
