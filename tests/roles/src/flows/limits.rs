//! Limits of every kind, from the owner's grant to the bolt.

use sharekey::error::{GuestError, LockError, RefuseReason};
use sharekey::limits::{Action, Limits, Rights, Schedule, Timestamp, UtcOffset, Weekdays};
use sharekey::lock::Clock;

use sharekey_stage::world::door::{DAY, NOON};
use sharekey_stage::world::guest::Guest;
use sharekey_stage::world::{ANA, HALL, Stop, World};

const fn at(unix_seconds: u64) -> Option<Timestamp> {
    Some(Timestamp::from_unix_seconds(unix_seconds))
}

/// The lock refuses for this reason, and tells the guest so.
#[track_caller]
fn refuses(w: &mut World, guest: &mut Guest, action: Action, because: LockError, told: RefuseReason) {
    let before = w.snapshot();
    assert_eq!(guest.act(&mut w.door, action), Err(Stop::Lock(because)));
    assert_eq!(guest.told, Some(GuestError::Refused(told)));
    assert_eq!(w.snapshot(), before);
}

#[test]
fn a_key_opens_from_its_start_until_just_before_its_end() {
    let (mut w, mut ana) = World::downloaded_with(Limits::new(at(NOON + DAY), at(NOON + 2 * DAY), None, None).unwrap());
    refuses(&mut w, &mut ana, Action::Open, LockError::NotYetValid, RefuseReason::NotYetValid);
    w.door.set_time(NOON + DAY);
    w.open(&mut ana).unwrap();
    w.door.set_time(NOON + 2 * DAY - 1);
    w.open(&mut ana).unwrap();
    w.door.set_time(NOON + 2 * DAY);
    refuses(&mut w, &mut ana, Action::Open, LockError::Expired, RefuseReason::Expired);
    refuses(&mut w, &mut ana, Action::Lock, LockError::Expired, RefuseReason::Expired);
}

#[test]
fn a_key_with_a_schedule_opens_in_its_windows_only() {
    // Monday to Friday, 21:00 to 05:00, one hour east of UTC.
    let offset = UtcOffset::from_minutes(60).unwrap();
    let nights = Schedule::new(Weekdays::MON_TO_FRI, 21 * 60, 5 * 60, offset, None).unwrap();
    let (mut w, mut ana) = World::downloaded_with(Limits::new(None, None, Some(nights), None).unwrap());
    refuses(&mut w, &mut ana, Action::Open, LockError::OutsideSchedule, RefuseReason::OutsideSchedule);
    w.door.set_time(NOON + 8 * 3_600);
    w.open(&mut ana).unwrap();
    // Saturday 02:00 belongs to Friday's night, Sunday 02:00 to none.
    w.door.set_time(NOON + 4 * DAY + 13 * 3_600);
    w.open(&mut ana).unwrap();
    w.door.set_time(NOON + 5 * DAY + 13 * 3_600);
    refuses(&mut w, &mut ana, Action::Open, LockError::OutsideSchedule, RefuseReason::OutsideSchedule);
}

#[test]
fn a_key_opens_as_often_as_it_may_over_power_cuts_and_locks_always() {
    let (mut w, mut ana) = World::downloaded_with(Limits::new(None, None, None, Some(2)).unwrap());
    w.open(&mut ana).unwrap();
    w.door.reboot();
    ana.act(&mut w.door, Action::Lock).unwrap();
    w.open(&mut ana).unwrap();
    refuses(&mut w, &mut ana, Action::Open, LockError::UsesSpent, RefuseReason::UsesSpent);
    w.door.reboot();
    assert_eq!(w.open(&mut ana), Err(Stop::Lock(LockError::UsesSpent)));
    ana.act(&mut w.door, Action::Lock).unwrap();
    assert_eq!(w.door.bolt, [Action::Open, Action::Lock, Action::Open, Action::Lock]);
}

#[test]
fn a_refused_opening_uses_nothing_up() {
    let limits = Limits::new(at(NOON + DAY), None, None, Some(1)).unwrap();
    let (mut w, mut ana) = World::downloaded_with(limits);
    refuses(&mut w, &mut ana, Action::Open, LockError::NotYetValid, RefuseReason::NotYetValid);
    w.door.set_time(NOON + DAY);
    w.open(&mut ana).unwrap();
    refuses(&mut w, &mut ana, Action::Open, LockError::UsesSpent, RefuseReason::UsesSpent);
}

#[test]
fn a_key_does_only_what_it_has_the_right_to() {
    for (rights, may, may_not) in
        [(Rights::OPEN, Action::Open, Action::Lock), (Rights::LOCK, Action::Lock, Action::Open)]
    {
        let mut w = World::active();
        let mut ana = w.guest(ANA);
        w.share_with(HALL, &ana, rights, Limits::NONE).unwrap();
        w.download(&mut ana).unwrap();
        ana.act(&mut w.door, may).unwrap();
        refuses(&mut w, &mut ana, may_not, LockError::ActionNotAllowed, RefuseReason::ActionNotAllowed);
    }
}

//= spec/protocol.md#unlock
//# UNL-11. All limits MUST be checked at every unlock.
#[test]
fn all_limits_of_a_key_must_hold_at_once() {
    let noons = Schedule::new(Weekdays::ALL, 12 * 60, 13 * 60, UtcOffset::UTC, None).unwrap();
    let limits = Limits::new(at(NOON), at(NOON + 3 * DAY), Some(noons), Some(1)).unwrap();
    let (mut w, mut ana) = World::downloaded_with(limits);
    w.door.set_time(NOON + 3_600);
    refuses(&mut w, &mut ana, Action::Open, LockError::OutsideSchedule, RefuseReason::OutsideSchedule);
    w.door.set_time(NOON + DAY);
    w.open(&mut ana).unwrap();
    refuses(&mut w, &mut ana, Action::Open, LockError::UsesSpent, RefuseReason::UsesSpent);
    w.door.set_time(NOON + 3 * DAY);
    refuses(&mut w, &mut ana, Action::Open, LockError::Expired, RefuseReason::Expired);
}

#[test]
fn a_lock_without_a_clock_installs_no_key_that_needs_one() {
    let mut w = World::active();
    w.door.clock = Clock::Absent;
    let (mut ana, dates) = (w.guest(ANA), Limits::new(None, at(NOON + DAY), None, None).unwrap());
    w.share_with(HALL, &ana, Rights::OPEN, dates).unwrap();
    assert_eq!(w.download(&mut ana), Err(Stop::Lock(LockError::NoClock)));
    assert_eq!(ana.told, Some(GuestError::Refused(RefuseReason::NoClock)));

    w.withdraw(HALL).unwrap();
    let (mut ana, uses) = (w.guest(ANA), Limits::new(None, None, None, Some(1)).unwrap());
    w.share_with(HALL, &ana, Rights::OPEN, uses).unwrap();
    w.download(&mut ana).unwrap();
    w.open(&mut ana).unwrap();
}

#[test]
fn a_lock_that_lost_the_time_waits_for_the_owner_to_set_it() {
    let (mut w, mut ana) = World::downloaded_with(Limits::new(None, at(NOON + DAY), None, None).unwrap());
    w.door.clock = Clock::Unset;
    refuses(&mut w, &mut ana, Action::Open, LockError::ClockUnset, RefuseReason::ClockUnset);
    // A battery that ran out: the clock runs from its beginning, before the latest time known.
    w.door.set_time(DAY);
    refuses(&mut w, &mut ana, Action::Open, LockError::ClockUnset, RefuseReason::ClockUnset);

    w.olga.set_clock(&mut w.door, Timestamp::from_unix_seconds(NOON + 60)).unwrap();
    assert_eq!(w.door.clock, Clock::At(Timestamp::from_unix_seconds(NOON + 60)));
    w.open(&mut ana).unwrap();
}
