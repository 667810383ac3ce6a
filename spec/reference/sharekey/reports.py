"""How an owner's phone asks for a slot's report, and takes the answer in ("Reports").

A request that waits for its answer is the ReportRequest itself. Each is good for one answer.
"""

from __future__ import annotations

from copy import deepcopy
from dataclasses import dataclass, replace
from typing import Optional

from .answers import content, divide
from .errors import RuleBroken, verify_as
from .messages import OWNER, Done, Grant, Message, Provisioned, Receipt, Report, ReportRequest, Transfer, Withdrawn
from .owner import AsOf, Owner
from .reading import decode, peek

TELLS = (Grant, Receipt, Done, Withdrawn)


@dataclass(frozen=True)
class Seen:
    """What a report taught: the messages that were taken in, and two Reports that contradict each other (RPT-15)."""

    messages: list[Message]
    contradiction: Optional[tuple[Report, Report]]


def ask(mine: Owner, index: int, now: int, nonce: bytes) -> ReportRequest:
    """Asks for the report of one slot. The nonce is fresh (RPT-1)."""
    mine.check_owned()
    return ReportRequest(mine.lock, mine.epoch, OWNER, index, nonce, now).signed(mine.seed)


def see(mine: Owner, request: ReportRequest, answer: bytes) -> Seen:
    """The answer to a request: all of it, or nothing (OWN-28)."""
    mine.check_owned()
    data, parts = divide(answer)  # RPT-8
    report = decode(Report, data)
    verify_as("ReportSignature", report, mine.service)  # RPT-10
    if report.request != request.digest():
        raise RuleBroken("OtherRequest")  # RPT-9
    if report.lock != request.lock or report.lock != mine.lock:
        raise RuleBroken("WrongLock")  # RPT-12
    if report.slot != request.slot:
        raise RuleBroken("WrongSlot")  # RPT-12
    if report.messages != content(parts):
        raise RuleBroken("OtherMessages")  # RPT-11
    after = deepcopy(mine)
    said = _ownership(after, parts)
    if report.epoch != after.epoch:
        raise RuleBroken("WrongEpoch")  # RPT-12
    after.count(report.slots)  # RPT-18
    for part in parts[1:]:
        message = told(after, part)
        after.take_in(message)
        if _slot_of(message) != request.slot:
            raise RuleBroken("WrongSlot")  # RPT-14
        said.append(message)
    contradiction = None if after.gone else _note(after, report, request.time)
    mine.__dict__.update(after.__dict__)
    return Seen(said, contradiction)


def told(mine: Owner, data: bytes) -> Message:
    """A message that an owner learns from."""
    mine.check_owned()
    kind = peek(data)
    if kind not in TELLS:
        raise RuleBroken("NothingToLearn")
    return decode(kind, data)


def _slot_of(message: Message) -> Optional[int]:
    about = message.completed if isinstance(message, Done) else message
    return getattr(about, "slot", None)


def _ownership(after: Owner, parts: list[bytes]) -> list[Message]:
    """RPT-7 as a phone sees it: the statement of ownership; goes on in a later one of the same service (RPT-13)."""
    kind = peek(parts[0]) if parts else None
    if kind is Provisioned:
        first = said = decode(Provisioned, parts[0])
        verify_as("ProvisionedSignature", first, after.lock)
        after.count(said.slots)
    elif kind is Done:
        first = decode(Done, parts[0])
        verify_as("DoneSignature", first, after.lock)
        said = first.completed
        if not isinstance(said, Transfer):
            raise RuleBroken("NoOwnership")
        if first.epoch > after.epoch:
            after.take_in(first)
            return [first]
        after.count(said.slots)
    else:
        raise RuleBroken("NoOwnership")
    # One of the view's own epoch, with the same keys, changes nothing.
    for name, here, there in (
        ("WrongLock", first.lock, after.lock),
        ("WrongEpoch", first.epoch, after.epoch),
        ("WrongOwner", said.owner, after.key),
        ("WrongService", said.service, after.service),
    ):
        if here != there:
            raise RuleBroken(name)
    return []


def _note(after: Owner, report: Report, time: int) -> Optional[tuple[Report, Report]]:
    """Keeps the report (SLO-5, OWN-27), and what convicts the service, the first such (RPT-15)."""
    kept = after.slot(report.slot)
    before, found = kept.report, kept.contradiction
    if before is not None:
        if before.version > report.version:
            raise RuleBroken("OlderReport")
        content_of = lambda said: (said.state, said.slots, said.messages)
        differ = content_of(before) != content_of(report)
        if found is None and before.version == report.version and differ:
            found = before, report
    as_of = AsOf(report.version, time)
    after.slots[report.slot] = replace(kept, version=kept.version + 1, as_of=as_of, report=report, contradiction=found)
    return found
