"""Random requests to peers: mostly such as make sense, some with a message that was changed, or is another one.

What comes next depends on the replies, so two peers that reply alike are asked alike.
"""

from __future__ import annotations

from random import Random
from typing import Any, Optional

from desk.owner import ORDERS
from sharekey import primitives
from sharekey.answers import content, join
from sharekey.messages import BY_NAME, KINDS, Done, FactoryReset, Grant, Transfer
from sharekey.messages import Provisioned, Report, ReportRequest, State

NOON = 1_796_126_400
SMALL = "00" * 32
LOCKS, OWNERS, SERVICES, GUESTS = ("lock", "barn"), ("owner", "otto"), ("service", "other"), ("ana", "ben")


class Skip(Exception):
    """There is nothing yet that could be sent."""


class Wanderer:
    """One walk: `next` gives what to ask, `heard` takes the reply."""

    def __init__(self, seed: int) -> None:
        self.random = Random(seed)
        self.ticks = 0
        self.clock: Any = self.random.choice([NOON] * 6 + ["Absent", "Unset"])
        self.cards = {name: self.entropy(16) for name in LOCKS}
        self.seeds = {name: self.entropy(32) for name in OWNERS + SERVICES + GUESTS}
        self.messages: dict[int, list[bytes]] = {kind: [] for kind in KINDS}
        self.challenges: dict[str, list[tuple[str, int, str]]] = {name: [] for name in LOCKS}
        self.pending: dict[tuple[str, str], list[int]] = {}
        self.opened: list[tuple[str, str, int]] = []
        self.views: set[str] = set()
        self.ids: dict[str, str] = {}
        self.reports: list[str] = []
        self.asked: dict[tuple[str, int], bytes] = {}  # the request of each that is pending
        self.calm = True  # nothing odd happens until the lock has its owner
        self.waiting: list[Any] = self._first()

    # Small choices

    def entropy(self, size: int) -> str:
        return self.random.randbytes(size).hex()

    def chance(self, percent: int) -> bool:
        return not self.calm and self.random.randrange(100) < percent

    def key(self, names: tuple[str, ...]) -> str:
        """The public key of somebody, rarely a bad one."""
        if self.chance(4):
            return self.random.choice([SMALL, "ed" + "ff" * 30 + "7f", self.entropy(32)])
        return primitives.public_key(bytes.fromhex(self.seeds[self.one(names)])).hex()

    def one(self, names: Any) -> Any:
        """The first of some, mostly."""
        return self.random.choice(names) if self.chance(12) else names[0]

    def slot(self) -> int:
        return self.random.choice([0, 1, 1, 2, 3]) if self.chance(20) else 0

    def message(self, *kinds: str) -> str:
        """A message of one of these kinds that went before, mostly the last; rarely another, or a changed one."""
        known = [data for kind in kinds for data in self.messages[BY_NAME[kind].KIND]]
        if self.chance(3):
            known = [data for some in self.messages.values() for data in some[-3:]]
        if not known:
            raise Skip
        data = self.random.choice(known) if self.chance(15) else known[-1]
        if self.chance(4):
            data = self.changed(data)
        return data.hex()

    def changed(self, data: bytes) -> bytes:
        """The same with a bit flipped, a byte more or less, or another end."""
        how = self.random.randrange(4)
        at = self.random.randrange(max(1, len(data)))
        if how == 0 and data:
            return data[:at] + bytes([data[at] ^ 1 << self.random.randrange(8)]) + data[at + 1 :]
        if how == 1:
            return data[:at]
        if how == 2:
            return data + self.random.randbytes(1)
        return data[:8] + self.random.randbytes(max(0, len(data) - 8))

    def now(self) -> dict[str, Any]:
        self.ticks += self.random.choice([0, 1, 1, 250, 250, 250, 900, 900])
        if self.chance(4):
            self.ticks = max(0, self.ticks + self.random.choice([9000, 10001, 120001, -5]))
        if self.chance(6):
            self.clock = self.random.choice([NOON, NOON, NOON + 3600, NOON - 10, NOON + 10**6, 0, 2**64 - 1, "Unset"])
        return {"ticks": self.ticks, "clock": self.clock, "battery": self.random.choice([0, 62, 100, 255])}

    def time(self) -> int:
        """What a phone's or a service's clock says."""
        return self.random.choice([NOON + 300, NOON - 300, NOON + 301, 0, 2**64 - 1]) if self.chance(6) else NOON

    # What was said is remembered

    def heard(self, request: dict[str, Any], reply: dict[str, Any]) -> None:
        """Takes a reply in."""
        for value in [reply.get("answer"), *self._texts(reply.get("ok"))]:
            self._remember(value)
        ok, role = reply.get("ok"), request["role"]
        if ok is None:
            return
        name = request["as"]
        if role == "lock" and ok.get("lock"):
            self.ids[name] = ok["lock"]
        if "session" in ok:
            self.challenges[name].append((request["purpose"], ok["session"], ok["challenge"]))
        if "pending" in ok:
            self.pending.setdefault((name, request["op"]), []).append(ok["pending"])
        if role == "owner" and request["op"] == "ask":
            self.asked[name, ok["pending"]] = bytes.fromhex(ok["message"])
        if role == "owner" and "epoch" in ok and request["op"] != "status":
            self.views.add(name)
        if role == "service" and request["op"] == "open":
            self.opened.append((name, ok["lock"], request["slot"]))
        if role == "service" and request["op"] == "report":
            self.reports.append(ok["answer"])

    @staticmethod
    def _texts(ok: Any) -> list[Any]:
        return [] if not isinstance(ok, dict) else [ok.get(name) for name in ("answer", "message", "claim", "install", "challenge", "grant")]

    def _remember(self, text: Any) -> None:
        if not isinstance(text, str) or not text.startswith("534b01"):
            return
        data = bytes.fromhex(text)
        if len(data) > 3 and data[3] in KINDS:
            known = self.messages[data[3]]
            if data not in known:
                known.append(data)

    # The next request

    def _first(self) -> list[dict[str, Any]]:
        """The beginning: everybody is there."""
        asks = [self.ask("lock", "make", LOCKS[0], card=self.cards[LOCKS[0]], entropy=self.entropy(32))]
        asks += [self.ask("lock", "make", LOCKS[1], card=self.cards[LOCKS[1]], entropy=self.entropy(32))]
        asks += [self.ask("owner", "make", name, seed=self.seeds[name]) for name in OWNERS]
        asks += [self.ask("service", "make", name, seed=self.seeds[name]) for name in SERVICES]
        asks += [self.ask("guest", "make", name, seed=self.seeds[name]) for name in GUESTS]
        return asks

    @staticmethod
    def ask(role: str, op: str, name: str, **more: Any) -> dict[str, Any]:
        return {"role": role, "op": op, "as": name, **more}

    def next(self) -> dict[str, Any]:
        """The next request."""
        while True:
            while not self.waiting:
                self.waiting = list(self._move())
            item = self.waiting.pop(0)
            try:
                request = item() if callable(item) else item
            except Skip:
                continue
            if request is not None:
                return request

    def _move(self) -> list[Any]:
        """A few requests that belong together, each a function of what was heard."""
        if not self.opened and self.calm:
            return self.provision()
        if self.calm:
            return [*self.order("activate"), self._wild]
        moves = [
            (3, self.provision),
            (12, self.order),
            (12, self.share),
            (3, self.publish),
            (14, self.download),
            (12, self.unlock),
            (6, self.withdraw),
            (6, self.tell_service),
            (10, self.tell_owner),
            (3, self.statement),
            (2, self.store),
            (0.3, self.factory_reset),
            (1, self.adopt),
            (6, self.look),
        ]
        return self.random.choices([move for _, move in moves], [weight for weight, _ in moves])[0]()

    def _wild(self) -> None:
        self.calm = False

    def _challenge(self, purpose: str, name: str) -> dict[str, Any]:
        return self.ask("lock", "challenge", name, purpose=purpose, now=self.now(), entropy=self.entropy(32))

    def _session(self, name: str, purpose: str) -> Optional[tuple[str, int, str]]:
        known = [given for given in self.challenges[name] if given[0] == purpose]
        if not known:
            return None
        return self.random.choice(known) if self.chance(4) else known[-1]

    def _to_lock(self, name: str, op: str, purpose: str, kind: str, **more: Any) -> list[Any]:
        def send() -> Optional[dict[str, Any]]:
            given = self._session(name, purpose)
            if given is None:
                return None
            store = {"store": self.random.choice(["fails", "lost"])} if self.chance(4) else {}
            sent = {"session": given[1], "message": self.message(kind), "now": self.now()}
            return self.ask("lock", op, name, **sent, **more, **store)

        return [send]

    def _challenge_text(self, name: str, purpose: str) -> str:
        given = self._session(name, purpose)
        return self.message("Challenge") if given is None or self.chance(3) else given[2]

    def provision(self) -> list[Any]:
        lock, owner = self.one(LOCKS), self.one(OWNERS)
        card = self.entropy(16) if self.chance(8) else self.cards[lock]
        return [
            lambda: self._challenge("Operate", lock),
            lambda: self.ask(
                "owner",
                "provision",
                owner,
                card=card,
                challenge=self._challenge_text(lock, "Operate"),
                service=self.key(SERVICES),
                entropy=self.entropy(16),
            ),
            *self._to_lock(lock, "provision", "Operate", "Provision"),
            lambda: self._answer(owner, "provision", "provisioned", "Provisioned"),
            self.open,
        ]

    def open(self) -> Optional[dict[str, Any]]:
        """A statement for a record that is not there yet."""
        name, slot, statement = self.one(SERVICES), self.slot(), self.message("Provisioned", "Done")
        if (name, statement[8:72], slot) in self.opened or statement[6:8] == "0d" and len(statement) > 144 and (
            (name, statement[72:136], slot) in self.opened
        ):
            return None
        return self.ask("service", "open", name, slot=slot, statement=statement)

    def _answer(self, owner: str, asked: str, op: str, kind: str) -> Optional[dict[str, Any]]:
        known = self.pending.get((owner, asked))
        if not known:
            return None
        pending = self.random.choice(known) if self.chance(5) else known[-1]
        kind = "Refused" if self.chance(8) else kind
        return self.ask("owner", op, owner, pending=pending, answer=self.message(kind))

    def order(self, op: str = "") -> list[Any]:
        lock, owner = self.one(LOCKS), self.one(OWNERS)
        often = {"activate": 10, "deactivate": 4, "inspect": 8, "transfer": 1}
        op = op or self.random.choice([name for name in ORDERS for _ in range(often.get(name, 2))])
        draw: dict[str, Any] = {
            "slot": self.slot,
            "owner": lambda: self.key(OWNERS),
            "service": lambda: self.key(SERVICES),
            "to": lambda: self.random.choice([NOON, NOON + 60, 0, 2**64 - 1]),
            "action": lambda: self.random.choice(["Open", "Lock"]),
        }
        more = {name: draw[name]() for name, _ in ORDERS[op].FIELDS if name != "generation"}
        return [
            lambda: self._challenge("Operate", lock),
            lambda: self.ask(
                "owner", op, owner, challenge=self._challenge_text(lock, "Operate"), entropy=self.entropy(16), **more
            ),
            *self._to_lock(lock, "command", "Operate", "Command"),
            lambda: self._answer(owner, op, "done", "Done"),
            lambda: None if self.chance(25) else self._at_service("done", message=self.message("Done")),
        ]

    def _at_service(self, op: str, **more: Any) -> Optional[dict[str, Any]]:
        if not self.opened:
            return None
        name, lock, slot = self.one(self.opened)
        return self.ask("service", op, name, lock=lock, slot=slot, **more)

    def limits(self) -> Any:
        if self.random.randrange(2):
            return None
        soon = self.random.choice([NOON - 60, NOON, NOON + 10, None, None])
        schedule = None
        if self.chance(30):
            following = {"at": NOON, "offset": self.random.choice([-720, 0, 840])} if self.chance(50) else None
            start, end = self.random.choice([(0, 1440), (480, 1080), (1200, 300), (1439, 1)])
            days = self.random.choice([127, 31, 1, 64])
            schedule = {"days": days, "start": start, "end": end, "offset": self.random.choice([0, 60, -90]), "next": following}
        until = self.random.choice([NOON + 20, NOON + 10**5, None])
        return {"from": soon, "until": until, "schedule": schedule, "uses": self.random.choice([None, None, 1, 2])}

    def share(self) -> list[Any]:
        owner, subject = self.one(OWNERS), self.key(GUESTS)
        slot, rights, limits = self.slot(), self.random.choice([1, 2, 3, 3]), self.limits()
        return [
            lambda: self.ask("owner", "share", owner, slot=slot, subject=subject, rights=rights, limits=limits),
            *self.publish(),
        ]

    def publish(self) -> list[Any]:
        return [lambda: self._at_service("publish", message=self.message("Grant"))]

    def download(self) -> list[Any]:
        lock, guest = self.one(LOCKS), self.one(GUESTS)
        owner = {"owner": self.key(OWNERS)} if self.chance(30) else {}
        again, twice = self.chance(20), self.chance(10)
        return [
            lambda: self.ask(
                "guest", "ask", guest, service=self.key(SERVICES), time=self.time(), entropy=self.entropy(16)
            ),
            lambda: self.ask(
                "service", "find", self.one(SERVICES), message=self.message("FindRequest"), time=self.time()
            ),
            lambda: None
            if again
            else self.ask("guest", "claim", guest, grant=self.message("Grant"), entropy=self.entropy(32), **owner),
            lambda: self._challenge("Install", lock),
            lambda: self.ask(
                "guest", "install", guest, challenge=self._challenge_text(lock, "Install"), entropy=self.entropy(32)
            ),
            lambda: self._at_service("release", claim=self.message("Claim"), install=self.message("Install")),
            lambda: self.ask("guest", "bundle", guest, release=self.message("Release")),
            *self._to_lock(lock, "install", "Install", "Bundle", entropy=self.entropy(32)),
            lambda: self.ask("guest", "finish", guest, answer=self.message("Refused" if self.chance(10) else "Receipt")),
            lambda: None if self.chance(25) else self._at_service("confirm", message=self.message("Receipt")),
            lambda: self._at_service("release", claim=self.message("Claim"), install=self.message("Install")) if twice else None,
        ]

    def unlock(self) -> list[Any]:
        lock, guest, action = self.one(LOCKS), self.one(GUESTS), self.random.choice(["Open", "Open", "Lock"])
        return [
            lambda: self._challenge("Operate", lock),
            lambda: self.ask(
                "guest",
                "unlock",
                guest,
                challenge=self._challenge_text(lock, "Operate"),
                action=action,
                entropy=self.entropy(16),
            ),
            *self._to_lock(lock, "unlock", "Operate", "Unlock"),
            lambda: self.ask("guest", "reply", guest, answer=self.message("Refused" if self.chance(8) else "Reply")),
        ]

    def withdraw(self) -> list[Any]:
        owner, slot = self.one(OWNERS), self.slot()
        if self.chance(30):
            return [lambda: self._withdraw_key(owner), *self.withdraw()[1:]]
        return [
            lambda: self.ask("owner", "withdraw", owner, slot=slot),
            lambda: self._at_service("withdraw", message=self.message("Withdraw")),
            lambda: self.ask("owner", "learn", owner, message=self.message("Withdrawn")),
        ]

    def _withdraw_key(self, owner: str) -> dict[str, Any]:
        grants = [data for data in self.messages[Grant.KIND]]
        if not grants:
            raise Skip
        grant = Grant.decode(self.random.choice(grants))
        named = {"slot": grant.slot, "generation": grant.generation, "grant": grant.digest().hex()}
        return self.ask("owner", "withdraw_key", owner, **named)

    def tell_service(self) -> list[Any]:
        kind, op = self.random.choice([("Done", "done"), ("Receipt", "confirm"), ("Withdraw", "withdraw"), ("Grant", "publish")])
        return [
            lambda: self.ask("service", "place", self.one(SERVICES), message=self.message(kind)),
            lambda: self._at_service(op, message=self.message(kind)),
            lambda: self._at_service("state"),
        ]

    def tell_owner(self) -> list[Any]:
        owner, slot = self.one(OWNERS), self.slot()

        def see() -> Optional[dict[str, Any]]:
            known = self.pending.get((owner, "ask"))
            if not known:
                return None
            pending = self.random.choice(known) if self.chance(8) else known[-1]
            if self.chance(60):
                answer = self.forged(owner, self.asked[owner, pending])
            elif not self.reports:
                return None
            else:
                answer = self.one(self.reports[::-1])
            if self.chance(4):
                answer = self.changed(bytes.fromhex(answer)).hex()
            return self.ask("owner", "see", owner, pending=pending, answer=answer)

        return [
            lambda: self.ask("owner", "ask", owner, slot=slot, time=self.time(), entropy=self.entropy(16)),
            self._report,
            see,
            lambda: self.ask("owner", "learn", owner, message=self.message("Done", "Receipt", "Withdrawn", "Grant")),
            lambda: self.ask("owner", "status", owner, slot=slot),
        ]

    def statement(self) -> list[Any]:
        op = self.random.choice(["reopen", "reopen", "open"])
        if op == "open":
            return [self.open]
        return [lambda: self._at_service("reopen", statement=self.message("Done", "Provisioned"))]

    def store(self) -> list[Any]:
        lock, cell = self.one(LOCKS), self.random.randrange(6)
        if self.chance(60):
            return [lambda: self.ask("lock", "reboot", lock)]
        if self.chance(85):
            return [lambda: self.ask("lock", "reload", lock, cell=each) for each in range(6)]
        bad = {} if self.chance(30) else {"bytes": self.entropy(20)}
        cell = self.random.choice([3, 3, 4, 5, 2, 1])
        return [
            lambda: self.ask("lock", "damage", lock, cell=cell, **bad),
            lambda: self.ask("lock", "reboot", lock) if self.chance(60) else None,
        ]

    def factory_reset(self) -> list[Any]:
        lock = self.one(LOCKS)

        def forge() -> Optional[dict[str, Any]]:
            given = self._session(lock, "Operate")
            if given is None or lock not in self.ids:
                return None
            nonce = bytes.fromhex(given[2])[36:]
            reset = FactoryReset(bytes.fromhex(self.ids[lock]), nonce).tagged(bytes.fromhex(self.cards[lock])).encode()
            self._remember(reset.hex())
            sent = {"session": given[1], "message": self.message("FactoryReset"), "now": self.now()}
            return self.ask("lock", "reset", lock, presence=not self.chance(15), entropy=self.entropy(32), **sent)

        return [
            lambda: self._challenge("Operate", lock),
            forge,
            lambda: self._challenge("Operate", lock),
            lambda: self.ask("lock", "reboot", lock),
            lambda: None if self.chance(10) else self.ask("lock", "make", lock, entropy=self.entropy(32)),
        ]

    def adopt(self) -> list[Any]:
        owner = OWNERS[1] if self.chance(70) else OWNERS[0]
        dones = [Done.decode(data) for data in self.messages[Done.KIND]]
        transfers = [done for done in dones if isinstance(done.completed, Transfer)]
        if not transfers:
            return []
        done = self.random.choice(transfers)
        service = done.completed.service.hex() if self.chance(80) else self.key(SERVICES)
        sent = {"lock": done.lock.hex(), "service": service, "statement": done.encode().hex()}
        return [
            lambda: self.ask("owner", "adopt", owner, **sent) if self.chance(80) else None,
            lambda: self.ask("owner", "moved", owner, service=service, message=sent["statement"])
            if self.chance(50)
            else None,
            lambda: self._at_service("reopen", statement=done.encode().hex()),
        ]

    def look(self) -> list[Any]:
        return [
            lambda: self.ask("lock", "status", self.one(LOCKS)),
            lambda: self.ask("owner", "status", self.one(OWNERS), slot=self.slot()),
            lambda: self._at_service("state"),
            self._report,
        ]

    def _report(self) -> Optional[dict[str, Any]]:
        message = self.message("ReportRequest")
        place = message[8:72], int(message[88:90] or "0", 16)
        meant = [each for each in self.opened if each[1:] == place]
        if not meant or self.chance(6):
            return self._at_service("report", message=message, time=self.time())
        name, lock, slot = self.one(meant)
        return self.ask("service", "report", name, lock=lock, slot=slot, message=message, time=self.time())

    def forged(self, owner: str, asked: bytes) -> str:
        """What a taken-over service may answer: anything that was signed, under its own key."""
        request, key = ReportRequest.decode(asked), primitives.public_key(bytes.fromhex(self.seeds[owner]))
        dones = [Done.decode(data) for data in self.messages[Done.KIND]]
        mine = [done.encode() for done in dones if isinstance(done.completed, Transfer) and done.completed.owner == key]
        statements = self.messages[Provisioned.KIND] + mine
        parts = [self.one(statements[::-1])] if statements else []
        if self.chance(10):
            parts = [bytes.fromhex(self.message("Provisioned", "Grant"))]
        kinds = ("Grant", "Receipt", "Done", "Withdrawn")
        parts += [bytes.fromhex(self.message(self.random.choice(kinds))) for _ in range(self.random.randrange(5))]
        version, state = self.random.choice([7, 7, 7, 7, 7, 8, 0, 2**64 - 1]), self.random.choice(list(State))
        epoch, slots = request.epoch + self.random.choice([0, 0, 0, 0, 1]), self.random.choice([3, 3, 3, 4, 255])
        report = Report(request.digest(), request.lock, epoch % 2**32, request.slot, version, state, slots, content(parts))
        return join(report.signed(bytes.fromhex(self.seeds[self.one(SERVICES)])).encode(), parts).hex()
