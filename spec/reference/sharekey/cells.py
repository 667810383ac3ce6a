"""A lock's cells: what is known of each record, and who holds it ("Persist, then act", "Damage").

Two halves of one lock: this file keeps the state and the store's protocol, `lock.py` makes the decisions.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from enum import Enum
from typing import Any, Mapping, Optional

from . import pairing, primitives, records
from .errors import LockError
from .pairing import LockKeys
from .records import COUNTER, HEADER, SEED, Cell, CounterRecord, HeaderRecord, LockSlot, Owned, SeedRecord


class Purpose(Enum):
    """What a session is for."""

    Install = "Install"
    Operate = "Operate"


@dataclass(frozen=True)
class Session:
    """One attempt's hold on a challenge."""

    serial: int
    purpose: Purpose
    nonce: bytes
    ticks: int
    rescue: bool = False  # CTR-8: serves a factory reset only
    backwards: bool = False  # at this challenge the ticks had gone backwards (SES-9)


@dataclass(frozen=True)
class Pending:
    """An accepted operation whose result is not taken yet. `record` is None where it writes nothing."""

    serial: int
    cell: Cell
    record: Optional[bytes]  # STG-2: at most one
    content: Any  # what the cell holds afterwards; None where nothing changes
    result: Any
    number: Optional[int] = None  # of a challenge: the counter afterwards
    session: Optional[Session] = None  # of a challenge: the session that it opens


@dataclass
class CellState:
    """Who has a cell."""

    holder: Optional[int] = None  # the serial of the pending operation
    writing: bool = False  # whether that one writes
    busy: bool = False  # a write failed, or nobody knows (STG-3)

    @property
    def free(self) -> bool:
        """Whether an operation may take the cell (STG-4, STG-5)."""
        return self.holder is None and not self.busy


class NeedsMaking(LockError):
    """NotMade (LCK-4): the lock is to be made (again); `before` is what goes into its seed (LCK-9)."""

    def __init__(self, before: bytes) -> None:
        super().__init__("NotMade", "no initialised seed record")
        self.before = before


def make(before: bytes, entropy: bytes, slots: int) -> list[tuple[Cell, bytes]]:
    """The writes that make a lock, in their order (LCK-1 to LCK-3, LCK-6, LCK-7)."""
    seed = pairing.new_seed(before, entropy)
    key = pairing.lock_keys(seed).record
    writes = [(SEED, records.seal(SEED, SeedRecord(seed, False), key))]
    # LCK-2
    header = HeaderRecord(slots, records.Unprovisioned())  # LCK-11
    writes.append((HEADER, records.seal(HEADER, header, key)))
    writes.append((COUNTER, records.seal(COUNTER, records.FRESH_COUNTER, key)))
    for index in range(slots):
        cell = records.slot_cell(index)
        writes.append((cell, records.seal(cell, records.FRESH_SLOT, key)))
    writes.append((SEED, records.seal(SEED, SeedRecord(seed, True), key)))
    return writes


@dataclass
class Cells:
    """The state of a running lock. A content of None is a damaged record."""

    seed: bytes
    activation_secret: bytes
    header: Optional[HeaderRecord]
    counter: Optional[CounterRecord]
    slots: list[Optional[LockSlot]]
    next_number: int
    ticks: int = 0  # the latest seen (SES-9)
    rescue_number: int = 0
    serial: int = 0
    newest: dict[Purpose, Session] = field(default_factory=dict)
    states: dict[Cell, CellState] = field(default_factory=dict)
    known: dict[Cell, Any] = field(default_factory=dict)  # the newest content known since boot (DMG-6)
    shown: int = 0  # the highest epoch that any record showed since boot (OPR-15)
    lacking: set[int] = field(default_factory=set)  # slots that were damaged when the epoch began (DMG-8)
    over: bool = False  # a factory reset was written: nothing works any more (RST-8)

    @property
    def keys(self) -> LockKeys:
        """KDF-6. The keys are drawn anew each time; a lock would keep them."""
        return pairing.lock_keys(self.seed)

    @property
    def damaged(self) -> bool:
        """Whether only a factory reset can help (DMG-3)."""
        return self.header is None or self.counter is None

    @property
    def owned(self) -> Optional[Owned]:
        """The ownership, of a provisioned and sound lock."""
        return self.header.owner if self.header is not None and isinstance(self.header.owner, Owned) else None

    def state(self, cell: Cell) -> CellState:
        """Who has the cell."""
        return self.states.setdefault(cell, CellState())

    @property
    def slot_count(self) -> int:
        """LCK-12."""
        return min(len(self.slots), self.header.slots)

    def is_newer(self, index: int) -> bool:
        """DMG-9."""
        found = self.slots[index]
        return found is not None and self.header is not None and found.epoch > self.header.owner.epoch

    def slot_now(self, index: int) -> Optional[LockSlot]:
        """What a slot holds in this epoch; None where it is damaged, it alone (DMG-2; DMG-5; DMG-9)."""
        found = self.slots[index]
        epoch = self.header.owner.epoch
        if found is None or self.is_newer(index):
            return None
        return found if found.epoch == epoch else replace(records.FRESH_SLOT, epoch=epoch)

    # Accepted operations

    def stage(
        self,
        cell: Cell,
        result: Any,
        content: Any = None,
        number: Optional[int] = None,
        session: Optional[Session] = None,
    ) -> Pending:
        """Accepts an operation: it holds its cell until its result is taken (STG-5)."""
        self.serial += 1
        record = None if content is None else records.seal(cell, content, self.keys.record)
        state = self.state(cell)
        state.holder, state.writing = self.serial, record is not None
        return Pending(self.serial, cell, record, content, result, number, session)

    def stored(self, pending: Pending) -> Any:
        """The record was stored, or there is none: the result may exist now (STG-1).

        STG-8: refused where the cell does not wait for it any more.
        """
        if self.over or self.state(pending.cell).holder != pending.serial:
            raise LockError("NotPending", "the cell does not wait for this")
        self.states[pending.cell] = CellState()
        if pending.content is not None:
            self._set(pending.cell, pending.content)
        if pending.number is not None:
            self.next_number = max(self.next_number, pending.number)
        if pending.session is not None:
            self._given(pending.session)
        return pending.result

    def _given(self, session: Session) -> None:
        """A challenge was given: the sessions before it end as SES-2 and SES-9 say."""
        self.rescue_number += session.rescue
        if session.backwards:
            self.newest = {}
            self.ticks = session.ticks
        self.ticks = max(self.ticks, session.ticks)
        self.newest[session.purpose] = session

    def failed(self, pending: Pending) -> None:
        """The write failed, or nobody knows: the cell is busy until it is read again (STG-3, STG-4)."""
        if self.over or self.state(pending.cell).holder != pending.serial:
            raise LockError("NotPending", "the cell does not wait for this")
        self.states[pending.cell] = CellState(busy=True)

    def dropped(self, pending: Pending) -> None:
        """The operation was given up before its write began: nothing happened (STG-9)."""
        if self.over or self.state(pending.cell).holder != pending.serial:
            raise LockError("NotPending", "the cell does not wait for this")
        self.states[pending.cell] = CellState()

    def unread(self, cell: Cell) -> None:
        """As a boot that did not come to this cell yet."""
        self.states[cell] = CellState(busy=True)

    def reload(self, cell: Cell, data: Optional[bytes]) -> None:
        """A cell was read again from the store (STG-4, STG-13, DMG-6, DMG-7)."""
        if self.over:
            raise LockError("Resetting", "the lock is to be made anew")
        found = records.unseal(cell, data, self.keys.record)
        if found is not None:
            self.shown = max(self.shown, records.shows(found))
        if self.state(cell).free and not self._is_damaged(cell):
            raise LockError("NotBusy", "the cell needs no reading")
        if found is not None and cell in self.known and records.older(found, self.known[cell]):
            found = None
        if cell == SEED:
            self._reload_seed(found)
            return
        self.states[cell] = CellState()
        self._set(cell, found)

    def complete(self) -> Optional[Pending]:
        """The next record that the store lacks (DMG-8, LCK-13); None where it lacks none. Only where every cell is
        free, and header and counter are sound."""
        lacking = sorted(index for index in self.lacking if index < self.header.slots)
        if lacking:
            blank = replace(records.FRESH_SLOT, epoch=self.header.owner.epoch)
            return self.stage(records.slot_cell(lacking[0]), None, blank)
        for index in range(self.header.slots, len(self.slots)):
            if self.slots[index] is None:
                return self.stage(records.slot_cell(index), None, records.FRESH_SLOT)
        if self.header.slots < len(self.slots):
            return self.stage(HEADER, None, replace(self.header, slots=len(self.slots)))
        return None

    def _is_damaged(self, cell: Cell) -> bool:
        contents = {SEED: self.seed, HEADER: self.header, COUNTER: self.counter}
        if cell in contents:
            return contents[cell] is None
        return self.slots[cell[1]] is None or self.is_newer(cell[1])

    def _reload_seed(self, found: Optional[SeedRecord]) -> None:
        """After a factory reset of which nobody knows: it happened, or it did not (STG-14)."""
        self.states[SEED] = CellState()
        self.over = found is None or not found.initialised or found.seed != self.seed

    def _set(self, cell: Cell, content: Any) -> None:
        before = self.known.get(cell)
        if content is not None:
            self.known[cell] = content
            self.shown = max(self.shown, records.shows(content))
        if cell == SEED:
            self.over = True
        elif cell == HEADER:
            self.header = content
            if content is not None and before is not None and content.owner.epoch > before.owner.epoch:
                self._begin_epoch()
        elif cell == COUNTER:
            self.counter = content
            if content is not None and before is None:  # damaged since the boot, and read after all (CTR-4)
                self.next_number = content.ceiling
        else:
            self.slots[cell[1]] = content
            self.lacking.discard(cell[1])

    def _begin_epoch(self) -> None:
        """Ends all sessions (SES-7); nothing was written in this epoch yet, so no slot is damaged (DMG-1)."""
        self.newest = {}
        for index in range(len(self.slots)):
            if self.slots[index] is None:
                self.lacking.add(index)
            self.slots[index] = self.known[records.slot_cell(index)] = records.FRESH_SLOT


def seed_before(data: Optional[bytes]) -> bytes:
    """What goes into the seed of a lock that is made where this was found (LCK-9)."""
    return bytes(32) if data is None else primitives.sha256(data)


def read_seed(data: Optional[bytes], make_anyway: bool) -> bytes:
    """The seed of an initialised lock; NeedsMaking, or LCK-5's refusal, otherwise."""
    found = records.unseal(SEED, data, b"")
    if found is None and data is not None and not make_anyway:
        raise LockError("SeedDamaged", "it is not made anew without an order (LCK-5)")
    if found is None or not found.initialised:
        raise NeedsMaking(seed_before(data))
    return found.seed


def boot_values(store: Mapping[Cell, bytes], slots: int, secret: bytes, make_anyway: bool) -> dict[str, Any]:
    """What a lock reads at a boot (CTR-4, SES-8). A cell that could not be read is given as b""."""
    seed = read_seed(store.get(SEED), make_anyway)
    key = pairing.lock_keys(seed).record
    contents: dict[Cell, Any] = {}
    for cell in [HEADER, COUNTER] + [records.slot_cell(i) for i in range(slots)]:
        contents[cell] = records.unseal(cell, store.get(cell), key)
    counter = contents[COUNTER]
    return {
        "seed": seed,
        "activation_secret": secret,
        "header": contents[HEADER],
        "counter": counter,
        "slots": [contents[records.slot_cell(i)] for i in range(slots)],
        "next_number": 0 if counter is None else counter.ceiling,
        "known": {cell: found for cell, found in contents.items() if found is not None},
        "shown": max(records.shows(found) for found in contents.values()),
    }
