"""An owner's app behind requests: views of locks, and what waits for an answer."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Optional

from sharekey import code, guest, owner, primitives, reports
from sharekey.errors import RuleBroken, verify_as
from sharekey.limits import ACTION, Action
from sharekey.messages import (
    OPERATIONS,
    Challenge,
    Command,
    Done,
    Grant,
    Message,
    Provisioned,
    Refused,
    Report,
    ReportRequest,
    Transfer,
    Withdrawn,
)
from sharekey.owner import Owner, Provisioning
from sharekey.reading import decode, one_of
from sharekey.wire import KEY

from .form import NoRequest, draw, hexed, limits, show, snake

ASIDE = ("as_of", "nobody_can_open", "inspected", "slot_count", "state")  # in a status, and no news
ORDERS = {snake(cls.__name__): cls for cls in OPERATIONS.values()}


def _each_order(give: Any) -> dict[str, Any]:
    """What is to be asked for each, by what gives an order of a class."""
    return {name: partial(give, cls=cls) for name, cls in ORDERS.items()}


def _field(mine: Owner, request: dict[str, Any], name: str, codec: Any) -> Any:
    """A field of an operation: from the request, but for the number, which is the slot's next."""
    if name == "generation":
        mine.check_owned()
        mine.check_slot(request["slot"])
        return mine.next_number(request["slot"])
    if codec is KEY:
        return hexed(request, name)
    return Action[request[name]] if codec is ACTION else request[name]


@dataclass
class View:
    """An owner's view of one lock, with what an app remembers beside it."""

    owner: Owner
    told: set[int] = field(default_factory=set)  # the slots of which the lock told in answer to a command
    subjects: dict[tuple[int, bytes], bytes] = field(default_factory=dict)
    withdrawing: set[tuple[int, bytes]] = field(default_factory=set)
    epoch: int = 0
    touched: set[int] = field(default_factory=set)  # the slots of which the view ever heard

    def heed(self, *said: Message) -> None:
        """What the app remembers of messages that the view took in."""
        if self.epoch != self.owner.epoch:
            self.epoch = self.owner.epoch
            self.told, self.subjects, self.withdrawing, self.touched = set(), {}, set(), set()
        for message in said:
            self.touched.update(_slots_of(message))
            if isinstance(message, Grant):
                self.subjects[message.slot, message.digest()] = message.subject
            elif isinstance(message, Withdrawn):
                self.withdrawing.discard((message.slot, message.grant))
        live = {(index, entry.grant) for index, kept in self.owner.slots.items() for entry in kept.record.live}
        self.subjects = {key: subject for key, subject in self.subjects.items() if key in live}
        self.withdrawing &= live

    def status(self, index: int) -> dict[str, Any]:
        """What the view shows of a slot."""
        as_of, record = self.owner.view(index)
        share = record.share
        entry = record.live_grant(share.generation, share.grant) if share else None
        return {
            "epoch": self.owner.epoch,
            "slot_count": self.owner.slot_count,
            "standing": "Transferred" if self.owner.gone else "Owned",
            "state": "Shared" if share and share.confirmed else "Sharing" if share else self._state(index),
            "as_of": None if as_of is None else {"version": as_of.version, "time": as_of.time},
            "nobody_can_open": self.owner.nobody_can_open(index),
            "highest": record.highest,
            "floor": record.proven,
            "last_told": record.last_told,
            "inspected": index in self.told,
            "shared": None if entry is None else self._entry(index, entry),
            "may_open": [self._entry(index, live) for live in record.live],
        }

    def _state(self, index: int) -> Optional[str]:
        """None where nobody told (OWN-43)."""
        as_of, record = self.owner.view(index)
        told = as_of is not None or index in self.told or record.last_told > 0
        return record.state if told or record.state != "Inactive" else None

    def _entry(self, index: int, entry: Any) -> dict[str, Any]:
        subject = self.subjects.get((index, entry.grant))
        return {
            "generation": entry.generation,
            "grant": entry.grant.hex(),
            "subject": subject.hex() if subject else None,
            "downloaded": entry.device.hex() if entry.confirmed else None,  # SLO-3
            "withdrawing": (index, entry.grant) in self.withdrawing,
        }

    def snapshot(self) -> Any:
        """What is news if it changes: all slots that the view heard of, and the evidence that it keeps.

        Neither the version of a report nor that a command was answered is news.
        """
        state = {index: self.owner.view(index)[1].state for index in self.touched}
        seen = {index: {**self.status(index), **dict.fromkeys(ASIDE)} for index in self.touched}
        kept = {}
        for index, mine in self.owner.slots.items():
            installs = {(entry.grant, entry.withdrawn, entry.install) for entry in mine.record.live}
            if mine.denials or mine.releases or mine.answered or installs:
                kept[index] = set(mine.denials), set(mine.releases), mine.answered, installs
        return seen, state, kept, self.owner.epoch, self.owner.gone

    def moved(self, message: Done, service: bytes) -> None:
        """A transfer to a service that the owner knows from elsewhere."""
        self.owner.moved(message, service)
        self.heed(message)

    def take_in(self, message: Message) -> Any:
        """What a message taught."""
        before, self.owner.convicts = self.snapshot(), None
        self.owner.take_in(message)
        self.heed(message)
        if self.owner.convicts:
            return self._equivocation(self.owner.convicts)
        return "Nothing" if self.snapshot() == before else "News"

    @staticmethod
    def _equivocation(found: Any) -> dict[str, Any]:
        denial = found.withdrawn
        return {
            "type": "ServiceEquivocated",
            "slot": denial.slot,
            "generation": denial.generation,
            "grant": denial.grant.hex(),
            "denial": denial.encode().hex(),
            "release": found.proof.encode().hex(),
        }


def _contradiction(index: int, first: Report, second: Report) -> dict[str, Any]:
    both = {"first": first.encode().hex(), "second": second.encode().hex()}
    return {"type": "ReportsContradict", "slot": index, **both}


def _slots_of(message: Message) -> set[int]:
    """The slot that a message is about, if it is about one."""
    about = message.completed if isinstance(message, Done) else message
    return {about.slot} if hasattr(about, "slot") else set()


@dataclass
class Asked:
    """A command that waits for its answer."""

    command: Command
    lock: bytes


class OwnerDesk:
    """One owner key."""

    def __init__(self) -> None:
        self.seed = b""
        self.views: dict[Optional[str], View] = {}
        self.waiting: dict[int, Any] = {}
        self.count = 0

    def _seed(self) -> bytes:
        if not self.seed:
            raise NoRequest("no owner")
        return self.seed

    def _view(self, request: dict[str, Any]) -> View:
        view = self.views.get(request.get("view"))
        if view is None:
            raise NoRequest("no such view")
        return view

    def _wait(self, asked: Any, message: Message) -> dict[str, Any]:
        self.count += 1
        self.waiting[self.count] = asked
        return {"message": message.encode().hex(), "pending": self.count}

    def _pending(self, request: dict[str, Any], kind: type) -> Any:
        asked = self.waiting.get(request["pending"])
        if not isinstance(asked, kind):
            raise NoRequest("nothing waits for this")
        return asked

    def _new_view(self, request: dict[str, Any], new: Owner) -> dict[str, Any]:
        held = self.views.get(request.get("view"))
        if held is None or (held.owner.lock, held.owner.seed) != (new.lock, new.seed) or held.owner.epoch < new.epoch:
            self.views[request.get("view")] = held = View(new, epoch=new.epoch)  # else OWN-37
        return {"lock": held.owner.lock.hex(), "epoch": held.owner.epoch}

    def make(self, request: dict[str, Any]) -> dict[str, Any]:
        self.seed = hexed(request, "seed")
        return {"key": primitives.public_key(self.seed).hex()}

    # Becoming the owner

    def provision(self, request: dict[str, Any]) -> dict[str, Any]:
        challenge = decode(Challenge, hexed(request, "challenge"))
        card, service = hexed(request, "card"), hexed(request, "service")
        asked = owner.provision(self._seed(), card, service, challenge, draw(request, 16))
        return self._wait(asked, asked.provision)

    def provisioned(self, request: dict[str, Any]) -> dict[str, Any]:
        asked = self._pending(request, Provisioning)
        answer = one_of(hexed(request, "answer"), Provisioned, Refused)
        if isinstance(answer, Refused):
            raise refusal(answer, asked.provision, asked.lock)
        return self._new_view(request, owner.provisioned(asked, answer))

    def adopt(self, request: dict[str, Any]) -> dict[str, Any]:
        statement = one_of(hexed(request, "statement"), Provisioned, Done)
        new = owner.adopted(self._seed(), hexed(request, "lock"), hexed(request, "service"), statement)
        return self._new_view(request, new)

    def take_over(self, request: dict[str, Any]) -> dict[str, Any]:
        """A transfer to oneself, by who knows that the lock is theirs, but lost the Done that says so."""
        new = Owner(self._seed(), hexed(request, "lock"), request["epoch"], hexed(request, "service"))
        operation = Transfer(new.key, new.service)
        order = new.command(operation, decode(Challenge, hexed(request, "challenge")), draw(request, 16))
        return self._wait(View(new), new.stored(order))

    def taken_over(self, request: dict[str, Any]) -> dict[str, Any]:
        new = self._pending(request, View).owner
        answer = one_of(hexed(request, "answer"), Done, Refused)
        command = next(iter(new.commands.values()))
        if isinstance(answer, Refused):
            raise refusal(answer, command, new.lock)
        new.answer(answer)
        return self._new_view(request, new)

    # Commands

    def _order(self, request: dict[str, Any], cls: Any) -> dict[str, Any]:
        view = self._view(request)
        operation = cls(**{name: _field(view.owner, request, name, codec) for name, codec in cls.FIELDS})
        if isinstance(operation, Transfer):
            primitives.check_key_as("OwnerKey", operation.owner)
            primitives.check_key_as("ServiceKey", operation.service)
        view.owner.check_owned()
        challenge = decode(Challenge, hexed(request, "challenge"))
        command = view.owner.stored(view.owner.command(operation, challenge, draw(request, 16)))
        if hasattr(operation, "generation"):
            view.touched.add(operation.slot)
        return self._wait(Asked(command, view.owner.lock), command)

    def done(self, request: dict[str, Any]) -> dict[str, Any]:
        view, asked = self._view(request), self._pending(request, Asked)
        mine = view.owner
        mine.check_owned()
        if mine.lock != asked.lock:
            raise RuleBroken("WrongLock")
        if mine.epoch != asked.command.epoch:
            raise RuleBroken("WrongEpoch")
        answer = one_of(hexed(request, "answer"), Done, Refused)
        if isinstance(answer, Refused):
            raise refusal(answer, asked.command, mine.lock)
        before = view.snapshot()
        all_commands = mine.commands
        mine.commands = {asked.command.digest(): asked.command}  # this Done is to answer this command
        mine.convicts = None
        try:
            mine.answer(answer)
        finally:
            mine.commands = all_commands
        mine.commands.pop(asked.command.digest(), None)
        view.heed(answer)
        if hasattr(answer.completed, "slot"):
            view.told.add(answer.completed.slot)
        learned: Any = "Nothing" if view.snapshot() == before else "News"
        if mine.convicts:
            learned = view._equivocation(mine.convicts)
        return {"completed": show(answer.completed), "learned": learned}

    # Sharing

    def issue(self, request: dict[str, Any]) -> dict[str, Any]:
        return {"code": code.show(code.issue(draw(request, code.DATA)))}

    def _share(self, request: dict[str, Any], subject: bytes) -> dict[str, Any]:
        view = self._view(request)
        order = view.owner.grant(request["slot"], subject, request["rights"], limits(request.get("limits")))
        message = view.owner.stored(order)
        view.heed(message)
        return {"message": message.encode().hex()}

    def share(self, request: dict[str, Any]) -> dict[str, Any]:
        return self._share(request, hexed(request, "subject"))

    def share_by_code(self, request: dict[str, Any]) -> dict[str, Any]:
        return self._share(request, primitives.public_key(guest.code_seed(request["code"])))

    def withdraw(self, request: dict[str, Any]) -> dict[str, Any]:
        view = self._view(request)
        view.owner.check_owned()
        share = view.owner.slot(request["slot"]).record.share
        if share is None:
            raise RuleBroken("NothingShared")
        return self._withdraw(view, request["slot"], share.generation, share.grant)

    def withdraw_key(self, request: dict[str, Any]) -> dict[str, Any]:
        return self._withdraw(self._view(request), request["slot"], request["generation"], hexed(request, "grant"))

    @staticmethod
    def _withdraw(view: View, index: int, generation: int, grant: bytes) -> dict[str, Any]:
        message = view.owner.withdraw(index, generation, grant)
        view.withdrawing.add((index, grant))
        return {"message": message.encode().hex()}

    # Learning

    def learn(self, request: dict[str, Any]) -> dict[str, Any]:
        view = self._view(request)
        return {"learned": view.take_in(reports.told(view.owner, hexed(request, "message")))}

    def moved(self, request: dict[str, Any]) -> dict[str, Any]:
        view = self._view(request)
        view.owner.check_owned()
        view.moved(decode(Done, hexed(request, "message")), hexed(request, "service"))
        return {"learned": "News"}

    def ask(self, request: dict[str, Any]) -> dict[str, Any]:
        asked = reports.ask(self._view(request).owner, request["slot"], request["time"], draw(request, 16))
        return self._wait(asked, asked)

    def see(self, request: dict[str, Any]) -> dict[str, Any]:
        asked = self._pending(request, ReportRequest)
        del self.waiting[request["pending"]]  # it is good for one answer
        view, answer = self._view(request), hexed(request, "answer")
        trial = deepcopy(view)
        seen = reports.see(view.owner, asked, answer)
        learned = [trial.take_in(message) for message in seen.messages]
        view.heed(*seen.messages)
        view.touched.add(asked.slot)
        found = None if seen.contradiction is None else _contradiction(asked.slot, *seen.contradiction)
        return {"learned": learned, "equivocation": found}

    def status(self, request: dict[str, Any]) -> dict[str, Any]:
        return self._view(request).status(request["slot"])

    OPS = {
        "make": make,
        "provision": provision,
        "provisioned": provisioned,
        **_each_order(_order),
        "done": done,
        "issue": issue,
        "share": share,
        "share_by_code": share_by_code,
        "withdraw": withdraw,
        "withdraw_key": withdraw_key,
        "learn": learn,
        "moved": moved,
        "ask": ask,
        "see": see,
        "adopt": adopt,
        "take_over": take_over,
        "taken_over": taken_over,
        "status": status,
    }


def refusal(message: Refused, request: Message, lock: bytes) -> RuleBroken:
    """What a Refused says that came for an answer, as the error that it is (OWN-13, OWN-6)."""
    if message.opaque:
        return RuleBroken("RefusedOpaque")
    verify_as("RefusalSignature", message, lock)
    if message.request != request.digest():
        return RuleBroken("RefusedOther")
    return RuleBroken(f"Refused.{message.reason.name}")
