"""Limits: dates, schedule, uses ("Limits"), and the actions and rights that they bound."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import Optional, Union

from . import wire
from .errors import DecodeError, RuleBroken
from .wire import Codec, Reader


class Action(IntEnum):
    """What a bolt can do."""

    Open = 1
    Lock = 2


ACTION = wire.one_byte(Action)

RIGHT_OPEN = 1
RIGHT_LOCK = 2


def _check_rights(value: int) -> int:
    """MSG-15 and MSG-16: Open or Lock or both, and nothing else."""
    if value not in (1, 2, 3):
        raise DecodeError("Value", f"rights {value:#04x}")
    return value


RIGHTS = Codec(write=lambda value: bytes([_check_rights(value)]), read=lambda r: _check_rights(r.take(1)[0]))


def allows(rights: int, action: Action) -> bool:
    """Whether rights contain an action (UNL-10)."""
    return bool(rights & (RIGHT_OPEN if action is Action.Open else RIGHT_LOCK))


DAYS = wire.number(1, low=1, high=127)  # LIM-3
OFFSET = wire.number(2, signed=True, low=-720, high=840)  # LIM-7


YEAR_10000 = 253_402_300_800  # LIM-18, LIM-19


@dataclass(frozen=True)
class Next:
    """The offset from a moment on."""

    at: int
    offset: int

    FIELDS = [("at", wire.U64), ("offset", OFFSET)]


@dataclass(frozen=True)
class Schedule:
    """Weekdays (bit 0 Monday), a window of local minutes, and the offset of local time from UTC."""

    days: int
    start: int
    end: int
    offset: int
    next: Optional[Next] = None

    def local_minutes(self, time: int) -> int:
        """Whole local minutes since 1970-01-01, rounded down."""
        offset = self.next.offset if self.next is not None and time >= self.next.at else self.offset
        return time // 60 + offset

    def allows(self, time: int) -> bool:
        """LIM-10 and LIM-11."""
        day, minute = divmod(self.local_minutes(time), 1440)
        if self.start < self.end:
            return self.start <= minute < self.end and self._has(day)
        return (minute >= self.start and self._has(day)) or (minute < self.end and self._has(day - 1))

    def _has(self, day: int) -> bool:
        weekday = (day + 3) % 7  # day 0 was a Thursday; Monday is 0
        return bool(self.days >> weekday & 1)


def _check_window(value: Schedule) -> None:
    """LIM-4 to LIM-6, once all of the schedule was read (LIM-17)."""
    if not (0 <= value.start <= 1439 and 1 <= value.end <= 1440):
        raise DecodeError("Value", "LIM-4, LIM-5: a window out of range")
    if value.start == value.end:
        raise DecodeError("Value", "LIM-6: an empty window")


def _write_schedule(value: Schedule) -> bytes:
    _check_window(value)
    return wire.write_fields(value, _SCHEDULE_FIELDS)


def _read_schedule(reader: Reader) -> Schedule:
    schedule = Schedule(**{name: codec.read(reader) for name, codec in _SCHEDULE_FIELDS})
    _check_window(schedule)
    return schedule


_SCHEDULE_FIELDS = [
    ("days", DAYS),
    ("start", wire.U16),
    ("end", wire.U16),
    ("offset", OFFSET),
    ("next", wire.optional(wire.fields(Next))),
]
SCHEDULE = Codec(write=_write_schedule, read=_read_schedule)


@dataclass(frozen=True)
class Limits:
    """Each part is optional; a part that is absent does not bound."""

    from_: Optional[int] = None
    until: Optional[int] = None
    schedule: Optional[Schedule] = None
    uses: Optional[int] = None

    def check(self, rights: int) -> None:
        """LIM-18: what no owner can mean."""
        change = self.schedule.next.at if self.schedule and self.schedule.next else None
        if any(time is not None and time >= YEAR_10000 for time in (self.from_, self.until, change)):
            raise RuleBroken("Limits.FarAway")
        if self.uses is not None and not allows(rights, Action.Open):
            raise RuleBroken("Limits.UsesWithoutOpen")
        if self.schedule is None or self.until is None:
            return
        begin = self.from_ or 0
        # Two weeks hold any window whole, whatever the offset does in between.
        moments = range(begin, min(self.until, begin + 1_209_600))
        if not any(self.schedule.allows(moment) for moment in moments):
            raise RuleBroken("Limits.NoTime")

    @property
    def need_time(self) -> bool:
        """Whether only a lock that can tell time can keep these limits (INS-14, UNL-6)."""
        return not (self.from_ is None and self.until is None and self.schedule is None)


_TIME = wire.optional(wire.U64)
_LIMITS_FIELDS = [
    ("from_", _TIME),
    ("until", _TIME),
    ("schedule", wire.optional(SCHEDULE)),
    ("uses", wire.optional(wire.U32)),
]


def _check_limits(value: Limits) -> None:
    """LIM-1 and LIM-2, once all of the limits were read (LIM-16)."""
    if value.from_ is not None and value.until is not None and value.from_ >= value.until:
        raise DecodeError("Value", "LIM-1: from is not before until")
    if value.uses == 0:
        raise DecodeError("Value", "LIM-2: 0 uses")


def _write_limits(value: Limits) -> bytes:
    _check_limits(value)
    return wire.write_fields(value, _LIMITS_FIELDS)


def _read_limits(reader: Reader) -> Limits:
    limits = Limits(**{name: codec.read(reader) for name, codec in _LIMITS_FIELDS})
    _check_limits(limits)
    return limits


LIMITS = Codec(write=_write_limits, read=_read_limits)


class Reason(IntEnum):
    """Why a lock refuses ("Errors and refusals", ERR-3)."""

    Busy = 1
    StaleGeneration = 2
    NoClock = 3
    ClockUnset = 4
    NotYetValid = 5
    Expired = 6
    OutsideSchedule = 7
    UsesSpent = 8
    ActionNotAllowed = 9
    StaleNumber = 10
    NoSuchSlot = 11
    SlotDamaged = 12
    BadKey = 13
    AlreadyProvisioned = 14
    Exhausted = 15
    NonContributory = 16
    SlotInactive = 17
    WrongEpoch = 18


REASON = wire.one_byte(Reason)

ABSENT = "Absent"  # the lock can never tell time
UNSET = "Unset"  # the lock cannot tell time now
Clock = Union[int, str]  # a time, ABSENT or UNSET


def judge(limits: Limits, rights: int, used: int, action: Action, clock: Clock) -> Optional[Reason]:
    """UNL-6 to UNL-10 in their order; None where the action is allowed."""
    if limits.need_time:
        if clock == ABSENT:
            return Reason.NoClock
        if clock == UNSET:
            return Reason.ClockUnset
        assert isinstance(clock, int)
        if limits.from_ is not None and clock < limits.from_:  # UNL-7, LIM-8
            return Reason.NotYetValid
        if limits.until is not None and clock >= limits.until:  # UNL-7, LIM-9
            return Reason.Expired
        if limits.schedule is not None and not limits.schedule.allows(clock):  # UNL-8, LIM-12
            return Reason.OutsideSchedule
    if action is Action.Open and limits.uses is not None and used >= limits.uses:  # UNL-9, LIM-14, LIM-15
        return Reason.UsesSpent
    if not allows(rights, action):
        return Reason.ActionNotAllowed
    return None
