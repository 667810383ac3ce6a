//! Days, hours and offsets, as people type and read them.

use sharekey::error::LimitsError;
use sharekey::limits::{Schedule, UtcOffset, Weekdays};

const NAMES: [(&str, Weekdays); 7] = [
    ("mon", Weekdays::MON),
    ("tue", Weekdays::TUE),
    ("wed", Weekdays::WED),
    ("thu", Weekdays::THU),
    ("fri", Weekdays::FRI),
    ("sat", Weekdays::SAT),
    ("sun", Weekdays::SUN),
];

/// A set of weekdays: `mon-fri`, `sat,sun`, `fri-mon`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Days(pub Weekdays);

impl Days {
    pub fn read(text: &str) -> Result<Self, String> {
        let error = || format!("not a set of days: {text} (mon-fri, or sat,sun)");
        let mut bits = 0;
        for part in text.split(',') {
            let (first, last) = part.split_once('-').unwrap_or((part, part));
            let (first, last) = index(first).zip(index(last)).ok_or_else(error)?;
            let span = (last + 7 - first) % 7;
            for day in first..=first + span {
                bits |= 1_u8 << (day % 7);
            }
        }
        Weekdays::try_from(bits).map(Self).map_err(|_| error())
    }
}

fn index(name: &str) -> Option<usize> {
    let name = name.trim().to_ascii_lowercase();
    NAMES.iter().position(|(known, _)| *known == name)
}

/// A window of minutes after midnight.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Hours {
    pub start: u16,
    pub end: u16,
}

impl Hours {
    pub const ALL_DAY: Self = Self { start: 0, end: 1440 };

    pub fn read(text: &str) -> Result<Self, String> {
        let read = text.split_once('-').and_then(|(start, end)| minutes(start).zip(minutes(end)));
        let (start, end) = read.ok_or_else(|| format!("not a window: {text} (09:00-18:00)"))?;
        Ok(Self { start, end })
    }
}

/// Minutes after midnight, `24:00` included.
fn minutes(text: &str) -> Option<u16> {
    let (hours, minutes) = text.split_once(':')?;
    if hours.len() != 2 || minutes.len() != 2 {
        return None;
    }
    let (hours, minutes) = (hours.parse::<u16>().ok()?, minutes.parse::<u16>().ok()?);
    let total = hours.checked_mul(60)?.checked_add(minutes)?;
    (minutes < 60 && total <= 1440).then_some(total)
}

/// An offset from UTC, `+08:00`, `-05:00` or `Z`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Offset(pub UtcOffset);

impl Offset {
    pub fn read(text: &str) -> Result<Self, String> {
        let error = || format!("not an offset from UTC: {text} (+08:00)");
        if text.eq_ignore_ascii_case("z") {
            return Ok(Self(UtcOffset::UTC));
        }
        let (sign, rest) = match (text.strip_prefix('+'), text.strip_prefix('-')) {
            (Some(rest), _) => (1, rest),
            (_, Some(rest)) => (-1, rest),
            _ => return Err(error()),
        };
        let minutes = minutes(rest).and_then(|minutes| i16::try_from(minutes).ok()).ok_or_else(error)?;
        UtcOffset::from_minutes(sign * minutes).map(Self).map_err(|error| error.to_string())
    }
}

/// The schedule that was asked for, where one was.
pub fn build(
    days: Option<Days>,
    hours: Option<Hours>,
    offset: Option<Offset>,
) -> Result<Option<Schedule>, LimitsError> {
    if days.is_none() && hours.is_none() {
        return Ok(None);
    }
    let days = days.map_or(Weekdays::ALL, |days| days.0);
    let hours = hours.unwrap_or(Hours::ALL_DAY);
    let offset = offset.map_or(UtcOffset::UTC, |offset| offset.0);
    Schedule::new(days, hours.start, hours.end, offset, None).map(Some)
}

/// The names of the days in the set.
pub fn day_names(days: Weekdays) -> Vec<&'static str> {
    let bits = u8::from(days);
    NAMES.iter().filter(|(_, day)| bits & u8::from(*day) != 0).map(|(name, _)| *name).collect()
}

/// The days as they are typed: `mon-fri`, `sat,sun`.
pub fn show_days(days: Weekdays) -> String {
    let names = day_names(days);
    let whole =
        |run: &[&str]| NAMES.iter().map(|(name, _)| *name).collect::<Vec<_>>().windows(run.len()).any(|w| w == run);
    match names.as_slice() {
        [first, _, .., last] if names.len() > 2 && whole(&names) => format!("{first}-{last}"),
        _ => names.join(","),
    }
}

pub fn clock(minutes: u16) -> String {
    format!("{:02}:{:02}", minutes / 60, minutes % 60)
}

pub fn show_offset(offset: UtcOffset) -> String {
    let minutes = offset.minutes();
    let sign = if minutes < 0 { '-' } else { '+' };
    format!("{sign}{}", clock(minutes.unsigned_abs()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_read_also_over_the_end_of_the_week() {
        assert_eq!(Days::read("mon-fri"), Ok(Days(Weekdays::MON_TO_FRI)));
        assert_eq!(Days::read("sat,SUN"), Ok(Days(Weekdays::SAT | Weekdays::SUN)));
        assert_eq!(Days::read("sat-mon").map(|days| day_names(days.0)), Ok(vec!["mon", "sat", "sun"]));
        assert_eq!(Days::read("tue-thu").map(|days| show_days(days.0)), Ok("tue-thu".into()));
        assert_eq!(Days::read("mon,sat-sun").map(|days| show_days(days.0)), Ok("mon,sat,sun".into()));
        for wrong in ["", "mon-", "day", "mon,,tue"] {
            assert!(Days::read(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn hours_and_offsets_are_read() {
        assert_eq!(Hours::read("22:30-24:00"), Ok(Hours { start: 1350, end: 1440 }));
        for wrong in ["9-18", "9:00-18:00", "09:60-10:00", "09:00", "24:01-25:00"] {
            assert!(Hours::read(wrong).is_err(), "{wrong}");
        }
        assert_eq!(Offset::read("-05:30").map(|offset| show_offset(offset.0)), Ok("-05:30".into()));
        for wrong in ["8", "08:00", "+15:00", "+8"] {
            assert!(Offset::read(wrong).is_err(), "{wrong}");
        }
    }
}
