"""What the service keeps of one slot of one lock, and how it changes ("Service"): pure functions.

Each gives the record as it is to be stored, and what may be given once it is (SVC-4). The version is the
store's (SVC-20).
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any, Optional

from . import answers, messages, primitives, slot
from .errors import RuleBroken, verify_as
from .messages import (
    OWNER,
    Claim,
    Done,
    Grant,
    Install,
    Message,
    Provisioned,
    Receipt,
    Release,
    Report,
    ReportRequest,
    State,
    Transfer,
    Withdraw,
    Withdrawn,
    slots_of,
)
from .slot import SlotRecord


REMEMBERED = 16  # installs of a share that are known again (SVC-32)


@dataclass(frozen=True)
class Ownership:
    """What a statement of a lock said (SVC-1, SVC-16)."""

    epoch: int
    owner: bytes
    service: bytes
    # The first that said so (SVC-23, RPT-7).
    statement: "Optional[Provisioned | Done]" = field(default=None, compare=False)
    slots: int = field(default=255, compare=False)
    # SVS-8; ended by a statement of a later epoch, and changed by no other.
    restored: bool = field(default=False, compare=False)


@dataclass(frozen=True)
class Ended:
    """A grant that was published, is shared no more and is live; and the latest answer to its withdrawal."""

    grant: Grant
    withdrawn: Optional[Withdrawn] = None


@dataclass(frozen=True)
class ServiceRecord:
    """A slot's record with its ownership, and the messages that a report gives the owner."""

    lock: bytes
    index: int
    owned: Ownership
    slot: SlotRecord
    grant: Optional[Grant] = None  # the one that is shared, whole: for the guest, and for the claim's check
    ended: tuple["Ended", ...] = ()  # those that are shared no more and are live
    door: Optional[Done] = None  # of an Activate or a Deactivate; these three where they changed the record last
    inspected: Optional[Done] = None
    receipt: Optional[Receipt] = None
    withdrawn: Optional[Withdrawn] = None  # the latest that changed the slot, unsigned: signed once stored (SVC-4)
    released: tuple[bytes, ...] = ()  # digests of the share's installs that were released (SVC-32)
    follows: int = 0  # the version of the lock's record, where it is stored (SVC-30)

    @classmethod
    def fresh(cls, lock: bytes, index: int, owned: Ownership) -> "ServiceRecord":
        """SLO-1."""
        return cls(lock, index, owned, SlotRecord(owned.epoch))

    def with_slot(self, new: SlotRecord, **more: Any) -> "ServiceRecord":
        """The same with another slot. A grant that is not shared any more is kept as long as it is live (SVC-22)."""
        ended, grant = self.ended, self.grant
        if grant is not None and (new.share is None or new.share.grant != grant.digest()):
            ended, grant = (*ended, Ended(grant)), None
        ended = tuple(old for old in ended if new.live_grant(old.grant.generation, old.grant.digest()) is not None)
        shared, before = (None if of.share is None else of.share.grant for of in (new, self.slot))
        released = self.released if shared == before else ()
        return replace(self, slot=new, **{"grant": grant, "ended": ended, "released": released, **more})

    def answered(self, answer: Withdrawn) -> "ServiceRecord":
        """The same with an answer to a withdrawal."""
        named = answer.generation, answer.grant
        ended = tuple(
            replace(old, withdrawn=answer) if (old.grant.generation, old.grant.digest()) == named else old
            for old in self.ended
        )
        return replace(self, ended=ended, withdrawn=answer)

    def report(self, seed: bytes) -> list[Message]:
        """The messages of a report, in their order: a function of what is stored (RPT-6).

        The statement of ownership comes first (RPT-7).
        """
        kept: list[Optional[Message]] = [self.owned.statement, self.door, self.inspected, self.receipt]
        for old in self.ended:
            kept += [old.grant, old.withdrawn]
        kept += [self.grant]
        kept += [] if self.withdrawn in kept else [self.withdrawn]
        return [_signed(message, seed) for message in kept if message is not None]


def _signed(message: Message, seed: bytes) -> Message:
    """The service's own messages are kept unsigned."""
    return message.signed(seed) if isinstance(message, Withdrawn) else message


def said(statement: "Provisioned | Done") -> Ownership:
    """SVC-1 and SVC-19: what a statement of ownership says, signed by the lock that it names."""
    verify_as("OwnershipSignature", statement, statement.lock)
    told = statement
    if isinstance(statement, Done):
        told = statement.completed
        if not isinstance(told, Transfer):
            raise RuleBroken("NotATransfer")
    primitives.check_key_as("OwnerKey", told.owner)
    return Ownership(statement.epoch, told.owner, told.service, statement, slots_of(statement))


def check_new(owned: Ownership, service: bytes) -> None:
    """SVC-1: a new record is opened for this service only."""
    if owned.service != service:
        raise RuleBroken("OtherService")


def check_again(old: Ownership, new: Ownership) -> None:
    """SVC-2, SVC-17."""
    if new.epoch < old.epoch:
        raise RuleBroken("OldEpoch")
    if new.epoch == old.epoch and new != old:
        raise RuleBroken("Contradiction")


def _ours(record: ServiceRecord, lock: bytes, epoch: int, index: int) -> None:
    """Lock, epoch (SVC-3, SLO-39), slot."""
    if lock != record.lock:
        raise RuleBroken("WrongLock")
    if epoch != record.owned.epoch:
        raise RuleBroken("WrongEpoch")
    if index != record.index:
        raise RuleBroken("WrongSlot")


def known_slots(record: ServiceRecord) -> int:
    """The highest number of slots that the lock named to this record."""
    return max(record.owned.slots, slots_of(record.inspected) or 0)


def check_exists(record: ServiceRecord) -> None:
    """SVC-33."""
    told = max(record.slot.proven, record.slot.last_told)
    if record.index >= known_slots(record) and told == 0:
        raise RuleBroken("NoSuchSlot")


def check_serving(record: ServiceRecord, service: bytes) -> None:
    """SVC-16."""
    if record.owned.service != service:
        raise RuleBroken("Moved")
    if record.owned.restored:
        raise RuleBroken("Restored")  # SVC-29


def check_signer(message: "Grant | Withdraw | ReportRequest") -> None:
    """SVC-28."""
    if message.by != OWNER:
        raise RuleBroken("UnknownSigner")


def publish(record: ServiceRecord, service: bytes, grant: Grant) -> ServiceRecord:
    """NotShared to Sharing. A refusal may still take the number: `PublicationRefused.record` (SLO-9, SVC-21)."""
    check_signer(grant)
    verify_as("GrantSignature", grant, record.owned.owner)  # SVC-6
    _ours(record, grant.lock, grant.epoch, grant.slot)
    check_serving(record, service)
    check_exists(record)
    try:
        primitives.check_key_as("SubjectKey", grant.subject)  # SVC-18
    except RuleBroken as bad:
        raise slot.PublicationRefused(bad.name, slot.seen(record.slot, grant.generation)) from None
    if record.slot.share is not None and record.slot.share.grant == grant.digest():
        return record  # SVC-24
    with slot.as_role():
        return record.with_slot(slot.publish(record.slot, grant), grant=grant)


def release(record: ServiceRecord, claim: Claim, install: Install) -> tuple[ServiceRecord, Release]:
    """The point of no return: SVC-8 to SVC-13; the caller asked for SVC-16."""
    share = record.slot.share
    if share is None or record.grant is None:
        raise RuleBroken("NothingShared")
    if claim.grant != share.grant:
        raise RuleBroken("ClaimNamesOtherGrant")
    verify_as("ClaimSignature", claim, record.grant.subject)  # SVC-9
    if install.claim != claim.digest():
        raise RuleBroken("InstallNamesOtherClaim")  # SVC-10
    verify_as("InstallSignature", install, claim.device)  # SVC-11
    with slot.as_role():
        new = slot.release(record.slot, claim.grant, claim.device, install.digest())  # SVC-12, SVC-13
    live = record.slot.live_grant(record.grant.generation, record.grant.digest())
    if install.digest() in record.released or live is not None and live.install == install.digest():
        return record, Release(install.digest())  # SVC-32
    released = (*record.released, install.digest())[-REMEMBERED:]
    return record.with_slot(new, released=released), Release(install.digest())


def withdraw(record: ServiceRecord, service: bytes, order: Withdraw) -> tuple[ServiceRecord, Withdrawn]:
    """Answered however often it comes (SLO-16)."""
    check_signer(order)
    verify_as("WithdrawSignature", order, record.owned.owner)  # SVC-7
    _ours(record, order.lock, order.epoch, order.slot)
    check_serving(record, service)
    new, outcome = slot.withdraw(record.slot, order)
    answer = Withdrawn(
        order.lock, order.epoch, order.by, order.slot, order.generation, order.grant, order.auth, outcome
    )
    after = record.with_slot(new)
    named = order.generation, order.grant
    lacking = any((old.grant.generation, old.grant.digest()) == named and old.withdrawn is None for old in after.ended)
    return after.answered(answer) if new != record.slot or lacking else record, answer


def check_request(record: ServiceRecord, service: bytes, request: ReportRequest, now: int) -> None:
    """Whether a request for a report is answered: SVC-16, RPT-2, the lock, RPT-3, the slot, RPT-4."""
    check_serving(record, service)
    check_signer(request)
    verify_as("RequestSignature", request, record.owned.owner)  # RPT-2
    if request.lock != record.lock:
        raise RuleBroken("WrongLock")
    if request.epoch > record.owned.epoch:
        raise RuleBroken("WrongEpoch")  # RPT-3: a phone that was away may know an earlier one
    if request.slot != record.index:
        raise RuleBroken("WrongSlot")
    answers.check_time(request, now)


def report(record: ServiceRecord, version: int, request: ReportRequest, parts: list[bytes]) -> Report:
    """What is said of a record and its messages, to be signed."""
    state = State[record.slot.state]
    slots = known_slots(record)  # RPT-17
    place = (request.digest(), record.lock, record.owned.epoch, record.index)
    return Report(*place, version, state, slots, answers.content(parts))


def confirm(record: ServiceRecord, message: Receipt) -> ServiceRecord:
    """SVC-14, then the effects on the slot."""
    verify_as("ReceiptSignature", message, record.lock)
    _ours(record, message.lock, message.epoch, message.slot)
    return _told(record, slot.receipt(record.slot, message), receipt=message)


def done(record: ServiceRecord, message: Done) -> ServiceRecord:
    """SVC-14, then the effects on the slot. A Done of a Transfer is a statement of ownership."""
    verify_as("DoneSignature", message, record.lock)
    if not hasattr(message.completed, "slot"):
        raise RuleBroken("NotOfASlot")
    _ours(record, message.lock, message.epoch, message.completed.slot)
    kind = "door" if isinstance(message.completed, messages.TURNS) else "inspected"
    return _told(record, completed_effect(record.slot, message), **{kind: message})


def _told(record: ServiceRecord, new: SlotRecord, **message: Message) -> ServiceRecord:
    """A message that changed nothing is not kept."""
    return record if new == record.slot else record.with_slot(new, **message)


def completed_effect(record: SlotRecord, done: Done) -> SlotRecord:
    """The effect of what a Done of this slot says was completed."""
    completed = done.completed
    if isinstance(completed, messages.TURNS):
        return slot.done_number(record, completed.generation, isinstance(completed, messages.Activated))
    return slot.done_inspect(record, completed.left, done.digest())
