"""This implementation against the Rust crate: whole conversations, each role in the one or the other.

All ways to divide the four roles are played, with entropy of the peers' own; and random walks in which both peers
are asked the same and have to reply the same.
"""

from __future__ import annotations

import json
import os
import secrets
from itertools import combinations
from typing import Any

import pytest

import vectors
from rooms import Process, Room
from wander import NOON, Wanderer

ROLES = ("lock", "owner", "service", "guest")
DIVIDED = [frozenset(some) for size in range(1, 4) for some in combinations(ROLES, size)]
WALKS = int(os.environ.get("SHAREKEY_WALKS", "40"))
STEPS = 300


def label(rust: frozenset[str]) -> str:
    """Who lives where."""
    return "+".join(role for role in ROLES if role in rust) + " in Rust"


@pytest.fixture(params=DIVIDED, ids=label)
def room(request):
    with Room(request.param) as made:
        yield made


class House:
    """A provisioned lock with an active slot, and everybody around it."""

    def __init__(self, room: Room) -> None:
        self.room = room
        self.card = secrets.token_hex(16)
        self.lock = room.ok("lock", "make", card=self.card)["lock"]
        self.owner = room.ok("owner", "make", seed=secrets.token_hex(32))["key"]
        self.service = room.ok("service", "make", seed=secrets.token_hex(32))["key"]
        self.provision()
        self.order("set_clock", to=NOON)
        self.tell(self.order("activate", slot=0))

    @property
    def at(self) -> dict[str, Any]:
        """The record at the service."""
        return {"lock": self.lock, "slot": 0}

    def challenge(self, purpose: str = "Operate") -> tuple[str, int]:
        given = self.room.ok("lock", "challenge", purpose=purpose, now=self.room.now())
        return given["challenge"], given["session"]

    def send(self, op: str, session: int, message: str, **more: Any) -> dict[str, Any]:
        return self.room.ask("lock", op, session=session, message=message, now=self.room.now(), **more)

    def provision(self) -> None:
        challenge, session = self.challenge()
        card = {"card": self.card, "service": self.service}
        asked = self.room.ok("owner", "provision", challenge=challenge, **card)
        answer = self.send("provision", session, asked["message"])["ok"]["answer"]
        self.room.ok("owner", "provisioned", pending=asked["pending"], answer=answer)
        assert self.room.ok("service", "open", slot=0, statement=answer) == {"lock": self.lock, "version": 1}

    def order(self, op: str, **more: Any) -> str:
        """A command of the owner's, and the Done that the owner believes."""
        challenge, session = self.challenge()
        asked = self.room.ok("owner", op, challenge=challenge, **more)
        answer = self.send("command", session, asked["message"])["ok"]["answer"]
        self.room.ok("owner", "done", pending=asked["pending"], answer=answer)
        return answer

    def tell(self, done: str) -> str:
        """The service takes a Done in."""
        return self.room.ok("service", "done", message=done, **self.at)["state"]

    def guest(self, name: str, **who: Any) -> str:
        return self.room.ok("guest", "make", as_=name, **(who or {"seed": secrets.token_hex(32)}))["key"]

    def share(self, subject: str, limits: Any = None, rights: int = 3) -> str:
        """A grant, signed and published."""
        grant = self.room.ok("owner", "share", slot=0, subject=subject, limits=limits, rights=rights)["message"]
        self.room.ok("service", "publish", message=grant, **self.at)
        return grant

    def claim(self, name: str, **owner: Any) -> None:
        asked = self.room.ok("guest", "ask", as_=name, service=self.service, time=NOON)["message"]
        found = self.room.ok("service", "find", message=asked, time=NOON)
        self.room.ok("guest", "claim", as_=name, grant=found["grant"], **owner)

    def request(self, name: str) -> tuple[dict[str, Any], int]:
        """A guest's claim and install over a new challenge."""
        challenge, session = self.challenge("Install")
        return self.room.ok("guest", "install", as_=name, challenge=challenge), session

    def bundle(self, name: str) -> tuple[str, int]:
        """A released download, ready for the lock."""
        asked, session = self.request(name)
        release = self.room.ok("service", "release", **asked, **self.at)["message"]
        return self.room.ok("guest", "bundle", as_=name, release=release)["message"], session

    def download(self, name: str) -> str:
        """A download to its end; the receipt."""
        bundle, session = self.bundle(name)
        answer = self.send("install", session, bundle)["ok"]["answer"]
        return self.room.ok("guest", "finish", as_=name, answer=answer)["receipt"]

    def open(self, name: str, action: str = "Open") -> dict[str, Any]:
        """An unlock: what the lock and then the guest say of it."""
        challenge, session = self.challenge()
        asked = self.room.ok("guest", "unlock", as_=name, challenge=challenge, action=action)["message"]
        reply = self.send("unlock", session, asked)
        answer = reply["ok"]["answer"] if "ok" in reply else reply["answer"]
        told = self.room.ask("guest", "reply", as_=name, answer=answer)
        return {"lock": reply.get("error", reply.get("ok", {}).get("bolt")), "guest": told.get("error")}

    def withdraw(self) -> str:
        """The owner takes the shared grant back; the service's answer."""
        order = self.room.ok("owner", "withdraw", slot=0)["message"]
        answer = self.room.ok("service", "withdraw", message=order, **self.at)["message"]
        self.room.ok("owner", "learn", message=answer)
        return answer

    def report(self) -> dict[str, Any]:
        """The service's report, as the owner takes it in; the owner's view then."""
        asked, answer = self.asked()
        assert self.room.ok("owner", "see", pending=asked["pending"], answer=answer)["equivocation"] is None
        return self.room.ok("owner", "status", slot=0)

    def asked(self) -> tuple[dict[str, Any], str]:
        """What the owner asks, and what the service answers."""
        asked = self.room.ok("owner", "ask", slot=0, time=NOON)
        return asked, self.room.ok("service", "report", message=asked["message"], time=NOON + 300, **self.at)["answer"]


OPENED = {"lock": "Open", "guest": None}
OPAQUE = "534b010e"


def test_an_account(room):
    house = House(room)
    ana = house.guest("ana")
    limits = {"from": NOON - 60, "until": NOON + 3600, "schedule": None, "uses": 2}
    house.share(ana, limits)
    house.claim("ana", owner=house.owner)
    receipt = house.download("ana")
    assert room.ok("service", "confirm", message=receipt, **house.at)["state"] == "Shared"
    status = house.report()
    assert status["state"] == "Shared" and status["shared"]["subject"] == ana and status["shared"]["downloaded"]
    assert house.open("ana") == OPENED
    assert house.open("ana", "Lock") == {"lock": "Lock", "guest": None}
    room.ok("lock", "reboot")
    assert house.open("ana") == OPENED
    assert house.open("ana") == {"lock": "UsesSpent", "guest": "Refused.UsesSpent"}
    room.clock = NOON + 3600
    assert house.open("ana", "Lock") == {"lock": "Expired", "guest": "Refused.Expired"}
    room.clock = "Unset"
    assert house.open("ana") == {"lock": "ClockUnset", "guest": "Refused.ClockUnset"}


def test_a_share_code(room):
    house = House(room)
    shown = room.ok("owner", "issue")["code"]
    grant = room.ok("owner", "share_by_code", slot=0, code=shown, limits=None, rights=1)["message"]
    room.ok("service", "publish", message=grant, **house.at)
    room.no("TooShort", "guest", "make", as_="ben", code=shown[:-1])
    wrong = shown[:-1] + ("0" if shown[-1] != "0" else "2")
    room.no("CheckFailed", "guest", "make", as_="ben", code=wrong)
    ben = house.guest("ben", code=shown.lower().replace("-", " "))
    house.claim("ben")
    house.download("ben")
    assert house.open("ben") == OPENED
    assert house.open("ben", "Lock") == {"lock": "ActionNotAllowed", "guest": "Refused.ActionNotAllowed"}


def test_revoked_then_reset(room):
    house = House(room)
    ana, ben = house.guest("ana"), house.guest("ben")
    house.share(ana)
    house.claim("ana")
    assert house.withdraw()[290:292] == "01"  # NeverReleased
    asked, _ = house.request("ana")
    room.no("NothingShared", "service", "release", **asked, **house.at)
    house.share(ben)
    house.claim("ben")
    room.ok("service", "confirm", message=house.download("ben"), **house.at)
    assert house.withdraw()[290:292] == "02"  # Released
    assert house.open("ben") == OPENED
    assert house.report()["may_open"][0]["subject"] == ben
    done = house.order("deactivate", slot=0)
    assert house.tell(done) == "Inactive"
    assert house.open("ben") == {"lock": "NotInstalled", "guest": "RefusedOpaquely"}
    status = house.report()
    assert status["state"] == "Inactive" and status["may_open"] == []
    room.no("Slot.NotActive", "owner", "share", slot=0, subject=ana, limits=None, rights=1)


def test_reports(room):
    house = House(room)
    assert room.ok("owner", "status", slot=0)["nobody_can_open"] is None
    status = house.report()
    assert status["as_of"] == {"version": 2, "time": NOON} and status["nobody_can_open"] == NOON
    house.share(house.guest("ana"))
    assert room.ok("owner", "status", slot=0)["nobody_can_open"] is None
    (first, one), (second, two) = house.asked(), house.asked()
    room.no("OtherRequest", "owner", "see", pending=second["pending"], answer=one)
    room.no("Request", "owner", "see", pending=second["pending"], answer=two)  # it was good for one answer
    third, three = house.asked()
    room.no("OtherMessages", "owner", "see", pending=third["pending"], answer=three + "0000")
    room.ok("owner", "see", pending=first["pending"], answer=one)
    for time in (NOON - 301, NOON + 301):
        room.no("RequestTime", "service", "report", message=first["message"], time=time, **house.at)
    moved = house.order("transfer", owner=house.owner, service=house.service)
    early = room.ok("owner", "ask", slot=0, time=NOON)["message"]
    room.no("WrongEpoch", "service", "report", message=early, time=NOON, **house.at)
    room.ok("service", "reopen", statement=moved, **house.at)
    status = house.report()
    assert status["epoch"] == 2 and status["as_of"]["version"] == 4 and status["may_open"] == []


def test_a_phone_that_was_away(room):
    """Another phone of the owner gave the lock to its owner anew, and shared."""
    house = House(room)
    seed = secrets.token_hex(32)
    mine = room.ok("owner", "make", as_="mine", seed=seed)["key"]
    done = house.order("transfer", owner=mine, service=house.service)
    room.ok("service", "reopen", statement=done, **house.at)
    for phone in ("mine", "other"):
        room.ok("owner", "make", as_=phone, seed=seed)
        room.ok("owner", "adopt", as_=phone, lock=house.lock, service=house.service, statement=done)
    challenge, session = house.challenge()
    asked = room.ok("owner", "transfer", as_="mine", owner=mine, service=house.service, challenge=challenge)
    done = house.send("command", session, asked["message"])["ok"]["answer"]
    room.ok("owner", "done", as_="mine", pending=asked["pending"], answer=done)
    room.ok("service", "reopen", statement=done, **house.at)
    asked = room.ok("owner", "ask", as_="other", slot=0, time=NOON)
    answer = room.ok("service", "report", message=asked["message"], time=NOON, **house.at)["answer"]
    assert room.ok("owner", "see", as_="other", pending=asked["pending"], answer=answer)["learned"] == ["News"]
    assert room.ok("owner", "status", as_="other", slot=0)["epoch"] == 3


def test_the_same_device_again_and_another(room):
    house = House(room)
    ana = house.guest("ana")
    seed = secrets.token_hex(32)
    for phone in ("phone", "tablet"):
        assert house.guest(phone, seed=seed) is not None
    subject = house.guest("phone", seed=seed)
    house.share(subject)
    house.claim("phone")
    house.claim("tablet")
    house.download("phone")
    assert house.open("phone") == OPENED
    house.download("phone")  # re-keyed
    assert house.open("phone") == OPENED
    asked, _ = house.request("tablet")
    room.no("Slot.ClaimedByOtherDevice", "service", "release", **asked, **house.at)
    room.no("Slot.AlreadyShared", "owner", "share", slot=0, subject=ana, limits=None, rights=1)
    room.ok("lock", "reboot")
    assert house.open("phone") == OPENED


def test_refusals_at_the_lock(room):
    house = House(room)
    ana = house.guest("ana")
    house.share(ana)
    house.claim("ana")
    bundle, session = house.bundle("ana")
    reply = house.send("install", session, bundle[:-2])
    assert reply == {"error": "Wire.Truncated", "answer": OPAQUE}
    room.no("RefusedOpaquely", "guest", "finish", as_="ana", answer=OPAQUE)
    _, session = house.challenge("Install")
    assert house.send("install", session, bundle) == {"error": "WrongNonce", "answer": OPAQUE}
    bundle, session = house.bundle("ana")
    house.challenge("Install")
    assert house.send("install", session, bundle) == {"error": "SessionSuperseded", "answer": OPAQUE}
    bundle, session = house.bundle("ana")
    done = house.order("activate", slot=0)  # takes the number 3, above the grant's
    reply = house.send("install", session, bundle)
    assert reply["error"] == "StaleGeneration" and reply["answer"] != OPAQUE
    room.no("Refused.StaleGeneration", "guest", "finish", as_="ana", answer=reply["answer"])
    assert house.tell(done) == "NotShared"
    challenge, session = house.challenge()
    asked = room.ok("owner", "inspect", slot=7, challenge=challenge)
    reply = house.send("command", session, asked["message"])
    assert reply["error"] == "NoSuchSlot"
    room.no("Refused.NoSuchSlot", "owner", "done", pending=asked["pending"], answer=reply["answer"])
    room.no("RefusedOpaque", "owner", "done", pending=asked["pending"], answer=OPAQUE)


def test_sold(room):
    house = House(room)
    ana = house.guest("ana")
    house.share(ana)
    house.claim("ana")
    house.download("ana")
    otto = room.ok("owner", "make", as_="otto", seed=secrets.token_hex(32))["key"]
    done = house.order("transfer", owner=otto, service=house.service)
    taken = {"lock": house.lock, "service": house.service, "statement": done}
    room.no("WrongOwner", "owner", "adopt", **taken, view="mine")
    assert room.ok("owner", "adopt", as_="otto", **taken) == {"lock": house.lock, "epoch": 2}
    room.no("NotOfASlot", "service", "done", message=done, **house.at)
    room.ok("service", "reopen", statement=done, **house.at)
    assert house.open("ana") == {"lock": "NotInstalled", "guest": "RefusedOpaquely"}
    room.no("Transferred", "owner", "share", slot=0, subject=ana, limits=None, rights=1)
    challenge, session = house.challenge()
    asked = room.ok("owner", "activate", as_="otto", slot=0, challenge=challenge)
    answer = house.send("command", session, asked["message"])["ok"]["answer"]
    room.ok("owner", "done", as_="otto", pending=asked["pending"], answer=answer)
    assert house.tell(answer) == "NotShared"


def test_writes_that_fail(room):
    house = House(room)
    ana = house.guest("ana")
    house.share(ana, {"from": None, "until": None, "schedule": None, "uses": 2})
    house.claim("ana")
    bundle, session = house.bundle("ana")
    assert house.send("install", session, bundle, store="fails") == {"error": "StoreFailed"}
    room.ok("lock", "reload", cell=3)
    house.download("ana")
    challenge, session = house.challenge()
    asked = room.ok("guest", "unlock", as_="ana", challenge=challenge, action="Open")["message"]
    assert house.send("unlock", session, asked, store="lost") == {"error": "StoreFailed"}
    assert house.open("ana") == {"lock": "Busy", "guest": "RefusedOpaquely"}
    room.ok("lock", "reload", cell=3)
    room.no("NotBusy", "lock", "reload", cell=3)
    assert house.open("ana") == OPENED
    assert house.open("ana") == {"lock": "UsesSpent", "guest": "Refused.UsesSpent"}


@pytest.mark.parametrize("rust", DIVIDED, ids=label)
def test_the_conversations_of_the_vectors(rust):
    for case in vectors.file("conversations.json")["cases"]:
        with Room(rust) as room:
            for step in case["steps"]:
                request = dict(step["request"])
                assert room.ask(request.pop("role"), request.pop("op"), **request) == step["reply"], case["name"]


def told(reply: dict[str, Any]) -> dict[str, Any]:
    """A reply as it is compared: to which service a record moved stands in other fields."""
    if isinstance(reply.get("ok"), dict) and str(reply["ok"].get("standing", "")).startswith("Moved."):
        reply["ok"]["standing"] = "Moved"
    return reply


@pytest.mark.parametrize("seed", range(WALKS))
def test_a_walk(seed):
    """Both are asked the same, and reply the same, byte for byte."""
    rust, python, walk = Process("rust"), Process("python"), Wanderer(seed)
    try:
        for number in range(STEPS):
            request = walk.next()
            reply = told(rust.ask(request))
            assert told(python.ask(request)) == reply, f"request {number}: {json.dumps(request)}"
            walk.heard(request, reply)
    finally:
        rust.close()
        python.close()
