//! Unlock by a key that is under limits: all of them are checked at every unlock, and the answer is a
//! reply with the reason.

use sharekey::error::{LockError, RefuseReason};
use sharekey::id::SlotId;
use sharekey::limits::{Action, Limits, OffsetChange, Rights, Schedule, Timestamp, UtcOffset, Weekdays};
use sharekey::lock::{Cell, Clock};
use sharekey_stage::cells::limits;
use sharekey_stage::stand::{Key, NOON, Stand, fails};
use sharekey_stage::store::PowerCut;

const HOUR: u64 = 3_600;
const DAY: u64 = 24 * HOUR;
const SLOT: Cell = Cell::Slot(SlotId::new(0));

const CLOCK_UNSET: (LockError, RefuseReason) = (LockError::ClockUnset, RefuseReason::ClockUnset);
const NO_CLOCK: (LockError, RefuseReason) = (LockError::NoClock, RefuseReason::NoClock);
const NOT_YET: (LockError, RefuseReason) = (LockError::NotYetValid, RefuseReason::NotYetValid);
const EXPIRED: (LockError, RefuseReason) = (LockError::Expired, RefuseReason::Expired);
const OUTSIDE: (LockError, RefuseReason) = (LockError::OutsideSchedule, RefuseReason::OutsideSchedule);
const SPENT: (LockError, RefuseReason) = (LockError::UsesSpent, RefuseReason::UsesSpent);

fn at(seconds: u64) -> Clock {
    Clock::At(Timestamp::from_unix_seconds(seconds))
}

/// On Mondays from 13:00 to 14:00, UTC.
fn monday_at_one() -> Schedule {
    Schedule::new(Weekdays::try_from(1).unwrap(), 13 * 60, 14 * 60, UtcOffset::UTC, None).unwrap()
}

fn installed(limits: Limits) -> (Stand, Key) {
    Stand::installed_with(Rights::OPEN_AND_LOCK, limits)
}

#[track_caller]
fn refuses(stand: &mut Stand, key: &Key, action: Action, (error, reason): (LockError, RefuseReason)) {
    let (nonce, session) = stand.operate();
    stand.refuses_unlock(session, &key.message(action, nonce), error, Some((key, reason)));
}

/// At each of these times both actions are refused so, or accepted.
#[track_caller]
fn decides(stand: &mut Stand, key: &Key, times: &[(Clock, Option<(LockError, RefuseReason)>)]) {
    for (clock, refused) in times {
        stand.clock = *clock;
        for action in [Action::Open, Action::Lock] {
            match refused {
                Some(why) => refuses(stand, key, action, *why),
                None => assert_eq!(stand.act(key, action).unwrap().action, action),
            }
        }
    }
}

//= spec/protocol.md#dates
//# LIM-8. A lock MUST refuse an unlock before `from`.
//= spec/protocol.md#unlock
//# UNL-7. The time MUST be within the dates, as LIM-8 and LIM-9 say.
#[test]
fn the_start_date_is_included() {
    let (mut stand, key) = installed(limits(Some(NOON + 100), None, None, None));
    let times =
        [(at(NOON), Some(NOT_YET)), (at(NOON + 99), Some(NOT_YET)), (at(NOON + 100), None), (at(u64::MAX), None)];
    decides(&mut stand, &key, &times);
}

//= spec/protocol.md#dates
//# LIM-9. A lock MUST refuse an unlock at or after `until`.
//= spec/protocol.md#unlock
//# UNL-7. The time MUST be within the dates, as LIM-8 and LIM-9 say.
#[test]
fn the_end_date_is_excluded() {
    let (mut stand, key) = installed(limits(None, Some(NOON + 100), None, None));
    let times = [(at(NOON + 99), None), (at(NOON + 100), Some(EXPIRED)), (at(u64::MAX), Some(EXPIRED))];
    decides(&mut stand, &key, &times);
}

//= spec/protocol.md#unlock
//# UNL-11. All limits MUST be checked at every unlock.
#[test]
fn a_period_is_judged_anew_at_every_unlock() {
    let (mut stand, key) = installed(limits(Some(NOON + 1), Some(NOON + 2), None, None));
    decides(&mut stand, &key, &[(at(NOON), Some(NOT_YET)), (at(NOON + 1), None), (at(NOON + 2), Some(EXPIRED))]);
    decides(&mut stand, &key, &[(at(NOON + 1), None), (at(NOON), Some(NOT_YET))]);
}

//= spec/protocol.md#schedule
//# LIM-12. A lock MUST refuse an unlock at a time that the schedule does not allow.
//= spec/protocol.md#unlock
//# UNL-8. The time MUST be within the schedule, as LIM-12 says.
#[test]
fn the_schedules_window_opens_with_its_first_minute_and_ends_before_its_last() {
    let (mut stand, key) = installed(limits(None, None, Some(monday_at_one()), None));
    let times = [
        (at(NOON + HOUR - 1), Some(OUTSIDE)),
        (at(NOON + HOUR), None),
        (at(NOON + 2 * HOUR - 1), None),
        (at(NOON + 2 * HOUR), Some(OUTSIDE)),
        (at(NOON + HOUR + DAY), Some(OUTSIDE)),
        (at(NOON + HOUR + 6 * DAY), Some(OUTSIDE)),
        (at(NOON + HOUR + 7 * DAY), None),
    ];
    decides(&mut stand, &key, &times);
}

#[test]
fn the_schedule_follows_the_next_offset_from_its_moment_on() {
    let change =
        OffsetChange { at: Timestamp::from_unix_seconds(NOON + 7 * DAY), offset: UtcOffset::from_minutes(60).unwrap() };
    let monday = Weekdays::try_from(1).unwrap();
    let schedule = Schedule::new(monday, 13 * 60, 14 * 60, UtcOffset::UTC, Some(change)).unwrap();
    let (mut stand, key) = installed(limits(None, None, Some(schedule), None));
    let times = [
        (at(NOON), Some(OUTSIDE)),
        (at(NOON + HOUR), None),
        (at(NOON + 7 * DAY - 1), Some(OUTSIDE)),
        (at(NOON + 7 * DAY), None),
        (at(NOON + 7 * DAY + HOUR), Some(OUTSIDE)),
    ];
    decides(&mut stand, &key, &times);
}

//= spec/protocol.md#unlock
//# UNL-6. Where the limits need the time, the lock MUST know it.
#[test]
fn a_lock_that_does_not_know_the_time_refuses_limits_that_need_it() {
    let always = Schedule::new(Weekdays::ALL, 0, 1440, UtcOffset::UTC, None).unwrap();
    let timed = [
        limits(Some(0), None, None, None),
        limits(None, Some(u64::MAX), None, None),
        limits(None, None, Some(always), None),
    ];
    for limits in timed {
        let (mut stand, key) = installed(limits);
        // What reads less than the latest time known was lost: the stand's lock knows noon.
        let times = [(Clock::Unset, Some(CLOCK_UNSET)), (at(NOON - 1), Some(CLOCK_UNSET)), (at(NOON), None)];
        decides(&mut stand, &key, &times);
    }
}

//= spec/protocol.md#unlock
//# UNL-6. Where the limits need the time, the lock MUST know it.
#[test]
fn a_clock_that_is_gone_after_the_install_refuses_limits_that_need_it() {
    let mut stand = Stand::active();
    let _ = stand.set_clock(NOON).unwrap();
    stand.clock = Clock::Unset;
    let key = stand.download(0, 2, |chain| chain.grant.limits = limits(Some(0), None, None, None)).unwrap();
    decides(&mut stand, &key, &[(Clock::Absent, Some(NO_CLOCK)), (Clock::Unset, Some(CLOCK_UNSET)), (at(NOON), None)]);
}

#[test]
fn keys_without_dates_and_schedule_need_no_clock() {
    for limits in [Limits::NONE, limits(None, None, None, Some(9))] {
        let (mut stand, key) = installed(limits);
        decides(&mut stand, &key, &[(Clock::Absent, None), (Clock::Unset, None), (at(0), None), (at(NOON), None)]);
    }
}

//= spec/protocol.md#uses
//# LIM-14. A lock MUST refuse an unlock with the action Open when as many uses were counted as the limits allow.
//= spec/protocol.md#unlock
//# UNL-9. For the action Open a use MUST be left, as LIM-14 says.
#[test]
fn a_key_of_n_uses_opens_exactly_n_times_and_locks_ever_after() {
    for uses in 1..=3 {
        let (mut stand, key) = installed(limits(None, None, None, Some(uses)));
        for _ in 0..uses {
            let before = stand.store.clone();
            let _ = stand.act(&key, Action::Lock).unwrap();
            //= spec/protocol.md#uses
            //# LIM-13. A lock MUST count exactly the accepted unlocks with the action Open as uses.
            assert_eq!(stand.store, before, "to lock is no use");
            let _ = stand.open(&key).unwrap();
            assert_eq!(stand.store.writes, before.writes + 1);
        }
        refuses(&mut stand, &key, Action::Open, SPENT);
        stand.reboot();
        refuses(&mut stand, &key, Action::Open, SPENT);
        //= spec/protocol.md#uses
        //# LIM-15. A lock MUST NOT refuse an unlock with the action Lock because no use is left.
        assert_eq!(stand.act(&key, Action::Lock).unwrap().action, Action::Lock);
    }
}

#[test]
fn the_last_use_of_the_longest_count_is_counted_without_wrapping() {
    let (mut stand, key) = installed(limits(None, None, None, Some(u32::MAX)));
    let record = stand.store.get(SLOT).unwrap();
    let content = record[5..record.len() - 16 - 4].to_vec();
    let used = |stand: &mut Stand, used: u32| {
        let record = stand.record(SLOT, &[&content[..], &used.to_le_bytes()].concat());
        stand.store.set(SLOT, record);
        stand.reboot();
    };
    used(&mut stand, u32::MAX - 1);
    let _ = stand.open(&key).unwrap();
    refuses(&mut stand, &key, Action::Open, SPENT);
    used(&mut stand, u32::MAX);
    refuses(&mut stand, &key, Action::Open, SPENT);
}

//= spec/protocol.md#uses
//# LIM-13. A lock MUST count exactly the accepted unlocks with the action Open as uses.
#[test]
fn a_refused_unlock_counts_no_use() {
    let (mut stand, key) = installed(limits(Some(NOON + 1), None, None, Some(1)));
    refuses(&mut stand, &key, Action::Open, NOT_YET);
    stand.clock = at(NOON + 1);
    let _ = stand.open(&key).unwrap();
}

//= spec/protocol.md#unlock
//# UNL-12. An accepted Open of a key with a limit of uses MUST be counted in the stored record before the bolt moves.
#[test]
fn a_use_is_in_the_store_before_the_bolt_may_move() {
    let (mut stand, key) = installed(limits(None, None, None, Some(1)));
    let (nonce, session) = stand.operate();
    let now = stand.now();
    let staged = stand.lock.unlock(session, &key.message(Action::Open, nonce), now).unwrap();
    assert_eq!(staged.record().unwrap().cell(), SLOT);
    let cut_after_the_write = staged.commit(|record| stand.store.put(record).and(Err(PowerCut)));
    assert_eq!(cut_after_the_write.unwrap_err(), PowerCut);
    stand.reboot();
    refuses(&mut stand, &key, Action::Open, SPENT);
}

#[test]
fn a_use_that_was_not_stored_opens_nothing_and_is_not_lost() {
    let (mut stand, key) = installed(limits(None, None, None, Some(1)));
    let (nonce, session) = stand.operate();
    let now = stand.now();
    let staged = stand.lock.unlock(session, &key.message(Action::Open, nonce), now).unwrap();
    assert_eq!(staged.commit(fails).unwrap_err(), PowerCut);
    stand.reboot();
    let _ = stand.open(&key).unwrap();
    refuses(&mut stand, &key, Action::Open, SPENT);
}

//= spec/protocol.md#unlock
//# UNL-13. A lock MUST NOT count a use ahead, for several unlocks at once.
#[test]
fn a_use_changes_nothing_in_the_record_but_the_count() {
    let (mut stand, key) = installed(limits(Some(NOON), None, None, Some(2)));
    let before = stand.store.get(SLOT).unwrap().to_vec();
    let _ = stand.open(&key).unwrap();
    let mut content = before[5..before.len() - 16].to_vec();
    let at_used = content.len() - 4;
    assert_eq!(content[at_used..], 0u32.to_le_bytes());
    content[at_used] = 1;
    assert_eq!(stand.store.get(SLOT).unwrap(), stand.record(SLOT, &content));
}

//= spec/protocol.md#unlock
//# UNL-15. A refusal after the tag held MUST be a Reply with the reason.
#[test]
fn of_two_broken_limits_the_earlier_one_is_reported() {
    let all = |from, until| limits(Some(from), Some(until), Some(monday_at_one()), Some(1));
    let (mut stand, key) = installed(all(NOON + 10, NOON + DAY));
    decides(&mut stand, &key, &[(Clock::Unset, Some(CLOCK_UNSET)), (at(NOON), Some(NOT_YET))]);
    decides(&mut stand, &key, &[(at(NOON + 10), Some(OUTSIDE)), (at(NOON + DAY), Some(EXPIRED))]);
    stand.clock = at(NOON + HOUR);
    let _ = stand.open(&key).unwrap();
    refuses(&mut stand, &key, Action::Open, SPENT);
    // Spent as well from here on.
    stand.clock = at(NOON);
    refuses(&mut stand, &key, Action::Open, NOT_YET);
    stand.clock = at(NOON + 10);
    refuses(&mut stand, &key, Action::Open, OUTSIDE);
    stand.clock = at(NOON + DAY);
    refuses(&mut stand, &key, Action::Open, EXPIRED);
    stand.clock = Clock::Unset;
    refuses(&mut stand, &key, Action::Open, CLOCK_UNSET);
}
