"""One slot as the owner and the service see it ("Slots"): a record, and pure functions from record to record.

The callers have checked authenticators, lock, epoch and slot before; nothing here knows a key.

`live` holds one entry for each grant that may still open, not just its number: two phones may sign two
grants of one number, and only one of them was never released.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Callable, Optional

from .errors import RuleBroken
from .messages import Grant, Left, NeverReleased, Receipt, Released, Settled, Withdraw
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


@dataclass(frozen=True)
class SlotRecord:
    """SLO-1: a record of a new epoch begins Inactive, with all numbers 0 and nothing live."""

    epoch: int
    highest: int = 0
    proven: int = 0
    last_done: int = 0
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

    def live_grant(self, grant: bytes) -> Optional[Live]:
        """The live entry of a grant, if it is live."""
        return next((entry for entry in self.live if entry.grant == grant), None)

    def proved_dead(self, generation: int) -> bool:
        """Whether a Done or a receipt proved that no key of this generation can open or install."""
        return generation <= self.proven and generation not in self.live_generations


class PublicationRefused(RuleBroken):
    """SLO-9: the record that comes with it is to be stored all the same."""

    def __init__(self, name: str, record: SlotRecord) -> None:
        super().__init__(name)
        self.record = record


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
    others = [entry for entry in record.live if entry.grant != new.grant]
    return replace(record, live=tuple(sorted(others + [new], key=lambda e: (e.generation, e.grant))))


def end_share(record: SlotRecord, ends: Callable[[Share], bool]) -> SlotRecord:
    """Ends the share, if there is one that is to end. What was released stays live."""
    return replace(record, share=None) if record.share is not None and ends(record.share) else record


def check_publication(record: SlotRecord, generation: int) -> None:
    """SLO-8, SLO-11, SLO-12."""
    after = seen(record, generation)
    if generation <= record.highest:
        raise PublicationRefused("SLO-8", after)
    if record.state != NOT_SHARED:
        raise PublicationRefused("SLO-11", after)
    if len(record.live_generations) >= MAX_LIVE:
        raise PublicationRefused("SLO-12", after)


def publish(record: SlotRecord, grant: Grant) -> SlotRecord:
    """NotShared to Sharing."""
    check_publication(record, grant.generation)
    return replace(seen(record, grant.generation), share=Share(grant.digest(), grant.generation))


def release(record: SlotRecord, grant: bytes, device: bytes, install: bytes) -> SlotRecord:
    """SLO-14 and SLO-15: Sharing to Shared, or Shared again for the same grant and device."""
    share = record.share
    if share is None or share.grant != grant or share.device not in (None, device):
        raise RuleBroken("SLO-14", record.state)
    new = replace(share, device=device, install=install)
    entry = Live(grant, share.generation, device, install, share.confirmed)
    return put_live(replace(record, share=new), entry)


def withdraw(record: SlotRecord, order: Withdraw) -> tuple[SlotRecord, "NeverReleased | Released | Settled"]:
    """A revocation or a reset, and the answer that says which (SLO-16 to SLO-23).

    SLO-22 holds because the share is over and the grant's number is not above the highest any more.
    """
    record = end_share(seen(record, order.generation), lambda share: share.grant == order.grant)
    entry = record.live_grant(order.grant)
    if entry is not None and entry.install is not None:
        return record, Released(entry.install)
    if record.proved_dead(order.generation):
        return record, Settled()
    return record, NeverReleased()


def confirm(record: SlotRecord, generation: int, grant: bytes, device: bytes, install: Optional[bytes]) -> SlotRecord:
    """A receipt, or what has the effects of one (SLO-24 to SLO-28, SLO-41, SLO-35)."""
    if generation <= record.proven:
        return record
    record = replace(seen(record, generation), proven=generation)
    record = end_share(record, lambda share: share.grant != grant and share.generation <= generation)
    known = record.live_grant(grant)
    if known is not None and known.install is not None:
        install = known.install  # the latest one; the receipt may be of an earlier
    record = drop_live(record, lambda entry: entry.generation <= generation)
    record = put_live(record, Live(grant, generation, device, install, True))
    if record.share is not None and record.share.grant == grant:
        record = replace(record, share=replace(record.share, device=device, install=install, confirmed=True))
    return record


def receipt(record: SlotRecord, message: Receipt) -> SlotRecord:
    """A receipt, however late (SLO-37); of another epoch it changes nothing (SLO-39)."""
    if message.epoch != record.epoch:
        return record
    return confirm(record, message.generation, message.grant, message.device, message.install)


def done_number(record: SlotRecord, number: int, activate: bool) -> SlotRecord:
    """A Done of an Activate or a Deactivate (SLO-29 to SLO-32, SLO-40)."""
    record = drop_live(seen(record, number), lambda entry: entry.generation <= number)
    record = end_share(record, lambda share: share.generation <= number)
    record = replace(record, proven=max(record.proven, number))
    if number > record.last_done:
        record = replace(record, last_done=number, active=activate)
        if not activate:
            record = end_share(record, lambda share: True)
    return record


def done_inspect(record: SlotRecord, left: Left) -> SlotRecord:
    """A Done of an Inspect (SLO-33 to SLO-36). It does not decide whether the slot is active.

    That a vacant floor ends a share at or below it stands only in the diagram (VacantAtShare).
    """
    floor = left.floor
    record = drop_live(seen(record, floor), lambda entry: entry.generation < floor)
    holder = left.holding
    if hasattr(holder, "grant"):
        return confirm(record, floor, holder.grant, holder.device, None)
    record = drop_live(record, lambda entry: entry.generation == floor)
    record = end_share(record, lambda share: share.generation <= floor)
    return replace(record, proven=max(record.proven, floor))
