"""All four roles in one room, with deterministic entropy and a clock that the test moves."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import Any, Optional

from sharekey import answers, cells, guest, messages, owner, primitives, reports
from sharekey.cells import Pending, Purpose, Session
from sharekey.guest import Download
from sharekey.limits import Action, Clock, Limits
from sharekey.lock import Lock, Now, Refusal, Result
from sharekey.messages import Activate, Challenge, Done, Provisioned, Receipt, Reply
from sharekey.owner import Owner
from sharekey.service import Service

NOON = 1_750_000_000


@dataclass
class Entropy:
    """Bytes that never repeat, the same in every run."""

    label: str = "entropy"
    count: int = 0

    def __call__(self, size: int = 32) -> bytes:
        self.count += 1
        return hashlib.shake_256(f"{self.label} {self.count}".encode()).digest(size)


@dataclass
class World:
    """One lock with its owner, its service and guests."""

    entropy: Entropy = field(default_factory=Entropy)
    slots: int = 3
    clock: Clock = NOON
    ticks: int = 1000
    store: dict = field(default_factory=dict)
    bolts: list[Action] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.secret = self.entropy(16)
        self.owner_seed = self.entropy()
        self.service = Service(self.entropy())
        self.make(bytes(32))
        self.owner: Optional[Owner] = None

    @property
    def now(self) -> Now:
        return Now(self.ticks, self.clock)

    def make(self, before: bytes) -> None:
        for cell, data in cells.make(before, self.entropy(), self.slots):
            self.store[cell] = data
        self.boot()

    def boot(self) -> None:
        self.lock = Lock.boot(self.store, self.slots, self.secret)

    def finish(self, outcome: Any) -> Any:
        """Stores what an accepted operation writes, and takes its result."""
        assert isinstance(outcome, Pending), outcome
        if outcome.record is not None:
            self.store[outcome.cell] = outcome.record
        result = self.lock.stored(outcome)
        if isinstance(result, Result) and result.action is not None:
            self.bolts.append(result.action)
        return result

    def challenge(self, purpose: Purpose = Purpose.Operate) -> tuple[Challenge, Session]:
        given = self.finish(self.lock.challenge(purpose, self.now, self.entropy()))
        return Challenge.decode(given.message), given.session

    def provision(self) -> "World":
        challenge, session = self.challenge()
        under_way = owner.provision(self.owner_seed, self.secret, self.service.key, challenge, self.entropy(16))
        result = self.finish(self.lock.provision(session, under_way.provision.encode(), self.now))
        answer = Provisioned.decode(result.message)
        self.owner = owner.provisioned(under_way, answer)
        self.service.open(answer)
        self.statement = answer
        return self

    def answer(
        self, asked: messages.ReportRequest, *said: messages.Message, signer: bytes = b"", **change: Any
    ) -> bytes:
        """What a service may answer: the statement of ownership first, unless `said` begins with one."""
        parts = [message.encode() for message in said]
        if not said or not isinstance(said[0], (Provisioned, Done)) or hasattr(getattr(said[0], "completed", 0), "slot"):
            parts.insert(0, self.statement.encode())
        fields = {
            "request": asked.digest(),
            "lock": asked.lock,
            "epoch": asked.epoch,
            "slot": asked.slot,
            "version": 5,
            "state": messages.State.Sharing,
            "slots": self.slots,
            "messages": answers.content(parts),
        }
        report = messages.Report(**{**fields, **change}).signed(signer or self.service.seed)
        return answers.join(report.encode(), parts)

    def see(self, who: Owner, *said: messages.Message, time: int = NOON, **change: Any) -> reports.Seen:
        """An owner asks for slot 0 and takes in what is said."""
        request = reports.ask(who, 0, time, self.entropy(16))
        return reports.see(who, request, self.answer(request, *said, **change))

    def order(self, operation: Any) -> Any:
        """An owner's command as a Pending or a Refusal, and what it was."""
        challenge, session = self.challenge()
        command = self.owner.stored(self.owner.command(operation, challenge, self.entropy(16)))
        return self.lock.command(session, command.encode(), self.now)

    def command(self, operation: Any, tell: bool = True) -> Done:
        done = Done.decode(self.finish(self.order(operation)).message)
        if tell:
            self.tell(done)
        return done

    def tell(self, said: Any) -> None:
        """Owner and service learn what the lock said."""
        for who in (self.owner, self.service):
            self.tell_one(who, said)

    @staticmethod
    def tell_one(who: Any, said: Any) -> None:
        """A Receipt or a Done; the service takes the Done of a Transfer for a statement of ownership."""
        if isinstance(said, Receipt):
            who.receipt(said)
        elif isinstance(who, Service) and not hasattr(said.completed, "slot"):
            if isinstance(said.completed, messages.Transfer):
                who.open(said)
        else:
            who.done(said)

    def activate(self, slot: int = 0) -> Done:
        return self.command(Activate(slot, self.owner.next_number(slot)))

    def deactivate(self, slot: int = 0) -> Done:
        return self.command(messages.Deactivate(slot, self.owner.next_number(slot)))

    def share(self, slot: int = 0, limits: Limits = Limits(), rights: int = 3, seed: Optional[bytes] = None) -> Download:
        """Signs and publishes a grant, and lets its guest claim it."""
        identity = seed if seed is not None else self.entropy()
        order = self.owner.grant(slot, primitives.public_key(identity), rights, limits)
        grant = self.owner.stored(order)
        self.service.publish(grant)
        return guest.claim(identity, grant, self.entropy())

    def release(self, download: Download) -> tuple[messages.Bundle, Session]:
        challenge, session = self.challenge(Purpose.Install)
        install = guest.install(download, challenge, self.entropy())
        released = self.service.release(self.lock.keys.lock_id, download.grant.slot, download.claim, install)
        return guest.bundle(download, released), session

    def install(self, download: Download, tell: bool = True) -> Receipt:
        bundle, session = self.release(download)
        result = self.finish(self.lock.install(session, bundle.encode(), self.now, self.entropy()))
        receipt = Receipt.decode(result.message)
        guest.receipt(download, receipt)
        if tell:
            self.tell(receipt)
        return receipt

    def ask(self, download: Download, action: Action = Action.Open) -> tuple[messages.Unlock, Any]:
        challenge, session = self.challenge()
        unlock = guest.unlock(download, challenge, action, self.entropy(16))
        return unlock, self.lock.unlock(session, unlock.encode(), self.now)

    def unlock(self, download: Download, action: Action = Action.Open) -> Any:
        """What the guest believes: Accepted, UnlockRefused, or None for an opaque refusal."""
        unlock, outcome = self.ask(download, action)
        if isinstance(outcome, Refusal):
            if outcome.message == messages.OPAQUE:
                return None
            return guest.reply(download, unlock, Reply.decode(outcome.message))
        return guest.reply(download, unlock, Reply.decode(self.finish(outcome).message))

    def withdraw(self, download: Download) -> messages.Withdrawn:
        grant = download.grant
        order = self.owner.withdraw(grant.slot, grant.generation, grant.digest())
        answer = self.service.withdraw(order)
        self.owner.withdrawn(answer)
        return answer


def ready() -> World:
    """Provisioned, the clock is set, and slot 0 is active."""
    world = World().provision()
    world.command(messages.SetClock(NOON))
    world.activate(0)
    return world
