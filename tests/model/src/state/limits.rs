//! Time, counted slowly.

use sharekey::error::LockError;
use sharekey::limits::{Limits, Schedule, Timestamp};
use sharekey::lock::Clock;

const DAY: i128 = 1440;
const WEEK: i128 = 7 * DAY;
/// 1970-01-01 was a Thursday: three days after a Monday.
const THURSDAY: i128 = 3 * DAY;

/// Whether a schedule allows a moment: whether the minute of the week that it falls in, in local time,
/// is one of those that the windows of the week consist of.
#[must_use]
pub fn schedule_allows(schedule: &Schedule, at: Timestamp) -> bool {
    let offset = match schedule.next_offset() {
        Some(next) if next.at <= at => next.offset,
        _ => schedule.offset(),
    };
    let utc = i128::from(at.unix_seconds()).div_euclid(60);
    let local = utc.saturating_add(i128::from(offset.minutes())).saturating_add(THURSDAY).rem_euclid(WEEK);
    allowed_minutes(schedule).any(|minute| minute == local)
}

/// Every allowed minute of a week from Monday, 0:00.
fn allowed_minutes(schedule: &Schedule) -> impl Iterator<Item = i128> {
    let days = u8::from(schedule.days());
    let (start, end) = schedule.window();
    let (start, end) = (i128::from(start), i128::from(end));
    let end = if start < end { end } else { end.saturating_add(DAY) };
    (0..7_i128)
        .filter(move |day| days.checked_shr(u32::try_from(*day).unwrap_or(9)).is_some_and(|days| days & 1 == 1))
        .flat_map(move |day| {
            let midnight = day.saturating_mul(DAY);
            (start..end).map(move |minute| midnight.saturating_add(minute).rem_euclid(WEEK))
        })
}

/// Why limits refuse an unlock at this reading of the clock, apart from the uses.
///
/// # Errors
/// The first of: the time is needed and not known; before the first moment; after the last; outside
/// the schedule.
pub fn check_time(limits: &Limits, clock: Clock) -> Result<(), LockError> {
    if limits.valid_from().is_none() && limits.valid_until().is_none() && limits.schedule().is_none() {
        return Ok(());
    }
    let at = match clock {
        Clock::Absent => return Err(LockError::NoClock),
        Clock::Unset => return Err(LockError::ClockUnset),
        Clock::At(at) => at,
    };
    if let Some(from) = limits.valid_from()
        && at < from
    {
        return Err(LockError::NotYetValid);
    }
    if let Some(until) = limits.valid_until()
        && until <= at
    {
        return Err(LockError::Expired);
    }
    if let Some(schedule) = limits.schedule()
        && !schedule_allows(schedule, at)
    {
        return Err(LockError::OutsideSchedule);
    }
    Ok(())
}
