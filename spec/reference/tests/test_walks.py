"""Random walks of all roles, with lost and late messages and power cuts."""

from __future__ import annotations

import random

import pytest
from sharekey import guest
from sharekey.cells import Pending
from sharekey.errors import SharekeyError
from sharekey.lock import Refusal, Result
from sharekey.limits import Limits
from sharekey.messages import Activate, Deactivate, Done, Inspect, NeverReleased, Receipt, Transfer
from sharekey.records import Key
from sharekey.owner import Owner
from world import World

STEPS = ["order", "share", "download", "download", "unlock", "withdraw", "hear", "hear", "cut", "transfer"]
WEIGHTS = [2, 6, 6, 6, 10, 3, 8, 8, 1, 1]


class Walk:
    """One world, what the lock said and nobody heard yet, and what the tests count."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.w = World(slots=2)
        self.w.entropy.label = f"walk {seed}"
        self.w.provision()
        self.said: list = []
        self.downloads: list[guest.Download] = []
        self.opened: dict[bytes, int] = {}
        self.never: set[bytes] = set()

    def send(self, pending) -> None:
        """The lock's answer, unless the power goes before or after the write."""
        if isinstance(pending, Refusal):
            return
        assert isinstance(pending, Pending)
        luck = self.random.random()
        if luck < 0.06:
            if luck < 0.03 and pending.record is not None:
                self.w.store[pending.cell] = pending.record
            self.w.boot()
            return
        result = self.w.finish(pending)
        if isinstance(result, Result):
            kind = result.message[3]
            if kind in (Receipt.KIND, Done.KIND):
                self.said.append((Receipt if kind == Receipt.KIND else Done).decode(result.message))

    def order(self) -> None:
        slot = self.random.randrange(2)
        active = self.w.owner.view(slot)[1].active
        kind = self.random.choice([Activate, Deactivate, Inspect, Inspect, Inspect] if active else [Activate])
        operation = Inspect(slot) if kind is Inspect else kind(slot, self.w.owner.next_number(slot))
        self.send(self.w.order(operation))

    def transfer(self) -> None:
        """To oneself; where the Done of an earlier one was lost, the new epoch is taken up so."""
        if self.w.owner.epoch != self.w.lock.owned.epoch:
            self.w.owner = Owner(self.w.owner_seed, self.w.owner.lock, self.w.lock.owned.epoch, self.w.service.key)
        elif self.random.random() > 0.3:
            return
        before = len(self.said)
        self.send(self.w.order(Transfer(self.w.owner.key, self.w.service.key)))
        if len(self.said) > before and self.random.random() < 0.8:
            self.w.tell(self.said[-1])

    def share(self) -> None:
        uses = self.random.choice([None, 1, 2])
        slot = self.random.randrange(2)
        try:
            self.downloads.append(self.w.share(slot, Limits(uses=uses)))
        except SharekeyError:
            pass

    def download(self) -> None:
        if not self.downloads:
            return
        d = self.random.choice(self.downloads[-4:])
        try:
            bundle, session = self.w.release(d)
        except SharekeyError:
            return
        outcome = self.w.lock.install(session, bundle.encode(), self.w.now, self.w.entropy())
        before = len(self.said)
        self.send(outcome)
        if len(self.said) > before and self.random.random() < 0.8:
            guest.receipt(d, self.said[-1])

    def unlock(self) -> None:
        ready = [d for d in self.downloads if d.pairing is not None]
        if not ready:
            return
        d = self.random.choice(ready)
        _, outcome = self.w.ask(d)
        before = len(self.w.bolts)
        self.send(outcome)
        if len(self.w.bolts) > before:
            digest = d.grant.digest()
            self.opened[digest] = self.opened.get(digest, 0) + 1
            assert digest not in self.never, "a grant that was never released opened"
            if d.grant.limits.uses is not None:
                assert self.opened[digest] <= d.grant.limits.uses, "more openings than granted"

    def withdraw(self) -> None:
        if self.downloads:
            d = self.random.choice(self.downloads[-3:])
            g = d.grant
            if g.epoch != self.w.owner.epoch:
                return
            try:
                answer = self.w.service.withdraw(self.w.owner.withdraw(g.slot, g.generation, g.digest()))
            except SharekeyError:
                return
            if self.random.random() < 0.8:
                self.w.owner.withdrawn(answer)
            if answer.outcome == NeverReleased():
                self.never.add(g.digest())

    def hear(self) -> None:
        """Owner or service hears something the lock said, perhaps late and again."""
        if self.said:
            at = self.random.choice([len(self.said) - 1, self.random.randrange(len(self.said))])
            said = self.said[at]
            for who in self.random.sample([self.w.owner, self.w.service], self.random.randint(1, 2)):
                try:
                    self.w.tell_one(who, said)
                except SharekeyError as error:
                    assert error.name in ("OldEpoch", "WrongEpoch", "Moved"), error
            if self.random.random() < 0.5:
                self.said.pop(at)

    def cut(self) -> None:
        self.w.boot()

    def check(self) -> None:
        epoch = self.w.lock.owned.epoch
        for index in range(2):
            found = self.w.lock.slot_now(index)
            held = found.holding
            if not isinstance(held, Key):
                continue
            assert held.grant not in self.never
            if self.w.owner.epoch == epoch:
                assert self.w.owner.view(index)[1].live_grant(found.floor, held.grant) is not None
            service = self.w.service.view(self.w.owner.lock, index)[1]
            if service.epoch == epoch:
                assert service.live_grant(found.floor, held.grant) is not None
        assert not self.w.owner.equivocations


@pytest.mark.parametrize("seed", range(10))
def test_walk(seed):
    walk = Walk(seed)
    for _ in range(400):
        getattr(walk, walk.random.choices(STEPS, WEIGHTS)[0])()
        walk.check()


def test_the_walks_get_somewhere():
    walk = Walk(3)
    for _ in range(400):
        getattr(walk, walk.random.choices(STEPS, WEIGHTS)[0])()
    assert walk.opened and walk.w.bolts and len(walk.downloads) > 3
