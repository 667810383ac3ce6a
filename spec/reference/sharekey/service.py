"""The service ("Service"): it orders releases and withdrawals, and holds no secret but its own key.

The store is a dictionary with compare-and-swap. There are two kinds of records: one of ownership for each
lock, and one for each lock and slot.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any, Optional

from . import messages, primitives, slot
from .errors import KeyRefused, RuleBroken, SharekeyError, SignatureRefused
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
        """SVC-1, SVC-2, SVC-17: a Provisioned or the Done of a Transfer, signed by the lock it names."""
        statement.verify(statement.lock)
        if isinstance(statement, Provisioned):
            new = Ownership(statement.epoch, statement.owner, statement.service)
        elif isinstance(statement.completed, Transfer):
            new = Ownership(statement.epoch, statement.completed.owner, statement.completed.service)
        else:
            raise RuleBroken("SVC-1", "no statement of ownership")
        version, old = self.store.get((statement.lock, None))
        if old is None and new.service != self.key:
            raise RuleBroken("SVC-1", "another service's lock")
        if old is not None and new.epoch < old.epoch:
            raise RuleBroken("SVC-2", "an older epoch")
        if old is not None and new.epoch == old.epoch and new != old:
            raise RuleBroken("SVC-17", "the epoch has other keys")
        if new != old:
            self._swap((statement.lock, None), version, new)

    def _ownership(self, lock: bytes, epoch: int) -> Ownership:
        """The ownership under which a message is to be taken (SVC-1, SVC-3, SVC-16)."""
        _, owned = self.store.get((lock, None))
        if owned is None:
            raise RuleBroken("SVC-1", "a lock without a statement of ownership")
        if owned.service != self.key:
            raise RuleBroken("SVC-16", "the lock has another service now")
        if owned.epoch != epoch:
            raise RuleBroken("SVC-3", "another epoch")
        return owned

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
        """NotShared to Sharing. A refusal may still take the number (SLO-9)."""
        owned = self._ownership(grant.lock, grant.epoch)
        grant.verify(owned.owner)  # SVC-6
        key = (grant.lock, grant.slot)
        version, value = self._read(grant.lock, grant.slot, grant.epoch)
        try:
            self._check_subject(grant, value.slot)
            new = slot.publish(value.slot, grant)
        except slot.PublicationRefused as refused:
            self._swap(key, version, replace(value, slot=refused.record))
            raise
        self._swap(key, version, Published(new, grant))

    @staticmethod
    def _check_subject(grant: Grant, record: SlotRecord) -> None:
        """SVC-18."""
        try:
            primitives.check_public_key(grant.subject)
        except KeyRefused:
            raise slot.PublicationRefused("SVC-18", slot.seen(record, grant.generation)) from None

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
        """The point of no return, checked in the order SVC-8 to SVC-13."""
        _, owned = self.store.get((lock, None))
        self._ownership(lock, owned.epoch if owned is not None else 0)
        version, value = self._read(lock, index, owned.epoch)
        share = value.slot.share
        if share is None or value.grant is None or claim.grant != share.grant:
            raise RuleBroken("SVC-8", "the claim names another grant")
        _verify_as("SVC-9", claim, value.grant.subject)
        if install.claim != claim.digest():
            raise RuleBroken("SVC-10", "the install names another claim")
        _verify_as("SVC-11", install, claim.device)
        new = slot.release(value.slot, claim.grant, claim.device, install.digest())  # SVC-12, SVC-13
        self._swap((lock, index), version, replace(value, slot=new))
        return Release(install.digest()).signed(self.seed)  # SVC-4

    def withdraw(self, order: Withdraw) -> Withdrawn:
        """Answered however often it comes (SLO-16)."""
        owned = self._ownership(order.lock, order.epoch)
        order.verify(owned.owner)  # SVC-7
        version, value = self._read(order.lock, order.slot, order.epoch)
        new, outcome = slot.withdraw(value.slot, order)
        self._swap((order.lock, order.slot), version, Published(new, value.grant if new.share else None))
        answer = Withdrawn(order.lock, order.epoch, order.slot, order.generation, order.grant, outcome)
        return answer.signed(self.seed)  # SVC-4

    # What the lock said

    def receipt(self, message: Receipt) -> None:
        """SVC-14, then the effects on the slot."""
        message.verify(message.lock)
        self._change(message.lock, message.epoch, message.slot, lambda record: slot.receipt(record, message))

    def done(self, message: Done) -> None:
        """SVC-14, then the effects on ownership or slot."""
        message.verify(message.lock)
        completed = message.completed
        if isinstance(completed, Transfer):
            self.open(message)
        elif isinstance(completed, (messages.Activated, messages.Deactivated, messages.Inspected)):
            self._change(
                message.lock, message.epoch, completed.slot, lambda record: completed_effect(record, completed)
            )

    def _change(self, lock: bytes, epoch: int, index: int, effect: Any) -> None:
        """SLO-39: what is of another epoch than the record's changes nothing."""
        _, owned = self.store.get((lock, None))
        if owned is None:
            raise RuleBroken("SVC-1", "a lock without a statement of ownership")
        if owned.epoch != epoch:
            return
        version, value = self._read(lock, index, epoch)
        new = effect(value.slot)
        self._swap((lock, index), version, Published(new, value.grant if new.share else None))

    def view(self, lock: bytes, index: int) -> tuple[int, SlotRecord]:
        """SLO-4, SLO-5: the version of the record, and the record with its state and live generations."""
        _, owned = self.store.get((lock, None))
        version, value = self._read(lock, index, owned.epoch)
        return version, value.slot


def completed_effect(record: SlotRecord, completed: Any) -> SlotRecord:
    """The effect of what a Done says was completed."""
    if isinstance(completed, messages.Inspected):
        return slot.done_inspect(record, completed.left)
    return slot.done_number(record, completed.generation, isinstance(completed, messages.Activated))


def _verify_as(name: str, message: Any, key: bytes) -> None:
    """A signature check that is one of a numbered order."""
    try:
        message.verify(key)
    except SignatureRefused as bad:
        raise RuleBroken(name, str(bad)) from None
