"""The owner ("Owner"): signs grants, withdrawals and commands, and believes what the lock signed.

Whatever takes a number is staged: `grant` and `command` return an Order, the caller stores the owner as
`stored` leaves it, and only then has the message (OWN-8).
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any, Optional, Union

from . import messages, primitives, slot
from .contacts import Contact
from .errors import RuleBroken
from .limits import Limits
from .messages import (
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
    Transfer,
    Withdraw,
    Withdrawn,
)
from .service import completed_effect
from .slot import Live, Share, SlotRecord


@dataclass(frozen=True)
class Provisioning:
    """A Provision that is under way, and what its answer is checked with."""

    seed: bytes
    secret: bytes
    provision: Provision


def provision(seed: bytes, secret: bytes, service: bytes, challenge: Challenge, owner_nonce: bytes) -> Provisioning:
    """Makes the lock with this card ours. The owner nonce is fresh (OWN-4)."""
    message = Provision(challenge.nonce, owner_nonce, primitives.public_key(seed), service)
    return Provisioning(seed, secret, message.tagged(secret))


def provisioned(under_way: Provisioning, answer: Provisioned) -> "Owner":
    """OWN-1, OWN-2, OWN-3."""
    answer.verify(answer.lock)
    sent = under_way.provision
    if answer.card != messages.card_tag(under_way.secret, sent.digest(), answer.lock):
        raise RuleBroken("OWN-2", "the card tag does not verify")
    if (answer.owner, answer.service) != (sent.owner, sent.service):
        raise RuleBroken("OWN-3", "other keys")
    return Owner(under_way.seed, answer.lock, answer.epoch, answer.service)


def transferred(seed: bytes, lock: bytes, done: Done) -> "Owner":
    """A new owner takes up a lock by the Done of the transfer (OWN-12: every slot begins afresh)."""
    done.verify(lock)
    if done.lock != lock:
        raise RuleBroken("OWN-6", "another lock")
    if not isinstance(done.completed, Transfer) or done.completed.owner != primitives.public_key(seed):
        raise RuleBroken("OWN-12", "no transfer to this owner")
    return Owner(seed, lock, done.epoch, done.completed.service)


@dataclass(frozen=True)
class OwnerSlot:
    """What the owner keeps of one slot in this epoch."""

    record: SlotRecord
    version: int = 0
    answered: dict[bytes, Withdrawn] = field(default_factory=dict)  # by grant: the answer to its withdrawal
    proofs: dict[bytes, Union[Receipt, Done]] = field(default_factory=dict)  # by grant: that it was installed


@dataclass(frozen=True)
class Order:
    """A message that does not exist for anybody else before the owner is stored (OWN-8)."""

    index: Optional[int]
    base: int
    after: Optional[OwnerSlot]
    message: Union[Grant, Command]


@dataclass(frozen=True)
class Equivocation:
    """OWN-11: the service said never released, the lock said installed."""

    withdrawn: Withdrawn
    proof: Union[Receipt, Done]


@dataclass
class Owner:
    """An owner of one lock, in one epoch."""

    seed: bytes
    lock: bytes
    epoch: int
    service: bytes
    slots: dict[int, OwnerSlot] = field(default_factory=dict)
    commands: dict[bytes, Command] = field(default_factory=dict)  # by digest: those without an answer
    equivocations: list[Equivocation] = field(default_factory=list)
    gone: bool = False  # the lock was transferred to somebody else

    @property
    def key(self) -> bytes:
        """The owner's public key."""
        return primitives.public_key(self.seed)

    def slot(self, index: int) -> OwnerSlot:
        """A slot; one never heard of is as in a new epoch (SLO-1)."""
        return self.slots.get(index, OwnerSlot(SlotRecord(self.epoch)))

    def view(self, index: int) -> tuple[int, SlotRecord]:
        """SLO-4, SLO-5: the version, and the record with its state and its live generations."""
        kept = self.slot(index)
        return kept.version, kept.record

    def _put(self, index: int, new: OwnerSlot) -> None:
        old = self.slot(index)
        if new != old:
            self.slots[index] = replace(new, version=old.version + 1)

    def _put_record(self, index: int, record: SlotRecord) -> None:
        self._put(index, replace(self.slot(index), record=record))

    # Orders

    def grant(self, index: int, subject: Union[bytes, Contact], rights: int, limits: Limits) -> Order:
        """Signs a grant with the next number; shown as Sharing and live from now on (OWN-9, OWN-14, CON-4)."""
        key = subject.key if isinstance(subject, Contact) else subject
        primitives.check_public_key(key)
        kept = self.slot(index)
        number = slot.next_number(kept.record)
        slot.check_publication(kept.record, number)
        message = Grant(self.lock, self.epoch, index, number, key, rights, limits).signed(self.seed)
        record = slot.put_live(slot.publish(kept.record, message), Live(message.digest(), number))
        return Order(index, kept.version, replace(kept, record=record), message)

    def command(self, operation: Any, challenge: Challenge, owner_nonce: bytes) -> Order:
        """Signs a command for one attempt. The owner nonce is fresh (OWN-4).

        The operation of an Activate or Deactivate has the number that `next_number` gave.
        """
        if challenge.lock != self.lock:
            raise RuleBroken("CMD-4", "a challenge of another lock")
        command = Command(self.lock, self.epoch, challenge.nonce, owner_nonce, operation).signed(self.seed)
        if not isinstance(operation, (Activate, Deactivate)):
            return Order(None, 0, None, command)
        kept = self.slot(operation.slot)
        if operation.generation <= kept.record.highest:
            raise RuleBroken("SLO-6", "the number was seen before")
        after = replace(kept, record=slot.seen(kept.record, operation.generation))
        return Order(operation.slot, kept.version, after, command)

    def next_number(self, index: int) -> int:
        """SLO-6."""
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
        """Takes a grant back. It takes no number; the view changes with the answer (OWN-9)."""
        return Withdraw(self.lock, self.epoch, index, generation, grant).signed(self.seed)

    # What the service said

    def withdrawn(self, message: Withdrawn) -> None:
        """The one message of the service that changes a view (OWN-7, OWN-10, OWN-14, OWN-15).

        Its number does not raise the highest: no owner's authenticator stands behind it.
        """
        message.verify(self.service)
        self._ours(message.lock, message.epoch, "OWN-7")
        kept = self.slot(message.slot)
        record = slot.end_share(kept.record, lambda share: share.grant == message.grant)
        if isinstance(message.outcome, NeverReleased):
            record = slot.drop_live(record, lambda entry: entry.grant == message.grant and not entry.confirmed)
        answered = self._answers(kept, message)
        self._put(message.slot, replace(kept, record=record, answered=answered))
        self._compare(message.slot, message.grant)

    @staticmethod
    def _answers(kept: OwnerSlot, message: Withdrawn) -> dict[bytes, Withdrawn]:
        """The answers with this one; a NeverReleased is kept as evidence, whatever comes after it."""
        old = kept.answered.get(message.grant)
        if old is not None and isinstance(old.outcome, NeverReleased):
            return kept.answered
        return {**kept.answered, message.grant: message}

    def learn(self, grant: Grant) -> None:
        """A grant that another phone of this owner signed (OWN-17, OWN-14).

        A newer one takes the place of the one that is shown (LearnNewer of the diagram); both stay live.
        """
        grant.verify(self.key)
        self._ours(grant.lock, grant.epoch, "SLO-7")
        kept = self.slot(grant.slot)
        digest, number = grant.digest(), grant.generation
        record = slot.seen(kept.record, number)
        answer = kept.answered.get(digest)
        refuted = answer is not None and isinstance(answer.outcome, NeverReleased)
        known = record.live_grant(digest) is not None
        if not known and not refuted and number > record.proven:
            record = slot.put_live(record, Live(digest, number))
        shared = record.share is None or number > record.share.generation
        if record.active and shared and answer is None and record.live_grant(digest) is not None:
            entry = record.live_grant(digest)
            record = replace(record, share=Share(digest, number, entry.device, entry.install, entry.confirmed))
        self._put_record(grant.slot, record)

    # What the lock said

    def receipt(self, message: Receipt) -> None:
        """OWN-6, then the effects on the slot."""
        message.verify(self.lock)
        self._ours_lock(message.lock)
        if message.epoch != self.epoch:  # SLO-39
            return
        self._put_record(message.slot, slot.receipt(self.slot(message.slot).record, message))
        self._proof(message.slot, message.grant, message)

    def done(self, message: Done) -> Optional[Command]:
        """OWN-6, then the effects; returns the command that it answers, if it is one of ours (OWN-5)."""
        message.verify(self.lock)
        self._ours_lock(message.lock)
        completed = message.completed
        if isinstance(completed, Transfer):
            self._transfer(message)
        elif message.epoch == self.epoch and hasattr(completed, "slot"):
            self._put_record(completed.slot, completed_effect(self.slot(completed.slot).record, completed))
            holding = completed.left.holding
            if isinstance(holding, Installed):
                self._proof(completed.slot, holding.grant, message)
        return self.commands.pop(message.command, None)

    def _transfer(self, message: Done) -> None:
        """A new epoch: ours again with every slot afresh (SLO-1), or somebody else's."""
        if message.epoch <= self.epoch:
            return
        if message.completed.owner != self.key:
            self.gone = True
            return
        self.epoch, self.service, self.gone = message.epoch, message.completed.service, False
        self.slots = {}

    def refused(self, message: Refused) -> Optional[Command]:
        """The command that the lock refused; None for an opaque one, which says nothing (OWN-13)."""
        if message.opaque:
            return None
        message.verify(self.lock)
        return self.commands.pop(message.request, None)

    # Helpers

    def _ours(self, lock: bytes, epoch: int, rule: str) -> None:
        if lock != self.lock or epoch != self.epoch:
            raise RuleBroken(rule, "another lock or epoch")

    def _ours_lock(self, lock: bytes) -> None:
        if lock != self.lock:
            raise RuleBroken("OWN-6", "another lock")

    def _proof(self, index: int, grant: bytes, proof: Union[Receipt, Done]) -> None:
        kept = self.slot(index)
        if grant not in kept.proofs:
            self._put(index, replace(kept, proofs={**kept.proofs, grant: proof}))
        self._compare(index, grant)

    def _compare(self, index: int, grant: bytes) -> None:
        """OWN-11."""
        kept = self.slot(index)
        answer, proof = kept.answered.get(grant), kept.proofs.get(grant)
        if answer is None or proof is None or not isinstance(answer.outcome, NeverReleased):
            return
        found = Equivocation(answer, proof)
        if found not in self.equivocations:
            self.equivocations.append(found)
