//! Schedules by the calendar, for the tests and the fuzz targets.

use sharekey::limits::Schedule;
use time::{Duration, OffsetDateTime, PrimitiveDateTime, Time};

/// The obvious way: is the local date and time inside the window that starts on some day of the set?
pub fn allows(schedule: &Schedule, now: u64) -> bool {
    let offset = match schedule.next_offset() {
        Some(change) if change.at.unix_seconds() <= now => change.offset,
        _ => schedule.offset(),
    };
    let offset = time::UtcOffset::from_whole_seconds(i32::from(offset.minutes()) * 60).unwrap();
    let local = OffsetDateTime::from_unix_timestamp(now.try_into().unwrap()).unwrap().to_offset(offset);
    let local = PrimitiveDateTime::new(local.date(), local.time());
    let (start, end) = schedule.window();
    [local.date(), local.date() - Duration::DAY].into_iter().any(|day| {
        let midnight = PrimitiveDateTime::new(day, Time::MIDNIGHT);
        let opens = midnight + Duration::minutes(start.into());
        let ends_on = if start < end { midnight } else { midnight + Duration::DAY };
        let closes = ends_on + Duration::minutes(end.into());
        schedule.days().contains(day.weekday().number_days_from_monday()) && opens <= local && local < closes
    })
}

/// The moment as that library writes it.
pub fn written(unix_seconds: u64) -> String {
    let now = OffsetDateTime::from_unix_timestamp(i64::try_from(unix_seconds).unwrap()).unwrap();
    let (date, time) = (now.date(), now.time());
    let (year, month, day) = (date.year(), u8::from(date.month()), date.day());
    let (hour, minute, second) = (time.hour(), time.minute(), time.second());
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z")
}
