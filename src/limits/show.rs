//! What an app may show of rights and limits, in English.

use core::fmt::{self, Display};

use super::{Action, Limits, OffsetChange, Rights, Schedule, Timestamp, UtcOffset, Weekdays};

impl Display for Timestamp {
    /// In UTC, as RFC 3339 writes it: `2024-01-01T12:00:00Z`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = self.unix_seconds();
        let (year, month, day) = date(seconds / 86_400);
        let (hour, minute, second) = (seconds / 3_600 % 24, seconds / 60 % 60, seconds % 60);
        write!(f, "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z")
    }
}

/// Year, month and day of the day that is so many after 1970-01-01, in the Gregorian calendar.
fn date(days: u64) -> (u64, u64, u64) {
    // Years begin in March here, so that a leap day is the last of its year; 400 years are 146 097 days.
    let days = days.saturating_add(719_468);
    let (age, day) = (days / 146_097, days % 146_097);
    let leaps = (day / 1_460).saturating_add(day / 146_096).saturating_sub(day / 36_524);
    let year = day.saturating_sub(leaps) / 365;
    let day = day.saturating_sub(year.saturating_mul(365).saturating_add(year / 4).saturating_sub(year / 100));
    // Months from March on: five of them are 153 days, and so are the next five.
    let month = day.saturating_mul(5).saturating_add(2) / 153;
    let day = day.saturating_sub(month.saturating_mul(153).saturating_add(2) / 5).saturating_add(1);
    let (month, later) = if month < 10 { (month.saturating_add(3), 0) } else { (month.saturating_sub(9), 1) };
    (age.saturating_mul(400).saturating_add(year).saturating_add(later), month, day)
}

impl Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Open => "open",
            Self::Lock => "lock",
        })
    }
}

impl Display for Rights {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let actions = [Action::Open, Action::Lock].into_iter().filter(|action| self.allow(*action));
        list(f, " and ", actions)
    }
}

impl Display for Weekdays {
    /// `Mon, Wed`; `Mon to Fri`; `every day`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::ALL => f.write_str("every day"),
            Self::MON_TO_FRI => f.write_str("Mon to Fri"),
            days => {
                let names = (0..).zip(["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"]);
                list(f, ", ", names.filter(|(day, _)| days.contains(*day)).map(|(_, name)| name))
            }
        }
    }
}

impl Display for UtcOffset {
    /// `UTC`, `UTC+02:00`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (sign, minutes) = (if self.minutes() < 0 { '-' } else { '+' }, self.minutes().unsigned_abs());
        f.write_str("UTC")?;
        if minutes == 0 { Ok(()) } else { write!(f, "{sign}{}", Clock(minutes)) }
    }
}

impl Display for OffsetChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} from {} on", self.offset, self.at)
    }
}

impl Display for Schedule {
    /// `Mon to Fri 08:00–18:00 (UTC+02:00)`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (start, end) = self.window();
        write!(f, "{} {}–{} ({}", self.days(), Clock(start), Clock(end), self.offset())?;
        if let Some(change) = self.next_offset() {
            write!(f, ", {change}")?;
        }
        f.write_str(")")
    }
}

impl Display for Limits {
    /// What there is of `from …, until …, Mon to Fri 08:00–18:00 (UTC), 3 uses`; or `no limits`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let from = self.from.map(Limit::From);
        let until = self.until.map(Limit::Until);
        let schedule = self.schedule.map(Limit::Schedule);
        let limits = [from, until, schedule, self.uses.map(Limit::Uses)];
        if *self == Self::NONE { f.write_str("no limits") } else { list(f, ", ", limits.into_iter().flatten()) }
    }
}

/// One of the limits of a key.
enum Limit {
    From(Timestamp),
    Until(Timestamp),
    Schedule(Schedule),
    Uses(u32),
}

impl Display for Limit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::From(at) => write!(f, "from {at}"),
            Self::Until(at) => write!(f, "until {at}"),
            Self::Schedule(schedule) => schedule.fmt(f),
            Self::Uses(1) => f.write_str("1 use"),
            Self::Uses(uses) => write!(f, "{uses} uses"),
        }
    }
}

/// Minutes as hours and minutes.
struct Clock(u16);

impl Display for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:02}:{:02}", self.0 / 60, self.0 % 60)
    }
}

fn list(f: &mut fmt::Formatter<'_>, between: &str, items: impl Iterator<Item = impl Display>) -> fmt::Result {
    let mut first = true;
    for item in items {
        if !core::mem::take(&mut first) {
            f.write_str(between)?;
        }
        item.fmt(f)?;
    }
    Ok(())
}
