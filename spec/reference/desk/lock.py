"""A lock with a store, behind requests."""

from __future__ import annotations

from typing import Any, Callable, Optional

from sharekey import cells, records
from sharekey.cells import Pending, Purpose, Session
from sharekey.errors import LockError
from sharekey.limits import UNSET
from sharekey.lock import Lock, Now, Refusal, _left, _Refuse
from sharekey.messages import OPAQUE, Command, Receipt, Unlock
from sharekey.records import COUNTER, HEADER, SEED, Cell

from .form import NoRequest, Refused, draw, hexed, show

SLOTS = 3
CELLS = [SEED, HEADER, COUNTER] + [records.slot_cell(index) for index in range(SLOTS)]


def cell_of(number: Any) -> Cell:
    """A cell by the number under which it is filed."""
    return CELLS[int(number)]


class LockDesk:
    """One lock of three slots."""

    def __init__(self) -> None:
        self.card = b""
        self.store: dict[Cell, bytes] = {}
        self.running: Optional[Lock] = None
        self.why = LockError("NotMade")  # why it does not run
        self.sessions: dict[int, Session] = {}
        self.count = 0

    @property
    def lock(self) -> Lock:
        if self.running is None:
            raise self.why
        return self.running

    # The store, the making, the boot

    def make(self, request: dict[str, Any]) -> dict[str, Any]:
        if "card" in request:
            self.card = hexed(request, "card")
        elif not self.card:
            raise NoRequest("no card")
        writes = cells.make(cells.seed_before(self.store.get(SEED)), draw(request, 32), SLOTS)
        done = writes[: request.get("writes", len(writes))]
        self.running, self.sessions, self.count = None, {}, 0
        for cell, data in done:
            self.store[cell] = data
        written = [{"cell": records.place(cell), "bytes": data.hex()} for cell, data in done]
        return {"lock": self._boot() if len(done) == len(writes) else None, "written": written}

    def load(self, request: dict[str, Any]) -> dict[str, Any]:
        self.card = hexed(request, "card")
        self.store = {cell_of(number): bytes.fromhex(data) for number, data in request["records"].items()}
        self.sessions, self.count = {}, 0
        return {"lock": self._boot()}

    def reboot(self, request: dict[str, Any]) -> dict[str, Any]:
        lock = self._boot()
        for cell in map(cell_of, request.get("unread", [])):
            self.lock.unread(cell)
        return {"lock": lock}

    def complete(self, request: dict[str, Any]) -> dict[str, Any]:
        self.lock._check_all_free()
        written = []
        while len(written) < request.get("writes", 2**64):
            pending = self.lock.complete()
            if pending is None:
                break
            self.store[pending.cell] = pending.record
            written.append({"cell": records.place(pending.cell), "bytes": pending.record.hex()})
            self.lock.stored(pending)
        return {"written": written}

    def _boot(self) -> str:
        self.running, self.sessions = None, {}  # SES-8
        try:
            self.running = Lock.boot(self.store, SLOTS, self.card)
        except LockError as why:
            self.why = why
            raise
        return self.lock.keys.lock_id.hex()

    def reload(self, request: dict[str, Any]) -> dict[str, Any]:
        cell = cell_of(request["cell"])
        self.lock.reload(cell, self.store.get(cell))
        return {}

    def damage(self, request: dict[str, Any]) -> dict[str, Any]:
        cell = cell_of(request["cell"])
        if request.get("bytes") is None:
            self.store.pop(cell, None)
        else:
            self.store[cell] = hexed(request, "bytes")
        return {}

    def all_records(self, request: dict[str, Any]) -> dict[str, Any]:
        return {"records": {str(records.place(cell)): data.hex() for cell, data in sorted(self.store.items())}}

    # Operations

    def _now(self, request: dict[str, Any]) -> Now:
        now = request["now"]
        return Now(now["ticks"], now.get("clock", UNSET), now["battery"])

    def _session(self, request: dict[str, Any], purpose: Purpose) -> Session:
        """The session of a number, for one attempt (SES-1, SES-6)."""
        session = self.sessions.get(request["session"])
        if session is None or session.purpose is not purpose:
            raise Refused("SessionSuperseded", OPAQUE)
        return self.sessions.pop(request["session"])

    def _finish(self, request: dict[str, Any], outcome: Any) -> tuple[Any, dict[str, str]]:
        """Stores what an accepted operation writes, as `store` says, and takes its result."""
        if isinstance(outcome, Refusal):
            raise Refused(outcome.name, outcome.message)
        assert isinstance(outcome, Pending)
        if outcome.record is None:
            return self.lock.stored(outcome), {}
        said = request.get("store")
        if said != "fails":
            self.store[outcome.cell] = outcome.record
        if said in ("fails", "lost"):
            self.lock.failed(outcome)
            raise Refused("StoreFailed")  # ERR-5
        return self.lock.stored(outcome), {str(records.place(outcome.cell)): outcome.record.hex()}

    def challenge(self, request: dict[str, Any]) -> dict[str, Any]:
        outcome = self.lock.challenge(Purpose(request["purpose"]), self._now(request), draw(request, 32))
        if isinstance(outcome, Refusal):
            raise Refused(outcome.name)
        given, written = self._finish(request, outcome)
        self.count += 1
        self.sessions[self.count] = given.session
        return {"challenge": given.message.hex(), "session": self.count, "written": written}

    def install(self, request: dict[str, Any]) -> dict[str, Any]:
        session = self._session(request, Purpose.Install)
        secret = draw(request, 32)
        outcome = self.lock.install(session, hexed(request, "message"), self._now(request), secret)
        result, written = self._finish(request, outcome)
        receipt = Receipt.decode(result.message)
        return {
            "answer": result.message.hex(),
            "slot": receipt.slot,
            "generation": receipt.generation,
            "device": receipt.device.hex(),
            "written": written,
        }

    def unlock(self, request: dict[str, Any]) -> dict[str, Any]:
        session, message = self._session(request, Purpose.Operate), hexed(request, "message")
        outcome = self.lock.unlock(session, message, self._now(request))
        result, written = self._finish(request, outcome)
        slot = Unlock.decode(message).slot
        held = self.lock.slots[slot]
        return {
            "answer": result.message.hex(),
            "bolt": result.action.name,
            "slot": slot,
            "generation": held.floor,
            "device": held.holding.device.hex(),
            "written": written,
        }

    def command(self, request: dict[str, Any]) -> dict[str, Any]:
        session, message = self._session(request, Purpose.Operate), hexed(request, "message")
        outcome = self.lock.command(session, message, self._now(request))
        result, written = self._finish(request, outcome)
        operation = show(Command.decode(message).operation)
        return {"answer": result.message.hex(), "operation": operation, "written": written}

    def provision(self, request: dict[str, Any]) -> dict[str, Any]:
        session, message = self._session(request, Purpose.Operate), hexed(request, "message")
        outcome = self.lock.provision(session, message, self._now(request))
        result, written = self._finish(request, outcome)
        return {"answer": result.message.hex(), "written": written}

    def reset(self, request: dict[str, Any]) -> dict[str, Any]:
        if not request["presence"]:  # RST-6: this firmware asks the button first, and makes no attempt
            raise Refused("NoPresence", OPAQUE)
        session, message = self._session(request, Purpose.Operate), hexed(request, "message")
        outcome = self.lock.factory_reset(session, message, self._now(request), draw(request, 32), True)
        _, written = self._finish(request, outcome)
        return {"written": written}

    # What it holds

    def status(self, request: dict[str, Any]) -> dict[str, Any]:
        return {
            "lock": self.lock.keys.lock_id.hex(),
            "cells": {str(number): self._cell(CELLS[number]) for number in range(1, len(CELLS))},
            "ownership": _or_error(self._owned),
            "slots": [_or_error(lambda: show(_left(self._slot(index)))) for index in range(SLOTS)],
        }

    def _owned(self) -> dict[str, Any]:
        self.lock._check_free()
        if self.lock.damaged:
            raise _Refuse("Damaged")
        owned = self.lock._ownership()
        return {"epoch": owned.epoch, "owner": owned.owner.hex(), "service": owned.service.hex()}

    def _slot(self, index: int) -> Any:
        self._owned()
        return self.lock._slot(index)

    def _cell(self, cell: Cell) -> str:
        """How a cell stands, in the words of the Rust crate."""
        state = self.lock.state(cell)
        if state.busy:
            return "Failed"
        return "Damaged" if self.lock._is_damaged(cell) else "Ready"

    OPS = {
        "make": make,
        "load": load,
        "reboot": reboot,
        "challenge": challenge,
        "install": install,
        "unlock": unlock,
        "command": command,
        "provision": provision,
        "reset": reset,
        "complete": complete,
        "reload": reload,
        "damage": damage,
        "records": all_records,
        "status": status,
    }


def _or_error(show_it: Callable[[], Any]) -> Any:
    """What the lock holds, or the name of the error that an inspection would give."""
    try:
        return show_it()
    except _Refuse as refuse:
        return refuse.name
