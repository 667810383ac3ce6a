"""A service behind requests."""

from __future__ import annotations

from typing import Any, Optional

from sharekey.errors import RuleBroken
from sharekey.messages import (
    Claim,
    Done,
    FindRequest,
    Grant,
    Install,
    Provisioned,
    Receipt,
    ReportRequest,
    Transfer,
    Withdraw,
)
from sharekey.reading import decode, one_of, peek
from sharekey.service import Key, Service

from .form import NoRequest, hexed


class ServiceDesk:
    """One service with its store."""

    def __init__(self) -> None:
        self.made: Optional[Service] = None

    @property
    def service(self) -> Service:
        if self.made is None:
            raise NoRequest("no service")
        return self.made

    def _at(self, request: dict[str, Any]) -> Key:
        """The slot that is meant, of a lock that is known."""
        key = (hexed(request, "lock"), request["slot"])
        if (key[0], None) not in self.service.store.values:
            raise NoRequest("no such record")
        return key

    def _version(self, key: Key) -> int:
        return self.service.record(*key)[0]

    def make(self, request: dict[str, Any]) -> dict[str, Any]:
        self.made = Service(hexed(request, "seed"))
        return {"key": self.service.key.hex()}

    def open(self, request: dict[str, Any]) -> dict[str, Any]:
        statement = one_of(hexed(request, "statement"), Provisioned, Done)
        self.service.open(statement)
        version, _ = self.service.bring_along(statement.lock, request["slot"])
        return {"lock": statement.lock.hex(), "version": version}

    def reopen(self, request: dict[str, Any]) -> dict[str, Any]:
        key = self._at(request)
        self.service.reopen(key[0], one_of(hexed(request, "statement"), Provisioned, Done))
        version, _ = self.service.bring_along(*key)
        return {"version": version}

    def publish(self, request: dict[str, Any]) -> dict[str, Any]:
        key = self._at(request)
        self.service.publish(decode(Grant, hexed(request, "message")), key)
        return {"version": self._version(key)}

    def find(self, request: dict[str, Any]) -> dict[str, Any]:
        found = self.service.find(decode(FindRequest, hexed(request, "message")), request["time"])
        if not found:
            raise NoRequest("nothing is shared with this subject")
        found.sort(key=lambda grant: (grant.lock, grant.slot))
        return {"lock": found[0].lock.hex(), "slot": found[0].slot, "grant": found[0].encode().hex()}

    def release(self, request: dict[str, Any]) -> dict[str, Any]:
        key = self._at(request)
        self.service.check_serving(*key)  # SVC-16, before the bytes
        claim = decode(Claim, hexed(request, "claim"))
        answer = self.service.release(*key, claim, decode(Install, hexed(request, "install")))
        return {"message": answer.encode().hex(), "version": self._version(key)}

    def withdraw(self, request: dict[str, Any]) -> dict[str, Any]:
        key = self._at(request)
        answer = self.service.withdraw(decode(Withdraw, hexed(request, "message")), key)
        return {"message": answer.encode().hex(), "version": self._version(key)}

    def confirm(self, request: dict[str, Any]) -> dict[str, Any]:
        key = self._at(request)
        self.service.receipt(decode(Receipt, hexed(request, "message")), key)
        return self._state(key)

    def done(self, request: dict[str, Any]) -> dict[str, Any]:
        key = self._at(request)
        self.service.done(decode(Done, hexed(request, "message")), key)
        return self._state(key)

    def _state(self, key: Key) -> dict[str, Any]:
        version, record = self.service.view(*key)
        return {"state": record.state, "version": version}

    def report(self, request: dict[str, Any]) -> dict[str, Any]:
        key = self._at(request)
        asked = decode(ReportRequest, hexed(request, "message"))
        return {"answer": self.service.report(*key, asked, request["time"]).hex()}

    def place(self, request: dict[str, Any]) -> dict[str, Any]:
        data = hexed(request, "message")
        kind = peek(data)
        if kind not in (Grant, Withdraw, Receipt, Done, Provisioned):
            raise RuleBroken("NotOfASlot")
        message = decode(kind, data)
        about = getattr(message, "completed", message)
        if not hasattr(about, "slot") and not isinstance(about, (Transfer, Provisioned)):
            raise RuleBroken("NotOfASlot")
        return {"lock": message.lock.hex(), "slot": getattr(about, "slot", None)}

    def state(self, request: dict[str, Any]) -> dict[str, Any]:
        version, record = self.service.record(*self._at(request))
        serving = record.owned.service == self.service.key
        standing = "Serving" if serving else "Moved"
        return {"version": version, "epoch": record.owned.epoch, "standing": standing, **show_slot(record.slot)}

    OPS = {
        "make": make,
        "open": open,
        "reopen": reopen,
        "publish": publish,
        "find": find,
        "release": release,
        "withdraw": withdraw,
        "confirm": confirm,
        "done": done,
        "report": report,
        "place": place,
        "state": state,
    }


def show_slot(record: Any) -> dict[str, Any]:
    """A slot as a record says it is."""
    share = record.share
    device = share.device if share else None
    return {
        "state": record.state,
        "highest": record.highest,
        "floor": record.proven,
        "last_told": record.last_told,
        "shared": share.grant.hex() if share else None,
        "device": device.hex() if device else None,
        "downloaded": bool(share and share.confirmed),  # SLO-3
        "live": [
            {
                "generation": entry.generation,
                "grant": entry.grant.hex(),
                "confirmed": entry.device.hex() if entry.confirmed else None,
            }
            for entry in record.live
        ],
    }
