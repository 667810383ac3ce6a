"""The service ("Service"): it orders releases and withdrawals, and holds no secret but its own key.

The store is a dictionary with compare-and-swap. There are two kinds of records: one of ownership for each
lock, and one for each lock and slot.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any, Optional

from . import messages, primitives, slot
from .errors import RuleBroken, SharekeyError, verify_as
from .messages import Claim, Done, Grant, Install, Provisioned, Receipt, Release, Transfer, Withdraw, Withdrawn
from .slot import SlotRecord

Key = tuple[bytes, Optional[int]]  # a lock id, and a slot or None for the ownership


@dataclass(frozen=True)
class Ownership:
    """What the latest statement of a lock said (SVC-1, SVC-16)."""

    epoch: int
    owner: bytes
    service: bytes


@dataclass(frozen=True)
class Published:
    """A slot's record and the grant that is shared, whole, for the guest and for the claim's check."""

    slot: SlotRecord
    grant: Optional[Grant] = None


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
        """SVC-1, SVC-2, SVC-17, SVC-19: a Provisioned or the Done of a Transfer, signed by the lock it names."""
        verify_as("OwnershipSignature", statement, statement.lock)
        if isinstance(statement, Provisioned):
            new = Ownership(statement.epoch, statement.owner, statement.service)
        elif isinstance(statement.completed, Transfer):
            new = Ownership(statement.epoch, statement.completed.owner, statement.completed.service)
        else:
            raise RuleBroken("NotATransfer")
        primitives.check_key_as("OwnerKey", new.owner)
        version, old = self.store.get((statement.lock, None))
        if old is None and new.service != self.key:
            raise RuleBroken("OtherService")
        if old is not None and new.epoch < old.epoch:
            raise RuleBroken("OldEpoch")
        if old is not None and new.epoch == old.epoch and new != old:
            raise RuleBroken("Contradiction")
        if new != old:
            self._swap((statement.lock, None), version, new)

    def _owned(self, lock: bytes) -> Ownership:
        """The ownership of a lock. Without one there is no record to act on (SVC-1)."""
        _, owned = self.store.get((lock, None))
        if owned is None:
            raise RuleBroken("SVC-1", "a lock without a statement of ownership")
        return owned

    def _of_epoch(self, owned: Ownership, epoch: int) -> None:
        if owned.epoch != epoch:
            raise RuleBroken("WrongEpoch")  # SVC-3, SLO-39

    def _serving(self, owned: Ownership) -> None:
        if owned.service != self.key:
            raise RuleBroken("Moved")  # SVC-16

    def _read(self, lock: bytes, index: int, epoch: int) -> tuple[int, Published]:
        """The record of a slot; one of an older epoch reads as a fresh one of this (SLO-1)."""
        version, value = self.store.get((lock, index))
        if value is None or value.slot.epoch < epoch:
            value = Published(SlotRecord(epoch))
        return version, value

    def _swap(self, key: Key, version: int, value: Any) -> None:
        if not self.store.swap(key, version, value):
            raise Lost()

    # Grants

    def publish(self, grant: Grant) -> None:
        """NotShared to Sharing. A refusal may still take the number (SLO-9), and is told after that (SVC-21)."""
        owned = self._owned(grant.lock)
        verify_as("GrantSignature", grant, owned.owner)  # SVC-6
        self._of_epoch(owned, grant.epoch)
        self._serving(owned)
        key = (grant.lock, grant.slot)
        version, value = self._read(grant.lock, grant.slot, grant.epoch)
        try:
            self._check_subject(grant, value.slot)
            with slot.as_role():
                new = slot.publish(value.slot, grant)
        except slot.PublicationRefused as refused:
            if refused.record != value.slot:
                self._swap(key, version, replace(value, slot=refused.record))
            raise
        self._swap(key, version, Published(new, grant))

    @staticmethod
    def _check_subject(grant: Grant, record: SlotRecord) -> None:
        """SVC-18."""
        try:
            primitives.check_key_as("SubjectKey", grant.subject)
        except RuleBroken as bad:
            raise slot.PublicationRefused(bad.name, slot.seen(record, grant.generation)) from None

    def find(self, subject: bytes) -> list[Grant]:
        """The grants that are shared with a subject; a share code's holder asks so as well."""
        found = []
        for (lock, index), (_, value) in self.store.values.items():
            if index is not None and value.grant is not None and value.slot.share is not None:
                _, owned = self.store.get((lock, None))
                if value.grant.subject == subject and value.slot.epoch == owned.epoch:
                    found.append(value.grant)
        return found

    def release(self, lock: bytes, index: int, claim: Claim, install: Install) -> Release:
        """The point of no return, checked in the order SVC-16, SVC-8 to SVC-13."""
        owned = self._owned(lock)
        self._serving(owned)
        version, value = self._read(lock, index, owned.epoch)
        share = value.slot.share
        if share is None or value.grant is None:
            raise RuleBroken("NothingShared")
        if claim.grant != share.grant:
            raise RuleBroken("ClaimNamesOtherGrant")
        verify_as("ClaimSignature", claim, value.grant.subject)
        if install.claim != claim.digest():
            raise RuleBroken("InstallNamesOtherClaim")
        verify_as("InstallSignature", install, claim.device)
        with slot.as_role():
            new = slot.release(value.slot, claim.grant, claim.device, install.digest())  # SVC-12, SVC-13
        self._swap((lock, index), version, replace(value, slot=new))
        return Release(install.digest()).signed(self.seed)  # SVC-4

    def withdraw(self, order: Withdraw) -> Withdrawn:
        """Answered however often it comes (SLO-16)."""
        owned = self._owned(order.lock)
        verify_as("WithdrawSignature", order, owned.owner)  # SVC-7
        self._of_epoch(owned, order.epoch)
        self._serving(owned)
        version, value = self._read(order.lock, order.slot, order.epoch)
        new, outcome = slot.withdraw(value.slot, order)
        self._swap((order.lock, order.slot), version, Published(new, value.grant if new.share else None))
        answer = Withdrawn(order.lock, order.epoch, order.slot, order.generation, order.grant, outcome)
        return answer.signed(self.seed)  # SVC-4

    # What the lock said

    def receipt(self, message: Receipt) -> None:
        """SVC-14, then the effects on the slot."""
        owned = self._owned(message.lock)
        verify_as("ReceiptSignature", message, message.lock)
        self._change(owned, message, message.slot, lambda record: slot.receipt(record, message))

    def done(self, message: Done) -> None:
        """SVC-14, then the effects on the slot. A Done of a Transfer goes to `open`."""
        owned = self._owned(message.lock)
        verify_as("DoneSignature", message, message.lock)
        if not hasattr(message.completed, "slot"):
            raise RuleBroken("NotOfASlot")
        self._change(owned, message, message.completed.slot, lambda record: completed_effect(record, message))

    def _change(self, owned: Ownership, message: "Receipt | Done", index: int, effect: Any) -> None:
        self._of_epoch(owned, message.epoch)
        version, value = self._read(message.lock, index, message.epoch)
        new = effect(value.slot)
        self._swap((message.lock, index), version, Published(new, value.grant if new.share else None))

    def view(self, lock: bytes, index: int) -> tuple[int, SlotRecord]:
        """SLO-4, SLO-5: the version of the record, and the record with its state and live generations."""
        _, owned = self.store.get((lock, None))
        version, value = self._read(lock, index, owned.epoch)
        return version, value.slot


def completed_effect(record: SlotRecord, done: Done) -> SlotRecord:
    """The effect of what a Done of this slot says was completed."""
    completed = done.completed
    if isinstance(completed, messages.Inspected):
        return slot.done_inspect(record, completed.left, done.digest())
    return slot.done_number(record, completed.generation, isinstance(completed, messages.Activated))
