//! Do schedules mean what people mean by them, and can limits that mean nothing not be built?

use proptest::prelude::*;
use sharekey::error::{LimitsError, OwnerError, WireError};
use sharekey::limits::{
    Action, KeyStanding, Limits, NeverOpens, OffsetChange, Rights, Schedule, Timestamp, UtcOffset, Weekdays,
};
use sharekey::message::Grant;
use sharekey::wire::Unverified;
use sharekey_stage::samples::{Samples, Size, message};

/// The last second that `time` knows, less two days.
const LAST: u64 = 253_402_300_799 - 172_800;
const DAY: u64 = 86_400;
/// 2024-01-01T00:00:00Z, a Monday.
const MONDAY: u64 = 1_704_067_200;

fn at(seconds: u64) -> Timestamp {
    Timestamp::from_unix_seconds(seconds)
}

fn offset(minutes: i16) -> UtcOffset {
    UtcOffset::from_minutes(minutes).unwrap()
}

fn days(bits: u8) -> Weekdays {
    Weekdays::try_from(bits).unwrap()
}

/// In UTC.
fn schedule(bits: u8, start: u16, end: u16) -> Schedule {
    Schedule::new(days(bits), start, end, UtcOffset::UTC, None).unwrap()
}

fn any_schedule() -> impl Strategy<Value = Schedule> {
    let minutes = prop_oneof![Just(0), Just(1), Just(719), Just(720), Just(1438), Just(1439), Just(1440), 0..=1440_u16];
    let offsets = prop_oneof![Just(-720), Just(0), Just(840), -720..=840_i16].prop_map(offset);
    let next = proptest::option::of(
        (0..LAST, offsets.clone()).prop_map(|(seconds, offset)| OffsetChange { at: at(seconds), offset }),
    );
    (1..128_u8, minutes.clone(), minutes, offsets, next)
        .prop_filter_map("window", |(bits, start, end, offset, next)| {
            Schedule::new(days(bits), start, end, offset, next).ok()
        })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    //= spec/protocol.md#schedule
    //# LIM-10. Where start is below end, a lock MUST allow exactly the minutes from start, included, to end, excluded, of the weekdays in the set.
    //= spec/protocol.md#schedule
    //# LIM-11. Where start is above end, a lock MUST allow exactly the minutes from start of a weekday in the set, included, to the minute end of the day after it, excluded.
    #[test]
    fn schedules_agree_with_the_calendar(schedule in any_schedule(), now in 0..LAST) {
        // Also around each edge of that day, and around the change of the offset.
        let (start, end) = schedule.window();
        let midnight = now / DAY * DAY + DAY;
        let mut moments = vec![now];
        for edge in [0, start, end] {
            let local = midnight + u64::from(edge) * 60;
            let utc = local.saturating_add_signed(i64::from(schedule.offset().minutes()) * -60);
            moments.extend([utc.saturating_sub(1), utc, utc + 1]);
        }
        if let Some(change) = schedule.next_offset() {
            let change = change.at.unix_seconds();
            moments.extend([change.saturating_sub(1), change, change + 1]);
        }
        for moment in moments {
            prop_assert_eq!(schedule.allows(at(moment)), sharekey_stage::calendar::allows(&schedule, moment), "at {}", moment);
        }
    }

    #[test]
    fn weeks_repeat_to_the_end_of_time(schedule in any_schedule(), now in any::<u64>()) {
        let schedule = Schedule::new(
            schedule.days(), schedule.window().0, schedule.window().1, schedule.offset(), None,
        ).unwrap();
        let early = now % (7 * DAY);
        prop_assert_eq!(schedule.allows(at(now)), sharekey_stage::calendar::allows(&schedule, early));
    }
}

#[test]
fn every_minute_of_a_week_agrees_with_the_calendar() {
    for (start, end) in [(0, 1440), (540, 1020), (1320, 360), (1439, 1), (0, 1), (1439, 1440), (720, 719)] {
        for (bits, minutes) in [(0x7f, 0), (0x1f, 60), (0x60, -300), (0x01, 840), (0x40, -720), (0x55, 345)] {
            let schedule = Schedule::new(days(bits), start, end, offset(minutes), None).unwrap();
            for minute in 0..10_080 {
                let now = MONDAY + minute * 60;
                assert_eq!(
                    schedule.allows(at(now)),
                    sharekey_stage::calendar::allows(&schedule, now),
                    "{schedule:?} at {now}"
                );
            }
        }
    }
}

//= spec/protocol.md#schedule
//# LIM-11. Where start is above end, a lock MUST allow exactly the minutes from start of a weekday in the set, included, to the minute end of the day after it, excluded.
#[test]
fn a_window_that_passes_midnight_belongs_to_the_day_it_starts_on() {
    // Monday 22:00 to 06:00.
    let night = schedule(0x01, 1320, 360);
    assert!(!night.allows(at(MONDAY)), "Monday 00:00 is Sunday's night");
    assert!(!night.allows(at(MONDAY + 5 * 3600)));
    assert!(!night.allows(at(MONDAY + 22 * 3600 - 1)));
    assert!(night.allows(at(MONDAY + 22 * 3600)));
    assert!(night.allows(at(MONDAY + DAY)));
    assert!(night.allows(at(MONDAY + DAY + 6 * 3600 - 1)));
    assert!(!night.allows(at(MONDAY + DAY + 6 * 3600)));
    assert!(!night.allows(at(MONDAY + DAY + 22 * 3600)));
    // Sunday's night ends on Monday.
    let night = schedule(0x40, 1320, 360);
    assert!(night.allows(at(MONDAY + 6 * 3600 - 1)));
    assert!(night.allows(at(MONDAY + 7 * DAY + 6 * 3600 - 1)));
    assert!(!night.allows(at(MONDAY + 7 * DAY + 6 * 3600)));
}

//= spec/protocol.md#schedule
//# LIM-10. Where start is below end, a lock MUST allow exactly the minutes from start, included, to end, excluded, of the weekdays in the set.
#[test]
fn a_window_begins_at_its_first_second_and_ends_before_its_last_minute() {
    let morning = schedule(0x01, 480, 720);
    for (seconds, allowed) in [(28_799, false), (28_800, true), (43_199, true), (43_200, false)] {
        assert_eq!(morning.allows(at(MONDAY + seconds)), allowed);
    }
    let whole_day = schedule(0x01, 0, 1440);
    for (moment, allowed) in [(MONDAY - 1, false), (MONDAY, true), (MONDAY + DAY - 1, true), (MONDAY + DAY, false)] {
        assert_eq!(whole_day.allows(at(moment)), allowed);
    }
}

#[test]
fn the_next_offset_holds_from_its_moment_on() {
    // 08:00 to 09:00 at +01:00, from Monday noon UTC on at +02:00.
    let change = OffsetChange { at: at(MONDAY + DAY / 2), offset: offset(120) };
    let schedule = Schedule::new(Weekdays::ALL, 480, 540, offset(60), Some(change)).unwrap();
    assert!(schedule.allows(at(MONDAY + 7 * 3600)));
    assert!(!schedule.allows(at(MONDAY + 6 * 3600)));
    assert!(schedule.allows(at(MONDAY + DAY + 6 * 3600)));
    assert!(!schedule.allows(at(MONDAY + DAY + 7 * 3600)));
    // A change inside a window: at the moment itself the new offset already holds.
    let change = OffsetChange { at: at(MONDAY), offset: offset(60) };
    let schedule = Schedule::new(Weekdays::ALL, 0, 30, UtcOffset::UTC, Some(change)).unwrap();
    assert!(!schedule.allows(at(MONDAY - 1)));
    assert!(!schedule.allows(at(MONDAY)), "it is 01:00 already");
}

#[test]
fn the_first_and_the_last_moment_have_a_local_time() {
    // 1970-01-01T00:00:00Z is a Thursday; twelve hours west of it, Wednesday noon.
    assert!(schedule(0x08, 0, 1).allows(at(0)));
    let west = Schedule::new(days(0x04), 720, 721, offset(-720), None).unwrap();
    assert!(west.allows(at(0)));
    assert!(!west.allows(at(60)));
    for minutes in [-720, 0, 840] {
        let always = Schedule::new(Weekdays::ALL, 0, 1440, offset(minutes), None).unwrap();
        assert!(always.allows(at(u64::MAX)));
    }
}

//= spec/protocol.md#encoding-of-limits
//# LIM-4. A decoder MUST refuse a window whose start is above 1439.
//= spec/protocol.md#encoding-of-limits
//# LIM-5. A decoder MUST refuse a window whose end is 0 or above 1440.
//= spec/protocol.md#encoding-of-limits
//# LIM-6. A decoder MUST refuse a window whose start equals its end.
#[test]
fn a_window_out_of_range_or_empty_is_refused() {
    let window = |start, end| Schedule::new(Weekdays::ALL, start, end, UtcOffset::UTC, None).map(|s| s.window());
    for (start, end) in [(0, 0), (1, 1), (1439, 1439), (1440, 1), (1440, 1440), (0, 1441), (u16::MAX, 1), (1, u16::MAX)]
    {
        assert_eq!(window(start, end), Err(LimitsError::Window), "{start} to {end}");
    }
    for (start, end) in [(0, 1), (0, 1440), (1439, 1440), (1439, 1), (1, 1440)] {
        assert_eq!(window(start, end), Ok((start, end)));
    }
    // A window that ended at midnight's minute 0 is written as ending at 1440.
    assert_eq!(window(1320, 0), Err(LimitsError::Window));
}

//= spec/protocol.md#encoding-of-limits
//# LIM-7. A decoder MUST refuse an offset outside −720 to 840.
#[test]
fn an_offset_out_of_range_is_refused() {
    for minutes in [i16::MIN, -721, 841, i16::MAX] {
        assert_eq!(UtcOffset::from_minutes(minutes), Err(LimitsError::Offset));
    }
    for minutes in [-720, -1, 0, 1, 840] {
        assert_eq!(UtcOffset::from_minutes(minutes).unwrap().minutes(), minutes);
    }
}

#[test]
fn an_empty_or_unknown_set_of_weekdays_is_refused() {
    for bits in 0..=u8::MAX {
        let set = Weekdays::try_from(bits);
        assert_eq!(set.is_ok(), (1..=0x7f).contains(&bits));
        match set {
            Ok(set) => {
                assert_eq!(u8::from(set), bits);
                for day in 0..=u8::MAX {
                    assert_eq!(set.contains(day), day < 7 && bits >> day & 1 == 1);
                }
            }
            Err(error) => assert_eq!(error, LimitsError::Weekdays),
        }
    }
    assert_eq!((Weekdays::ALL, Weekdays::MON_TO_FRI), (days(0x7f), days(0x1f)));
}

#[test]
fn every_weekday_by_its_name_is_one_day_and_sets_are_joined() {
    use Weekdays as W;
    let week = [W::MON, W::TUE, W::WED, W::THU, W::FRI, W::SAT, W::SUN];
    for (index, day) in (0..).zip(week) {
        assert_eq!(day, days(1 << index), "{index}");
    }
    assert_eq!(week.into_iter().reduce(Weekdays::or), Some(W::ALL));
    assert_eq!(W::MON_TO_FRI | W::FRI, W::MON_TO_FRI);
    assert_eq!(W::SAT.or(W::SUN), days(0x60));
}

//= spec/protocol.md#common-values
//# MSG-15. A decoder MUST refuse rights in which neither bit 0 nor bit 1 is set.
//= spec/protocol.md#common-values
//# MSG-16. A decoder MUST refuse rights in which any of the bits 2 to 7 is set.
#[test]
fn empty_or_unknown_rights_and_unknown_actions_are_refused() {
    for byte in 0..=u8::MAX {
        match byte {
            1..=3 => assert_eq!(Rights::try_from(byte).map(u8::from), Ok(byte)),
            _ => assert_eq!(Rights::try_from(byte), Err(LimitsError::Rights)),
        }
        match byte {
            1 | 2 => assert_eq!(Action::try_from(byte).map(u8::from), Ok(byte)),
            _ => assert_eq!(Action::try_from(byte), Err(LimitsError::Action)),
        }
    }
    for (rights, open, lock) in
        [(Rights::OPEN, true, false), (Rights::LOCK, false, true), (Rights::OPEN_AND_LOCK, true, true)]
    {
        assert_eq!((rights.allow(Action::Open), rights.allow(Action::Lock)), (open, lock));
    }
}

//= spec/protocol.md#encoding-of-limits
//# LIM-1. A decoder MUST refuse limits whose `from` is not before their `until`, where both are there.
#[test]
fn a_period_must_not_be_empty() {
    let period = |from: u64, until: u64| Limits::new(Some(at(from)), Some(at(until)), None, None);
    assert_eq!(period(1, 1), Err(LimitsError::EmptyPeriod));
    assert_eq!(period(2, 1), Err(LimitsError::EmptyPeriod));
    assert_eq!(period(u64::MAX, 0), Err(LimitsError::EmptyPeriod));
    let limits = period(1, 2).unwrap();
    assert_eq!((limits.valid_from(), limits.valid_until()), (Some(at(1)), Some(at(2))));
    assert!(Limits::new(Some(at(u64::MAX)), None, None, None).is_ok());
    assert!(Limits::new(None, Some(at(0)), None, None).is_ok());
}

#[test]
fn a_key_has_at_least_one_use() {
    assert_eq!(Limits::new(None, None, None, Some(0)), Err(LimitsError::NoUses));
    assert_eq!(Limits::new(None, None, None, Some(1)).unwrap().max_uses(), Some(1));
    assert_eq!(Limits::NONE.max_uses(), None);
}

#[test]
fn limits_that_are_added_one_by_one_are_those_that_are_given_at_once() {
    let week = schedule(0x7f, 0, 1440);
    let all = Limits::new(Some(at(1)), Some(at(2)), Some(week), Some(3)).unwrap();
    let one_by_one = Limits::NONE.from(at(1)).and_then(|limits| limits.until(at(2))).unwrap().on(week).uses(3);
    assert_eq!(one_by_one, Ok(all));
    assert_eq!(all.from(at(0)).unwrap().uses(4), Limits::new(Some(at(0)), Some(at(2)), Some(week), Some(4)));
    assert_eq!((all.from(at(2)), all.until(at(1))), (Err(LimitsError::EmptyPeriod), Err(LimitsError::EmptyPeriod)));
    assert_eq!(all.uses(0), Err(LimitsError::NoUses));
}

#[test]
fn only_dates_and_schedules_need_a_clock() {
    let week = schedule(0x7f, 0, 1440);
    for (from, until, schedule, uses, needs) in [
        (None, None, None, None, false),
        (None, None, None, Some(3), false),
        (Some(at(1)), None, None, None, true),
        (None, Some(at(1)), None, None, true),
        (None, None, Some(week), None, true),
    ] {
        let limits = Limits::new(from, until, schedule, uses).unwrap();
        assert_eq!(limits.need_clock(), needs);
        assert_eq!(limits.schedule(), schedule.as_ref());
    }
    assert_eq!(Limits::NONE, Limits::default());
}

/// The longest grant with these bytes at `at`, its fields cut off at `end`.
fn cut_grant(at: usize, bytes: &[u8], end: usize) -> Result<(), WireError> {
    let mut message = message(&Grant::samples(Size::Low).pop().unwrap());
    message[at..at + bytes.len()].copy_from_slice(bytes);
    message.drain(end..message.len() - 64);
    Unverified::<Grant>::parse(&message).map(|_| ())
}

//= spec/protocol.md#encoding-of-limits
//# LIM-16. A decoder MUST check LIM-1 and LIM-2 only when all fields of the limits were read.
//= spec/protocol.md#encoding-of-limits
//# LIM-17. A decoder MUST check LIM-4, LIM-5 and LIM-6 only when all fields of the schedule were read.
#[test]
fn what_is_wrong_with_fields_together_is_looked_at_when_all_were_read() {
    let (until, uses, start, next) = (92, 120, 102, 109);
    for (at, wrong, cut, whole) in [(until, &[0; 8][..], uses, 124), (start, &1_u16.to_le_bytes(), next, 119)] {
        assert_eq!(cut_grant(at, wrong, cut), Err(WireError::Truncated), "at {at}");
        assert_eq!(cut_grant(at, wrong, whole), Err(WireError::Value), "at {at}");
    }
    // What is wrong by itself is noticed before the end is.
    assert_eq!(cut_grant(101, &[0], next), Err(WireError::Value));
}

/// Said again, second by second.
fn allows_something(limits: &Limits, begin: u64, until: u64) -> bool {
    (begin..until).any(|second| limits.schedule().is_none_or(|schedule| schedule.allows(at(second))))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn whether_a_schedule_leaves_any_time_is_told_exactly(
        schedule in any_schedule(),
        change in 0..3 * DAY,
        from in 0..DAY,
        span in prop_oneof![1..120_u64, 1..2 * DAY, 13 * DAY..16 * DAY],
    ) {
        let next = schedule.next_offset().map(|next| OffsetChange { at: at(MONDAY + change), ..next });
        let (start, end) = schedule.window();
        let schedule = Schedule::new(schedule.days(), start, end, schedule.offset(), next).unwrap();
        let (from, until) = (MONDAY + from, MONDAY + from + span);
        let limits = Limits::new(Some(at(from)), Some(at(until)), Some(schedule), None).unwrap();
        let some = allows_something(&limits, from, until);
        prop_assert_eq!(limits.check(Rights::OPEN), if some { Ok(()) } else { Err(LimitsError::NoTime) });
        let dated = limits.never_open(at(MONDAY), true);
        prop_assert_eq!(dated, (!some).then_some(NeverOpens::NoTime));
        // What is over does not count.
        let now = from + span / 2;
        let left = allows_something(&limits, now, until);
        prop_assert_eq!(limits.never_open(at(now), true), (!left).then_some(NeverOpens::NoTime));
    }
}

//= spec/protocol.md#limits-that-cannot-be-meant
//# LIM-18. An owner MUST NOT sign a grant whose limits cannot be meant: a date at or after 253402300800, a number of uses without the right to open, or a schedule that allows no moment from its `from` on and before its `until`.
#[test]
fn an_owner_signs_no_limits_that_cannot_be_meant() {
    use sharekey_stage::desk::{SLOT, active_view, owner, subject_seed};
    let until = |seconds| Limits::NONE.until(at(seconds)).unwrap();
    let far = |seconds| OffsetChange { at: at(seconds), offset: UtcOffset::UTC };
    let folding = |next| Limits::NONE.on(Schedule::new(days(1), 0, 1, UtcOffset::UTC, Some(next)).unwrap());
    // Saturday and Sunday, from a Monday to a Friday.
    let midweek = Limits::NONE.from(at(MONDAY)).unwrap().until(at(MONDAY + 4 * DAY)).unwrap();
    let weekends = midweek.on(schedule(0x60, 0, 1440));
    for (limits, rights, error) in [
        (until(253_402_300_800), Rights::OPEN, Some(LimitsError::FarAway)),
        (until(253_402_300_799), Rights::OPEN, None),
        // Noon of 2026-11-23 in milliseconds: the year 56865.
        (until(1_795_435_200_000), Rights::OPEN, Some(LimitsError::FarAway)),
        (Limits::NONE.from(at(1_795_435_200_000)).unwrap(), Rights::OPEN, Some(LimitsError::FarAway)),
        (folding(far(253_402_300_800)), Rights::OPEN, Some(LimitsError::FarAway)),
        (folding(far(253_402_300_799)), Rights::OPEN, None),
        (Limits::NONE.uses(1).unwrap(), Rights::LOCK, Some(LimitsError::UsesWithoutOpen)),
        (Limits::NONE.uses(1).unwrap(), Rights::OPEN, None),
        (Limits::NONE.uses(1).unwrap(), Rights::OPEN_AND_LOCK, None),
        (weekends, Rights::OPEN, Some(LimitsError::NoTime)),
        (midweek.on(schedule(0x08, 0, 1440)), Rights::OPEN, None),
        (Limits::NONE.on(schedule(0x60, 0, 1)), Rights::OPEN, None),
    ] {
        assert_eq!(limits.check(rights).err(), error, "{limits}");
        let (mut view, subject) = (active_view(), sharekey_stage::public(&subject_seed()));
        let shared =
            owner().share(&mut view, SLOT, subject, sharekey::owner::Method::Account, rights, limits).map(drop);
        assert_eq!(shared.err(), error.map(OwnerError::Limits), "{limits}");
    }
}

//= spec/protocol.md#limits-that-cannot-be-meant
//# LIM-19. An owner MUST NOT order a clock to be set to a time at or after 253402300800.
#[test]
fn an_owner_sets_no_clock_to_milliseconds() {
    use sharekey_stage::desk::{active_view, challenge, owner, rng};
    let set = |seconds| {
        let (mut view, order) = (active_view(), sharekey::owner::Order::SetClock { to: at(seconds) });
        owner().order(&mut view, order, &challenge(), &mut rng()).map(drop)
    };
    for milliseconds in [253_402_300_800, 1_795_435_200_000, u64::MAX] {
        assert_eq!(set(milliseconds), Err(OwnerError::Limits(LimitsError::FarAway)));
    }
    assert_eq!((set(1_795_435_200), set(253_402_300_799)), (Ok(()), Ok(())));
}

#[test]
fn what_would_never_open_is_said_before_it_is_shared() {
    let dated = Limits::NONE.until(at(MONDAY)).unwrap();
    assert_eq!(dated.never_open(at(MONDAY), true), Some(NeverOpens::Over));
    assert_eq!(dated.never_open(at(MONDAY - 1), true), None);
    assert_eq!(dated.never_open(at(MONDAY - 1), false), Some(NeverOpens::NoClock));
    assert_eq!(Limits::NONE.on(schedule(1, 0, 1)).never_open(at(MONDAY), false), Some(NeverOpens::NoClock));
    assert_eq!(Limits::NONE.uses(1).unwrap().never_open(at(MONDAY), false), None);
    // Its Monday is over by noon, and it ends on Sunday.
    let week = Limits::NONE.until(at(MONDAY + 6 * DAY)).unwrap().on(schedule(1, 0, 720));
    assert_eq!(week.never_open(at(MONDAY + DAY / 2 - 1), true), None);
    assert_eq!(week.never_open(at(MONDAY + DAY / 2), true), Some(NeverOpens::NoTime));
}

#[test]
fn a_key_stands_by_its_dates() {
    let limits = Limits::NONE.from(at(10)).unwrap().until(at(20)).unwrap();
    let stands = [9, 10, 19, 20].map(|time| limits.standing(at(time)));
    assert_eq!(stands, [KeyStanding::NotYet, KeyStanding::Valid, KeyStanding::Valid, KeyStanding::Over]);
    assert_eq!(Limits::NONE.standing(at(0)), KeyStanding::Valid);
}
