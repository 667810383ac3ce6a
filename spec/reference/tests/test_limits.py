"""Dates, schedule and uses; the table of examples is by hand."""

from datetime import datetime, timedelta, timezone

import pytest
from sharekey.limits import ABSENT, UNSET, Action, Limits, Next, Reason, Schedule, judge


def at(text: str, offset: int = 0) -> int:
    """A local time as seconds of UTC."""
    return int((datetime.fromisoformat(text + "+00:00") - timedelta(minutes=offset)).timestamp())


OFFICE = Schedule(0b0011111, 8 * 60, 18 * 60, 0)
NIGHT = Schedule(0b0010000, 22 * 60, 6 * 60, 0)  # Friday to Saturday


def test_window():
    assert not OFFICE.allows(at("2024-01-01T07:59:59")) and OFFICE.allows(at("2024-01-01T08:00:00"))
    assert OFFICE.allows(at("2024-01-01T17:59:59")) and not OFFICE.allows(at("2024-01-01T18:00:00"))
    assert not OFFICE.allows(at("2024-01-06T12:00:00"))


def test_window_past_midnight():
    assert not NIGHT.allows(at("2024-01-05T21:59:59")) and NIGHT.allows(at("2024-01-05T22:00:00"))
    assert NIGHT.allows(at("2024-01-06T05:59:59")) and not NIGHT.allows(at("2024-01-06T06:00:00"))
    assert not NIGHT.allows(at("2024-01-05T03:00:00")) and not NIGHT.allows(at("2024-01-06T23:00:00"))


def test_against_the_calendar():
    for offset in (-720, -61, 0, 90, 840):
        for days in (1, 0b1000000, 0b0101010):
            whole = Schedule(days, 0, 1440, offset)
            for time in range(1_700_000_000, 1_700_000_000 + 14 * 86400, 3607):
                local = datetime.fromtimestamp(time, timezone.utc) + timedelta(minutes=offset)
                assert whole.allows(time) == bool(days >> local.weekday() & 1)


def test_before_the_epoch_began_locally():
    wednesday = Schedule(0b0000100, 23 * 60, 1440, -60)
    assert wednesday.allows(0) and wednesday.allows(3599) and not wednesday.allows(3600)


def test_change_of_offset():
    spring = at("2024-03-31T01:00:00")
    changing = Schedule(127, 3 * 60, 4 * 60, 60, Next(spring, 120))
    assert not changing.allows(spring - 1) and changing.allows(spring)
    assert changing.allows(spring + 3599) and not changing.allows(spring + 3600)


def test_the_end_of_time():
    Schedule(127, 0, 1440, 840).allows(2**64 - 1)


ALL = Limits(100, 200, Schedule(127, 0, 1440, 0), 2)


@pytest.mark.parametrize(
    "limits,rights,used,action,clock,reason",
    [
        (Limits(), 3, 0, Action.Open, ABSENT, None),
        (Limits(uses=1), 3, 0, Action.Open, UNSET, None),
        (ALL, 3, 0, Action.Open, ABSENT, Reason.NoClock),
        (ALL, 3, 0, Action.Open, UNSET, Reason.ClockUnset),
        (ALL, 3, 0, Action.Lock, UNSET, Reason.ClockUnset),
        (ALL, 3, 0, Action.Open, 99, Reason.NotYetValid),
        (ALL, 3, 0, Action.Open, 100, None),
        (ALL, 3, 0, Action.Open, 199, None),
        (ALL, 3, 0, Action.Open, 200, Reason.Expired),
        (Limits(schedule=OFFICE), 3, 0, Action.Lock, at("2024-01-06T12:00:00"), Reason.OutsideSchedule),
        (ALL, 3, 2, Action.Open, 150, Reason.UsesSpent),
        (ALL, 3, 2, Action.Lock, 150, None),
        (ALL, 2, 2, Action.Open, 150, Reason.UsesSpent),
        (ALL, 2, 0, Action.Open, 150, Reason.ActionNotAllowed),
        (ALL, 1, 0, Action.Lock, 150, Reason.ActionNotAllowed),
        (ALL, 1, 9, Action.Open, 300, Reason.Expired),
    ],
)
def test_judge(limits, rights, used, action, clock, reason):
    assert judge(limits, rights, used, action, clock) is reason
