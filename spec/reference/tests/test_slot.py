"""The slot record's rules, one by one, and a random walk against a model of the lock."""

import random
from dataclasses import replace

import pytest
from sharekey import slot
from sharekey.errors import RuleBroken
from sharekey.limits import Limits
from sharekey.messages import Empty, Grant, Inactive, Installed, Left, NeverReleased, Receipt, Released, Settled, Withdraw
from sharekey.slot import SlotRecord

LOCK = b"L" * 32
PROOF = b"p" * 32  # the digest of a Done of an Inspect


def grant(number: int, subject: int = 1) -> Grant:
    return Grant(LOCK, 1, 0, 0, number, bytes([subject]) * 32, 3, Limits(), b"s" * 64)


def withdraw(of: Grant) -> Withdraw:
    return Withdraw(LOCK, 1, 0, 0, of.generation, of.digest())


def receipt(of: Grant, device: bytes = b"d" * 32, install: bytes = b"i" * 32, epoch: int = 1) -> Receipt:
    return Receipt(install, LOCK, epoch, 0, of.generation, of.digest(), device, b"x" * 32, b"s" * 64)


def active(number: int = 1) -> SlotRecord:
    return slot.done_number(SlotRecord(1), number, True)


def released(of: Grant) -> SlotRecord:
    return slot.release(slot.publish(active(), of), of.digest(), b"d" * 32, b"i" * 32)


def name_of(call) -> str:
    with pytest.raises(RuleBroken) as bad:
        call()
    return bad.value.name


def test_slo_1():
    record = SlotRecord(5)
    assert record.state == "Inactive" and not record.live
    assert (record.highest, record.proven, record.last_told) == (0, 0, 0)


def test_publication():
    assert name_of(lambda: slot.publish(SlotRecord(1), grant(1))) == "NotActive"
    record = slot.publish(active(), grant(2))
    assert record.state == "Sharing" and record.highest == 2 and not record.live
    assert name_of(lambda: slot.publish(record, grant(2, 7))) == "StaleNumber"
    with pytest.raises(slot.PublicationRefused) as bad:
        slot.publish(record, grant(9))
    assert bad.value.name == "AlreadyShared" and bad.value.record.highest == 9  # SLO-9
    assert bad.value.record.share == record.share


def test_max_live():
    record = active()
    for number in range(2, 18):
        g = grant(number)
        record = slot.release(slot.publish(record, g), g.digest(), b"d" * 32, b"i" * 32)
        record, _ = slot.withdraw(record, withdraw(g))
    assert len(record.live) == slot.MAX_LIVE
    assert name_of(lambda: slot.publish(record, grant(18))) == "LiveFull"
    record = slot.receipt(record, receipt(grant(17)))
    assert record.live_generations == {17}
    assert slot.publish(record, grant(18)).state == "Sharing"


def test_release():
    g = grant(2)
    assert name_of(lambda: slot.release(active(), g.digest(), b"d" * 32, b"i" * 32)) == "NotPublished"
    record = released(g)
    assert record.state == "Shared" and not record.share.confirmed and record.live_generations == {2}
    again = slot.release(record, g.digest(), b"d" * 32, b"j" * 32)
    assert again.share.install == b"j" * 32 and len(again.live) == 1
    assert name_of(lambda: slot.release(record, g.digest(), b"e" * 32, b"j" * 32)) == "ClaimedByOtherDevice"
    assert name_of(lambda: slot.release(record, grant(3).digest(), b"d" * 32, b"j" * 32)) == "NotPublished"


def test_withdrawal():
    g = grant(2)
    record, answer = slot.withdraw(slot.publish(active(), g), withdraw(g))
    assert answer == NeverReleased() and record.state == "NotShared"
    assert name_of(lambda: slot.release(record, g.digest(), b"d" * 32, b"i" * 32)) == "NotPublished"  # SLO-22
    record, answer = slot.withdraw(released(g), withdraw(g))
    assert answer == Released(b"i" * 32) and record.state == "NotShared" and record.live_generations == {2}
    assert slot.withdraw(record, withdraw(g)) == (record, answer)  # SLO-16
    dead = slot.done_number(record, 3, True)
    assert slot.withdraw(dead, withdraw(g))[1] == Settled()


def test_withdrawal_of_another_grant():
    g, unpublished = grant(2), grant(7)
    record, answer = slot.withdraw(slot.publish(active(), g), withdraw(unpublished))
    assert answer == NeverReleased() and record.state == "Sharing" and record.highest == 7  # SLO-10, SLO-18
    assert name_of(lambda: slot.publish(record, unpublished)) == "StaleNumber"
    twin = grant(2, 9)
    record, answer = slot.withdraw(released(g), withdraw(twin))
    assert answer == NeverReleased() and record.state == "Shared"
    proved = slot.receipt(released(g), receipt(g))
    assert slot.withdraw(proved, withdraw(twin))[1] == Settled()  # SLO-43: nothing else of that number installs
    wrong = replace(withdraw(g), generation=9)
    record, answer = slot.withdraw(released(g), wrong)
    assert answer == NeverReleased() and record.state == "Shared" and record.highest == 9  # another grant
    found = slot.done_inspect(active(), Left(2, Installed(g.digest(), b"d" * 32)), b"p" * 32)
    assert slot.withdraw(found, withdraw(g))[1] == Released(b"p" * 32)  # SLO-44
    assert name_of(lambda: slot.publish(slot.publish(active(), g), g)) == "AlreadyPublished"


def test_receipts():
    g = grant(2)
    record = slot.receipt(released(g), receipt(g))
    assert record.share.confirmed and record.proven == 2 and record.live[0].confirmed
    assert slot.receipt(record, receipt(g)) == record  # SLO-24
    assert slot.receipt(released(g), receipt(g, epoch=2)) == released(g)  # SLO-39
    other = grant(5, 4)
    record = slot.receipt(released(g), receipt(other))
    assert record.share is None and record.live_generations == {5} and record.highest == 5  # SLO-41, SLO-26
    higher = slot.receipt(slot.publish(active(), grant(9)), receipt(g))
    assert higher.share.generation == 9 and higher.live_generations == {2}


def test_receipt_keeps_the_latest_install():
    g = grant(2)
    record = slot.release(released(g), g.digest(), b"d" * 32, b"j" * 32)
    assert slot.withdraw(record, withdraw(g))[1] == Released(b"j" * 32)
    record = slot.receipt(record, receipt(g))  # of an earlier install, late
    assert slot.withdraw(record, withdraw(g))[1] == Released(b"j" * 32)
    record = slot.release(record, g.digest(), b"d" * 32, b"k" * 32)
    assert slot.withdraw(record, withdraw(g))[1] == Released(b"k" * 32)


def test_dones():
    g = grant(5)
    record = slot.done_number(released(g), 3, False)
    assert record.state == "Inactive" and record.live_generations == {5} and record.proven == 3  # SLO-40
    record = slot.done_number(released(g), 3, True)
    assert record.state == "Shared"
    record = slot.done_number(released(g), 5, True)
    assert record.state == "NotShared" and not record.live and record.last_told == 5  # SLO-29, SLO-30
    late = slot.done_number(slot.done_number(active(4), 6, False), 5, True)
    assert late.state == "Inactive" and late.last_told == 6  # SLO-32, SLO-38
    late = slot.done_number(slot.publish(active(4), grant(8)), 3, False)
    assert late.state == "Sharing"


def test_inspects():
    g = grant(2)
    holder = Left(2, Installed(g.digest(), b"d" * 32))
    record = slot.done_inspect(released(g), holder, PROOF)
    assert record.share.confirmed and record.live_generations == {2} and record.proven == 2
    vacant = slot.done_inspect(released(g), Left(4, Inactive()), PROOF)
    assert not vacant.live and vacant.proven == 4 and vacant.state == "Inactive"  # SLO-33, SLO-36, SLO-42, SLO-45
    assert slot.done_inspect(vacant, Left(5, Empty()), PROOF).state == "NotShared"  # SLO-46
    assert slot.receipt(SlotRecord(1), receipt(g)).state == "NotShared"  # SLO-47
    below = slot.done_inspect(released(g), Left(1, Empty()), PROOF)
    assert below.live_generations == {2} and below.state == "Shared"
    at = slot.done_inspect(released(g), Left(2, Empty()), PROOF)
    assert not at.live  # SLO-34
    assert slot.done_inspect(SlotRecord(1), Left(7, Empty()), PROOF).highest == 7


def test_number_line_ends():
    assert slot.next_number(replace(active(), highest=2**32 - 2)) == 2**32 - 1
    assert name_of(lambda: slot.next_number(replace(active(), highest=2**32 - 1))) == "Exhausted"


class Model:
    """A lock's slot, the service's record, and statements in flight that arrive in any order."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.record = SlotRecord(1)
        self.top = self.floor = 0
        self.holding = Inactive()
        self.said: list = []
        self.grants: list[Grant] = []
        self.releases: list[Grant] = []

    def number(self) -> int:
        self.top += 1
        return self.top

    def step(self) -> None:
        getattr(self, self.random.choice(["order", "order", "share", "share", "free", "put", "put", "hear", "look"]))()

    def order(self) -> None:
        number, activate = self.number(), self.random.random() < 0.7
        self.floor, self.holding = number, Empty() if activate else Inactive()
        self.said.append(lambda record: slot.done_number(record, number, activate))

    def share(self) -> None:
        g = grant(self.number())
        try:
            self.record = slot.publish(self.record, g)
            self.grants.append(g)
        except slot.PublicationRefused as refused:
            self.record = refused.record

    def free(self) -> None:
        if self.grants:
            g = self.random.choice(self.grants)
            try:
                self.record = slot.release(self.record, g.digest(), b"d" * 32, b"i" * 32)
                self.releases.append(g)
            except RuleBroken:
                if self.random.random() < 0.5:
                    self.record, _ = slot.withdraw(self.record, withdraw(g))

    def put(self) -> None:
        """An install of something released, now or long ago."""
        if self.releases and not isinstance(self.holding, Inactive):
            g = self.random.choice(self.releases)
            if g.generation > self.floor:
                self.floor, self.holding = g.generation, Installed(g.digest(), b"d" * 32)
                self.said.append(lambda record: slot.receipt(record, receipt(g)))

    def look(self) -> None:
        left = Left(self.floor, self.holding)
        self.said.append(lambda record: slot.done_inspect(record, left, PROOF))

    def hear(self) -> None:
        """A statement arrives, or one that arrived before arrives again."""
        if self.said:
            at = self.random.randrange(len(self.said))
            self.record = self.said[at](self.record)
            if self.random.random() < 0.7:
                self.said.pop(at)

    def check(self) -> None:
        if isinstance(self.holding, Installed):
            assert self.record.live_grant(self.floor, self.holding.grant) is not None, "the view hides the holder"
        if self.record.share is not None:
            assert self.record.active
            if self.record.share.confirmed:
                assert self.record.share.device is not None
        assert self.record.proven <= self.record.highest
        assert len(self.record.live) <= slot.MAX_LIVE + 1


@pytest.mark.parametrize("seed", range(60))
def test_honest_view_on_random_walks(seed):
    model = Model(seed)
    for _ in range(120):
        model.step()
        model.check()
