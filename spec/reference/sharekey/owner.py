"""The owner ("Owner"): signs grants, withdrawals and commands, and believes what the lock signed.

Whatever takes a number is staged: `grant` and `command` return an Order, the caller stores the owner as
`stored` leaves it, and only then has the message (OWN-8).
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any, Optional, Union

from . import messages, primitives, slot
from .contacts import Contact
from .errors import RuleBroken, verify_as
from .limits import YEAR_10000, Limits
from .messages import (
    OWNER,
    Activate,
    Challenge,
    Command,
    Deactivate,
    Done,
    Grant,
    Installed,
    NeverReleased,
    Provision,
    Provisioned,
    Receipt,
    Refused,
    Released,
    SetClock,
    Report,
    Transfer,
    Withdraw,
    Withdrawn,
)
from .service_record import completed_effect
from .slot import SlotRecord

GrantRef = tuple[int, bytes]  # the generation and the digest of a grant


@dataclass(frozen=True)
class Provisioning:
    """A Provision that is under way, and what its answer is checked with."""

    seed: bytes
    secret: bytes
    lock: bytes
    provision: Provision


def provision(seed: bytes, secret: bytes, service: bytes, challenge: Challenge, owner_nonce: bytes) -> Provisioning:
    """Makes the lock with this card ours. The owner nonce is fresh (OWN-4)."""
    primitives.check_key_as("LockKey", challenge.lock)
    primitives.check_key_as("ServiceKey", service)
    message = Provision(challenge.nonce, owner_nonce, primitives.public_key(seed), service)
    return Provisioning(seed, secret, challenge.lock, message.tagged(secret))


def provisioned(under_way: Provisioning, answer: Provisioned) -> "Owner":
    """OWN-1, OWN-22, OWN-21, OWN-3, OWN-2."""
    verify_as("ProvisionedSignature", answer, under_way.lock)
    if answer.lock != under_way.lock:
        raise RuleBroken("WrongLock")
    if answer.epoch != 1:
        raise RuleBroken("WrongEpoch")
    sent = under_way.provision
    if answer.owner != sent.owner:
        raise RuleBroken("WrongOwner")
    if answer.service != sent.service:
        raise RuleBroken("WrongService")
    if answer.card != messages.card_tag(under_way.secret, sent.digest(), answer.lock):
        raise RuleBroken("CardTag", "the card tag does not verify")
    return Owner(under_way.seed, answer.lock, answer.epoch, answer.service, answer.slots)  # OWN-16: of no slot


def adopted(seed: bytes, lock: bytes, service: bytes, statement: "Done | Provisioned") -> "Owner":
    """An owner without a view takes up a statement of ownership (OWN-44; OWN-12: every slot begins afresh; OWN-20)."""
    verify_as("DoneSignature" if isinstance(statement, Done) else "ProvisionedSignature", statement, lock)
    if statement.lock != lock:
        raise RuleBroken("WrongLock")
    begun = statement.completed if isinstance(statement, Done) else statement
    if not isinstance(begun, (Transfer, Provisioned)):
        raise RuleBroken("NotATransfer")
    if isinstance(begun, Provisioned) and begun.epoch != 1:
        raise RuleBroken("WrongEpoch")
    if begun.owner != primitives.public_key(seed):
        raise RuleBroken("WrongOwner")
    if begun.service != service:
        raise RuleBroken("WrongService")
    return Owner(seed, lock, statement.epoch, begun.service, begun.slots)


def check_signer(message: "Grant | Withdrawn") -> None:
    """OWN-32."""
    if message.by != OWNER:
        raise RuleBroken("UnknownSigner")


@dataclass(frozen=True)
class AsOf:
    """As of when a view is true: the version of the latest report, and when its request was signed (SLO-5, RPT-16)."""

    version: int
    time: int


@dataclass(frozen=True)
class OwnerSlot:
    """What the owner keeps of one slot in this epoch."""

    record: SlotRecord
    version: int = 0  # counts the changes here, so that an order is not stored over another
    as_of: Optional[AsOf] = None
    report: Optional[Report] = None  # the latest (OWN-27)
    contradiction: Optional[tuple[Report, Report]] = None  # two of one version that differ (RPT-15)
    answered: frozenset[GrantRef] = frozenset()  # whose withdrawal was answered, unless proved dead (OWN-17)
    denials: dict[GrantRef, Withdrawn] = field(default_factory=dict)  # that a grant was never released
    releases: dict[GrantRef, "Receipt | Done | Withdrawn"] = field(default_factory=dict)  # that it was


@dataclass(frozen=True)
class Order:
    """A message that does not exist for anybody else before the owner is stored (OWN-8)."""

    index: Optional[int]
    base: int
    after: Optional[OwnerSlot]
    message: Union[Grant, Command]


@dataclass(frozen=True)
class Equivocation:
    """OWN-11, OWN-23: the service said never released, and the lock, or itself, that it was."""

    withdrawn: Withdrawn
    proof: "Receipt | Done | Withdrawn"


@dataclass
class Owner:
    """An owner of one lock, in one epoch."""

    seed: bytes
    lock: bytes
    epoch: int
    service: bytes
    slot_count: int = 1  # how many the lock has (RPT-18)
    slots: dict[int, OwnerSlot] = field(default_factory=dict)
    commands: dict[bytes, Command] = field(default_factory=dict)  # by digest: those without an answer
    equivocations: list[Equivocation] = field(default_factory=list)
    convicts: Optional[Equivocation] = None  # the one that the latest message is about (OWN-40)
    gone: bool = False  # the lock was transferred to somebody else

    @property
    def key(self) -> bytes:
        """The owner's public key."""
        return primitives.public_key(self.seed)

    def slot(self, index: int) -> OwnerSlot:
        """A slot; one never heard of is as in a new epoch (SLO-1)."""
        return self.slots.get(index, OwnerSlot(SlotRecord(self.epoch)))

    def view(self, index: int) -> tuple[Optional[AsOf], SlotRecord]:
        """SLO-4, SLO-5: as of which report, and the record with its state and its live generations."""
        kept = self.slot(index)
        return kept.as_of, kept.record

    def nobody_can_open(self, index: int) -> Optional[int]:
        """The moment as of which that is known; only a report tells (RPT-16)."""
        kept = self.slot(index)
        return None if kept.as_of is None or kept.record.live else kept.as_of.time

    def count(self, slots: Optional[int]) -> None:
        """RPT-18: the highest number of slots that was named."""
        self.slot_count = max(self.slot_count, slots or 0)

    def check_owned(self) -> None:
        """Nothing is signed or taken in for a lock that is somebody else's."""
        if self.gone:
            raise RuleBroken("Transferred")

    def _put(self, index: int, new: OwnerSlot) -> None:
        old = self.slot(index)
        record = new.record
        live = {(entry.generation, entry.grant) for entry in record.live}
        kept = {key for key in new.answered if key[0] > record.proven or key in live}
        new = replace(new, answered=frozenset(kept))
        if new != old:
            self.slots[index] = replace(new, version=old.version + 1)

    def _put_record(self, index: int, record: SlotRecord) -> None:
        self._put(index, replace(self.slot(index), record=record))

    def check_slot(self, index: int) -> None:
        """OWN-42."""
        if index >= self.slot_count:
            raise RuleBroken("NoSuchSlot")

    # Orders

    def grant(self, index: int, subject: Union[bytes, Contact], rights: int, limits: Limits) -> Order:
        """Signs a grant with the next number; shown as Sharing and live from now on (OWN-9, OWN-14, CON-4)."""
        self.check_owned()
        self.check_slot(index)
        key = subject.key if isinstance(subject, Contact) else subject
        primitives.check_key_as("SubjectKey", key)
        limits.check(rights)
        kept = self.slot(index)
        number = self.next_number(index)
        message = Grant(self.lock, self.epoch, OWNER, index, number, key, rights, limits).signed(self.seed)
        with slot.as_role():
            record = slot.note_live(slot.publish(kept.record, message), number, message.digest())
        return Order(index, kept.version, replace(kept, record=record), message)

    def command(self, operation: Any, challenge: Challenge, owner_nonce: bytes) -> Order:
        """Signs a command for one attempt. The owner nonce is fresh (OWN-4).

        The operation of an Activate or Deactivate has the number that `next_number` gave.
        """
        if isinstance(operation, SetClock) and operation.to >= YEAR_10000:
            raise RuleBroken("Limits.FarAway", "LIM-19")
        if isinstance(operation, Transfer):
            primitives.check_key_as("OwnerKey", operation.owner)
            primitives.check_key_as("ServiceKey", operation.service)
        self.check_owned()
        if challenge.lock != self.lock:
            raise RuleBroken("WrongLock", "a challenge of another lock")
        command = Command(self.lock, self.epoch, OWNER, challenge.nonce, owner_nonce, operation).signed(self.seed)
        if not isinstance(operation, (Activate, Deactivate)):
            return Order(None, 0, None, command)
        kept = self.slot(operation.slot)
        if operation.generation <= kept.record.highest:
            raise RuleBroken("SLO-6", "the number was seen before")
        after = replace(kept, record=slot.seen(kept.record, operation.generation))
        return Order(operation.slot, kept.version, after, command)

    def next_number(self, index: int) -> int:
        """SLO-6."""
        with slot.as_role():
            return slot.next_number(self.slot(index).record)

    def stored(self, order: Order) -> Union[Grant, Command]:
        """Takes the order's state over; the caller stores it before the message goes anywhere (OWN-8)."""
        if order.index is not None and order.after is not None:
            if self.slot(order.index).version != order.base:
                raise RuleBroken("SLO-6", "the slot has changed since; order again")
            self._put(order.index, order.after)
        if isinstance(order.message, Command):
            self.commands[order.message.digest()] = order.message
        return order.message

    def withdraw(self, index: int, generation: int, grant: bytes) -> Withdraw:
        """Takes a live grant back. It takes no number; the view changes with the answer (OWN-9)."""
        self.check_owned()
        if self.slot(index).record.live_grant(generation, grant) is None:
            raise RuleBroken("UnknownGrant")
        return Withdraw(self.lock, self.epoch, OWNER, index, generation, grant).signed(self.seed)

    # What the service said

    def withdrawn(self, message: Withdrawn) -> None:
        """The one message of the service that changes a view (OWN-7, OWN-10)."""
        self.check_owned()
        verify_as("WithdrawnSignature", message, self.service)
        self._ours(message.lock, message.epoch)
        check_signer(message)
        verify_as("WithdrawSignature", message.asked(), self.key)  # OWN-31
        kept = self.slot(message.slot)
        key = (message.generation, message.grant)
        with slot.as_role():
            record = slot.answered(kept.record, message)
        kept = replace(kept, record=record, answered=kept.answered | {key})
        if isinstance(message.outcome, NeverReleased):
            kept = replace(kept, denials={key: message, **kept.denials})  # OWN-39
        elif isinstance(message.outcome, Released):
            kept = replace(kept, releases={key: message, **kept.releases})
        self._put(message.slot, kept)
        self._compare(message.slot, key)

    def learn(self, grant: Grant) -> None:
        """A grant that another phone of this owner signed (OWN-26, OWN-17, OWN-18, OWN-14)."""
        self.check_owned()
        check_signer(grant)
        verify_as("GrantSignature", grant, self.key)
        self._ours(grant.lock, grant.epoch)
        kept = self.slot(grant.slot)
        key = (grant.generation, grant.digest())
        if key not in kept.denials or kept.record.live_grant(*key) is not None:
            with slot.as_role():
                self._put_record(grant.slot, slot.learn(kept.record, *key, key in kept.answered))
        self._compare(grant.slot, key)

    def take_in(self, message: Any) -> None:
        """Whatever teaches an owner something; a transfer to another service does not, without more (RPT-13)."""
        take = {Grant: self.learn, Done: self.learn_done, Receipt: self.receipt, Withdrawn: self.withdrawn}
        self.check_owned()
        if type(message) not in take:
            raise RuleBroken("NothingToLearn")
        take[type(message)](message)

    # What the lock said

    def receipt(self, message: Receipt) -> None:
        """OWN-6, then the effects on the slot."""
        self.check_owned()
        verify_as("ReceiptSignature", message, self.lock)
        self._ours(message.lock, message.epoch)
        self._put_record(message.slot, slot.receipt(self.slot(message.slot).record, message))
        self._proof(message.slot, (message.generation, message.grant), message)

    def done(self, message: Done) -> Optional[Command]:
        """OWN-6, then the effects; returns the command that it answers, if it is one of ours (OWN-5, OWN-30).

        Only for a Done of which the owner knows the service that it may name: by its own order, say (RPT-13).
        """
        self._check_done(message)
        return self._carried_out(message)

    def learn_done(self, message: Done) -> Optional[Command]:
        """One that others passed on: a Transfer to another service is refused (RPT-13)."""
        self._check_done(message)
        if isinstance(message.completed, Transfer) and message.completed.service != self.service:
            raise RuleBroken("WrongService")
        return self._carried_out(message)

    def moved(self, message: Done, service: bytes) -> Optional[Command]:
        """A Transfer to this service, which the owner knows from elsewhere (RPT-13)."""
        self._check_done(message)
        if not isinstance(message.completed, Transfer):
            raise RuleBroken("NotATransfer")
        if message.completed.service != service:
            raise RuleBroken("WrongService")
        return self._carried_out(message)

    def _carried_out(self, message: Done) -> Optional[Command]:
        if message.command in self.commands:
            self._check_answers(message)
        completed = message.completed
        self.count(messages.slots_of(message))
        if isinstance(completed, Transfer):
            self._transfer(message)
        elif hasattr(completed, "slot"):
            self._put_record(completed.slot, completed_effect(self.slot(completed.slot).record, message))
            left = completed.left
            if not isinstance(completed, messages.TURNS) and isinstance(left.holding, Installed):
                self._proof(completed.slot, (left.floor, left.holding.grant), message)
        return self.commands.pop(message.command, None)

    def _check_done(self, message: Done) -> None:
        """OWN-6, the lock, and the epoch: the view's, or for a Transfer a later one (SLO-39)."""
        self.check_owned()
        verify_as("DoneSignature", message, self.lock)
        if message.lock != self.lock:
            raise RuleBroken("WrongLock")
        if isinstance(message.completed, Transfer):
            if message.epoch <= self.epoch:
                raise RuleBroken("OldEpoch")
        elif message.epoch != self.epoch:
            raise RuleBroken("WrongEpoch")

    def answer(self, message: Done) -> Command:
        """The same for a Done that is to be the answer to a command of ours."""
        self.check_owned()
        verify_as("DoneSignature", message, self.lock)
        if message.lock != self.lock:
            raise RuleBroken("WrongLock")
        if message.command not in self.commands:
            raise RuleBroken("OtherCommand")  # OWN-5
        self._check_answers(message)
        return self.done(message)

    def _check_answers(self, message: Done) -> None:
        """OWN-30: an epoch that the operation can leave (OPR-15), and the operation."""
        command = self.commands[message.command]
        transfers = isinstance(command.operation, Transfer)
        if transfers and command.epoch == 2**32 - 1:
            raise RuleBroken("Exhausted")
        if not (message.epoch > command.epoch if transfers else message.epoch == command.epoch):
            raise RuleBroken("WrongEpoch")
        if messages.operation_of(message.completed) != command.operation:
            raise RuleBroken("OtherOperation")

    def _transfer(self, message: Done) -> None:
        """A new epoch: ours again with every slot afresh (SLO-1), or somebody else's."""
        self.gone = message.completed.owner != self.key
        self.epoch, self.service, self.slots = message.epoch, message.completed.service, {}

    def refused(self, message: Refused) -> Optional[Command]:
        """The command that the lock refused; None for an opaque one, which says nothing (OWN-13)."""
        if message.opaque:
            return None
        verify_as("RefusalSignature", message, self.lock)
        return self.commands.pop(message.request, None)

    # Helpers

    def _ours(self, lock: bytes, epoch: int) -> None:
        if lock != self.lock:
            raise RuleBroken("WrongLock")
        if epoch != self.epoch:
            raise RuleBroken("WrongEpoch")

    def _proof(self, index: int, key: GrantRef, proof: Union[Receipt, Done]) -> None:
        kept = self.slot(index)
        if key not in kept.releases:
            self._put(index, replace(kept, releases={**kept.releases, key: proof}))
        self._compare(index, key)

    def _compare(self, index: int, key: GrantRef) -> None:
        """OWN-11, OWN-23."""
        kept = self.slot(index)
        denial, release = kept.denials.get(key), kept.releases.get(key)
        if denial is None or release is None:
            return
        self.convicts = found = Equivocation(denial, release)
        if found not in self.equivocations:
            self.equivocations.append(found)
