"""One slot as the owner and the service see it ("Slots"): a record, and pure functions from record to record.

The callers have checked authenticators, lock, epoch and slot before; nothing here knows a key.

`live` holds one entry for each grant that may still open, not just its number: two phones may sign two
grants of one number, and only one of them was never released. A grant is named by number and digest together.

The errors have the names of the specification without the "Slot." that the roles put before them (`as_role`).
"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Callable, Iterator, Optional

from .errors import RuleBroken
from .messages import Empty, Grant, Installed, Left, NeverReleased, Receipt, Released, Settled, Withdraw, Withdrawn
from .wire import MAX_U32

MAX_LIVE = 16  # SLO-13

INACTIVE = "Inactive"
NOT_SHARED = "NotShared"
SHARING = "Sharing"
SHARED = "Shared"


@dataclass(frozen=True)
class Share:
    """The grant that is being shared; of a released one the device and the latest install."""

    grant: bytes
    generation: int
    device: Optional[bytes] = None
    install: Optional[bytes] = None
    confirmed: bool = False


@dataclass(frozen=True)
class Live:
    """A grant whose key may still open."""

    grant: bytes
    generation: int
    device: Optional[bytes] = None
    install: Optional[bytes] = None
    confirmed: bool = False
    proof: Optional[bytes] = None  # the digest of the receipt or Done that confirmed it
    withdrawn: bool = False  # at the owner: its withdrawal was answered


@dataclass(frozen=True)
class SlotRecord:
    """SLO-1: a record of a new epoch begins Inactive, with all numbers 0 and nothing live."""

    epoch: int
    highest: int = 0
    proven: int = 0
    last_told: int = 0  # SLO-38: a number of its own, the highest floor that told whether the slot was open
    active: bool = False
    share: Optional[Share] = None
    live: tuple[Live, ...] = ()

    @property
    def state(self) -> str:
        """The state that the app shows."""
        if self.share is None:
            return NOT_SHARED if self.active else INACTIVE
        return SHARING if self.share.device is None else SHARED

    @property
    def live_generations(self) -> frozenset[int]:
        """The generations whose keys may still open."""
        return frozenset(entry.generation for entry in self.live)

    def live_grant(self, generation: int, grant: bytes) -> Optional[Live]:
        """The live entry of a grant, if it is live."""
        return next((entry for entry in self.live if (entry.generation, entry.grant) == (generation, grant)), None)

    def proved_dead(self, generation: int, grant: bytes) -> bool:
        """Whether a Done or a receipt proved that no key of this grant can open or install."""
        return generation <= self.proven and self.live_grant(generation, grant) is None

    def shares(self, generation: int, grant: bytes) -> bool:
        """Whether this grant is the one that is shared."""
        return self.share is not None and (self.share.generation, self.share.grant) == (generation, grant)


class PublicationRefused(RuleBroken):
    """SLO-9: the record that comes with it is to be stored all the same."""

    def __init__(self, name: str, record: SlotRecord) -> None:
        super().__init__(name)
        self.record = record


@contextmanager
def as_role() -> Iterator[None]:
    """The slot's errors as those of a role."""
    try:
        yield
    except PublicationRefused as refused:
        raise PublicationRefused(f"Slot.{refused.name}", refused.record) from None
    except RuleBroken as broken:
        raise RuleBroken(f"Slot.{broken.name}", broken.detail) from None


def seen(record: SlotRecord, number: int) -> SlotRecord:
    """SLO-7: the highest number only rises."""
    return replace(record, highest=max(record.highest, number))


def next_number(record: SlotRecord) -> int:
    """SLO-6: a number above the highest seen, for a grant, an Activate or a Deactivate."""
    if record.highest == MAX_U32:
        raise RuleBroken("Exhausted", "the number line is at its end")
    return record.highest + 1


def drop_live(record: SlotRecord, dead: Callable[[Live], bool]) -> SlotRecord:
    """Takes out of live what is dead."""
    return replace(record, live=tuple(entry for entry in record.live if not dead(entry)))


def put_live(record: SlotRecord, new: Live) -> SlotRecord:
    """Makes a grant live, or renews its entry; in the order of the generations."""
    others = [entry for entry in record.live if (entry.generation, entry.grant) != (new.generation, new.grant)]
    return replace(record, live=tuple(sorted(others + [new], key=lambda e: (e.generation, e.grant))))


def note_live(record: SlotRecord, generation: int, grant: bytes, install: Optional[bytes] = None) -> SlotRecord:
    """A grant may open, by what the owner signed or the service said (OWN-25)."""
    known = record.live_grant(generation, grant)
    if known is not None:
        return put_live(record, replace(known, install=install or known.install))
    if sum(not entry.confirmed for entry in record.live) >= MAX_LIVE:
        raise RuleBroken("LiveFull")
    return put_live(record, Live(grant, generation, None, install))


def end_share(record: SlotRecord, ends: Callable[[Share], bool]) -> SlotRecord:
    """Ends the share, if there is one that is to end. What was released stays live."""
    return replace(record, share=None) if record.share is not None and ends(record.share) else record


def check_publication(record: SlotRecord, generation: int, grant: Optional[bytes] = None) -> None:
    """In this order: not published already, SLO-8, SLO-11, SLO-12."""
    after = seen(record, generation)
    if grant is not None and record.shares(generation, grant):
        raise PublicationRefused("AlreadyPublished", after)
    if generation <= record.highest:
        raise PublicationRefused("StaleNumber", after)
    if record.state != NOT_SHARED:
        raise PublicationRefused("NotActive" if record.state == INACTIVE else "AlreadyShared", after)
    if len(record.live) >= MAX_LIVE:
        raise PublicationRefused("LiveFull", after)


def publish(record: SlotRecord, grant: Grant) -> SlotRecord:
    """NotShared to Sharing."""
    check_publication(record, grant.generation, grant.digest())
    return replace(seen(record, grant.generation), share=Share(grant.digest(), grant.generation))


def release(record: SlotRecord, grant: bytes, device: bytes, install: bytes) -> SlotRecord:
    """SLO-14 and SLO-15: Sharing to Shared, or Shared again for the same grant and device."""
    share = record.share
    if share is None or share.grant != grant:
        raise RuleBroken("NotPublished", record.state)
    if share.device not in (None, device):
        raise RuleBroken("ClaimedByOtherDevice")
    record = note_live(record, share.generation, grant, install)
    return replace(record, share=replace(share, device=device, install=install))


def withdraw(record: SlotRecord, order: Withdraw) -> tuple[SlotRecord, "NeverReleased | Released | Settled"]:
    """A revocation or a reset, and the answer that says which (SLO-16 to SLO-23, SLO-44).

    SLO-22 holds because the share is over and the grant's number is not above the highest any more.
    """
    record = seen(record, order.generation)  # SLO-10
    if record.shares(order.generation, order.grant):  # SLO-17, SLO-18
        record = replace(record, share=None)
    entry = record.live_grant(order.generation, order.grant)
    if entry is not None:
        return record, Released(entry.install or entry.proof)  # SLO-19, SLO-44
    if record.proved_dead(order.generation, order.grant):
        return record, Settled()  # SLO-20
    return record, NeverReleased()  # SLO-21


def answered(record: SlotRecord, answer: Withdrawn) -> SlotRecord:
    """At the owner: the answer to a withdrawal (SLO-7, OWN-14, OWN-15, OWN-19, OWN-24, OWN-25, OWN-29)."""
    generation, grant = answer.generation, answer.grant
    known = record.live_grant(generation, grant)
    if isinstance(answer.outcome, NeverReleased):
        if known is not None and known.install is None and not known.confirmed:
            record = drop_live(record, lambda entry: entry == known)
    elif isinstance(answer.outcome, Released) and not record.proved_dead(generation, grant):
        record = note_live(record, generation, grant, answer.outcome.install)
    known = record.live_grant(generation, grant)
    if known is not None:
        record = put_live(record, replace(known, withdrawn=True))
    if record.shares(generation, grant):
        record = replace(record, share=None)
    return seen(record, generation)


def learn(record: SlotRecord, generation: int, grant: bytes, answered: bool = False) -> SlotRecord:
    """At the owner: a grant that another phone signed (OWN-14, OWN-17, OWN-18, OWN-25)."""
    if record.proved_dead(generation, grant):
        return record
    newer = generation > record.highest
    record = seen(note_live(record, generation, grant), generation)
    known = record.live_grant(generation, grant)
    if answered:
        known = replace(known, withdrawn=True)
        record = put_live(record, known)
    if record.state != INACTIVE and (newer or (record.share is None and not known.withdrawn)):
        record = replace(record, share=Share(grant, generation, known.device, known.install, known.confirmed))
    return record


def confirm(
    record: SlotRecord, generation: int, grant: bytes, device: bytes, install: Optional[bytes], proof: bytes
) -> SlotRecord:
    """A receipt, or what has the effects of one (SLO-24 to SLO-28, SLO-41, SLO-43, SLO-35)."""
    if generation <= record.proven:
        return record
    current = record.shares(generation, grant)
    record = told(replace(seen(record, generation), proven=generation), generation, True)  # SLO-25, SLO-47
    if not current:
        record = end_share(record, lambda share: share.generation <= generation)
    known = record.live_grant(generation, grant)
    if known is not None and known.install is not None:
        install = known.install  # the latest one; the receipt may be of an earlier
    new = Live(grant, generation, device, install, True, proof, known is not None and known.withdrawn)
    record = put_live(drop_live(record, lambda entry: entry.generation <= generation), new)  # SLO-26, SLO-27
    if current:
        record = replace(record, share=Share(grant, generation, device, install, True))  # SLO-28, SLO-2
    return record


def receipt(record: SlotRecord, message: Receipt) -> SlotRecord:
    """A receipt, however late (SLO-37); of another epoch it changes nothing (SLO-39)."""
    if message.epoch != record.epoch:
        return record
    return confirm(
        record, message.generation, message.grant, message.device, message.install, message.digest()
    )


def done_number(record: SlotRecord, number: int, activate: bool) -> SlotRecord:
    """A Done of an Activate or a Deactivate (SLO-29 to SLO-32, SLO-40)."""
    record = drop_live(seen(record, number), lambda entry: entry.generation <= number)  # SLO-29
    record = end_share(record, lambda share: share.generation <= number)  # SLO-30
    record = replace(record, proven=max(record.proven, number))  # SLO-31
    return told(record, number, activate)


def told(record: SlotRecord, floor: int, active: bool) -> SlotRecord:
    """What the lock told of whether the slot was open at a floor (SLO-32, SLO-40, SLO-47)."""
    if floor <= record.last_told:
        return record
    record = replace(record, last_told=floor, active=active)
    return record if active else end_share(record, lambda share: True)


def done_inspect(record: SlotRecord, left: Left, proof: bytes) -> SlotRecord:
    """A Done of an Inspect (SLO-33 to SLO-36, SLO-42, SLO-45, SLO-46)."""
    holder = left.holding
    if isinstance(holder, Installed):
        return confirm(record, left.floor, holder.grant, holder.device, None, proof)
    return done_number(record, left.floor, isinstance(holder, Empty))
