"""The service ("Service"): it orders releases and withdrawals, and holds no secret but its own key (SVC-15).

The store is a dictionary with compare-and-swap: a record for each lock, which says whose it is, and one for each
slot, which names the version of the lock's record that it follows.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any, Callable, Optional

from . import answers, primitives, service_record, slot
from .errors import RuleBroken, SharekeyError, verify_as
from .messages import (
    Claim,
    Done,
    FindRequest,
    Grant,
    Install,
    Provisioned,
    Receipt,
    Release,
    ReportRequest,
    Withdraw,
    Withdrawn,
)
from .service_record import Ownership, ServiceRecord
from .slot import SlotRecord

Key = tuple[bytes, Optional[int]]  # a lock id, and a slot or None for the lock's own record


@dataclass
class Store:
    """A linearizable store: a value and a version for each key."""

    values: dict[Key, tuple[int, Any]] = field(default_factory=dict)

    def get(self, key: Key) -> tuple[int, Any]:
        """Version and value; version 0 and None where there is none."""
        return self.values.get(key, (0, None))

    def swap(self, key: Key, version: int, value: Any) -> bool:
        """SVC-5: replaces the value if the version is still the one read."""
        if self.get(key)[0] != version:
            return False
        self.values[key] = (version + 1, value)
        return True


class Lost(SharekeyError):
    """Another operation was faster (SVC-5); do it again."""

    def __init__(self) -> None:
        super().__init__("SVC-5", "the record has changed")


@dataclass
class Service:
    """The service with its key (an Ed25519 private key) and its store."""

    seed: bytes
    store: Store = field(default_factory=Store)

    @property
    def key(self) -> bytes:
        """The public key that locks and owners know."""
        return primitives.public_key(self.seed)

    # Ownership

    def open(self, statement: "Provisioned | Done") -> None:
        """A statement for all slots of its lock, in one write (SVC-1, SVC-2, SVC-17, SVC-19, SVC-23, SVS-4)."""
        new = service_record.said(statement)
        version, old = self.store.get((statement.lock, None))
        if old is None:
            service_record.check_new(new, self.key)
        else:
            service_record.check_again(old, new)
        if old is not None and new == old:
            new = replace(new, restored=old.restored) if new.slots > old.slots else old  # SVC-23
        if new is not old:
            self._swap((statement.lock, None), version, new)

    def reopen(self, lock: bytes, statement: "Provisioned | Done") -> None:
        """A statement for the record of this lock."""
        service_record.said(statement)
        if statement.lock != lock:
            raise RuleBroken("WrongLock")
        self.open(statement)

    def restored(self, lock: bytes) -> None:
        """SVS-8: the store was restored from an older copy (SVC-29)."""
        version, owned = self.store.get((lock, None))
        if not owned.restored:
            self._swap((lock, None), version, replace(owned, restored=True))

    def _read(self, lock: bytes, index: int) -> tuple[int, ServiceRecord]:
        """The record of a slot, with the lock's, which is read after it (SVS-7); one of an older epoch reads as a
        fresh one of this (SVC-27, SLO-1). What `_change` stores names the version that it follows (SVC-30)."""
        version, record = self.store.get((lock, index))
        follows, owned = self.store.get((lock, None))
        if owned is None:
            raise RuleBroken("UnknownLock")
        if record is None:
            return version, ServiceRecord.fresh(lock, index, owned)  # SVC-31
        if record.follows > follows or record.owned.epoch > owned.epoch:
            raise RuleBroken("Stored")  # SVC-26
        if record.owned.epoch < owned.epoch:
            return version, replace(ServiceRecord.fresh(lock, index, owned), follows=record.follows)
        return version, replace(record, owned=owned)

    def bring_along(self, lock: bytes, index: int) -> tuple[int, ServiceRecord]:
        """The record of a slot, stored as it follows the lock's (RPT-19)."""
        self._change(lock, index, lambda record: record)
        return self._read(lock, index)

    def _swap(self, key: Key, version: int, value: Any) -> None:
        if not self.store.swap(key, version, value):
            raise Lost()

    def _change(self, lock: bytes, index: int, change: Callable[[ServiceRecord], Any]) -> Any:
        """Reads, changes, stores; and only then gives what the change gave (SVC-4, SVC-20). What is as it was and is
        stored so is not written (SVC-25)."""
        version, record = self._read(lock, index)
        follows, _ = self.store.get((lock, None))
        try:
            changed = change(record)
        except slot.PublicationRefused as refused:
            if refused.record != record.slot:
                new = replace(record.with_slot(refused.record), follows=follows)
                self._swap((lock, index), version, new)
            raise
        new, answer = changed if isinstance(changed, tuple) else (changed, None)
        if new != record or version == 0 or record.follows != follows:
            self._swap((lock, index), version, replace(new, follows=follows))  # SVC-30
        return answer

    # What owners and guests ask. A record is named by itself, or by the message.

    def publish(self, grant: Grant, at: Optional[Key] = None) -> None:
        """NotShared to Sharing. A refusal may still take the number (SLO-9), and is told after that (SVC-21)."""
        lock, index = at or (grant.lock, grant.slot)
        self._change(lock, index, lambda record: service_record.publish(record, self.key, grant))

    def find(self, request: FindRequest, now: int) -> list[Grant]:
        """The grants that are shared with who asks; a share code's holder asks so as well."""
        verify_as("RequestSignature", request, request.subject)  # FND-1
        if request.service != self.key:
            raise RuleBroken("OtherService")  # FND-2
        answers.check_time(request, now)
        found = []
        for lock, index in list(self.store.values):
            if index is not None:
                _, record = self._read(lock, index)
                if record.grant is not None and record.grant.subject == request.subject:
                    found.append(record.grant)
        return found

    def release(self, lock: bytes, index: int, claim: Claim, install: Install) -> Release:
        """The point of no return, checked in the order SVC-16, SVC-8 to SVC-13."""
        self.check_serving(lock, index)
        answer = self._change(lock, index, lambda record: service_record.release(record, claim, install))
        return answer.signed(self.seed)  # SVC-4

    def check_serving(self, lock: bytes, index: int) -> None:
        """SVC-16, which a release asks before it decodes anything."""
        service_record.check_serving(self._read(lock, index)[1], self.key)

    def withdraw(self, order: Withdraw, at: Optional[Key] = None) -> Withdrawn:
        """Answered however often it comes (SLO-16)."""
        lock, index = at or (order.lock, order.slot)
        answer = self._change(lock, index, lambda record: service_record.withdraw(record, self.key, order))
        return answer.signed(self.seed)  # SVC-4

    # What the lock said

    def receipt(self, message: Receipt, at: Optional[Key] = None) -> None:
        """SVC-14, then the effects on the slot."""
        lock, index = at or (message.lock, message.slot)
        self._change(lock, index, lambda record: service_record.confirm(record, message))

    def done(self, message: Done, at: Optional[Key] = None) -> None:
        """SVC-14, then the effects on the slot. A Done of a Transfer is a statement of ownership."""
        lock, index = at or (message.lock, getattr(message.completed, "slot", 0))
        self._change(lock, index, lambda record: service_record.done(record, message))

    # What owners see

    def record(self, lock: bytes, index: int) -> tuple[int, ServiceRecord]:
        """The version of a record, and the record."""
        return self._read(lock, index)

    def view(self, lock: bytes, index: int) -> tuple[int, SlotRecord]:
        """SLO-4, SLO-5: the version of the record, and the record with its state and live generations."""
        version, record = self._read(lock, index)
        return version, record.slot

    def report(self, lock: bytes, index: int, request: ReportRequest, now: int) -> bytes:
        """The answer to who asks for a slot's report, of the record as it is read now (RPT-5)."""
        service_record.check_request(self._read(lock, index)[1], self.key, request, now)
        version, record = self.bring_along(lock, index)
        parts = [message.encode() for message in record.report(self.seed)]
        said = service_record.report(record, version, request, parts)
        return answers.join(said.signed(self.seed).encode(), parts)
