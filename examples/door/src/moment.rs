//! Times and durations, as people type and read them.

use anyhow::{Context as _, bail};
use sharekey::limits::Timestamp;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

/// A time span in milliseconds.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Wait(pub u64);

impl Wait {
    /// Reads `500ms`, `90s`, `15m`, `2h`, `3d`, or several in a row (`1h30m`).
    pub fn read(text: &str) -> Result<Self, String> {
        let error = || format!("not a duration: {text} (500ms, 90s, 15m, 2h, 3d, 1h30m)");
        let mut rest = text;
        let mut total = 0_u64;
        while !rest.is_empty() {
            let digits = rest.find(|c: char| !c.is_ascii_digit()).ok_or_else(error)?;
            let (number, tail) = rest.split_at(digits);
            let letters = tail.find(|c: char| c.is_ascii_digit()).unwrap_or(tail.len());
            let (unit, tail) = tail.split_at(letters);
            let span = number.parse::<u64>().ok().zip(milliseconds(unit)).and_then(|(n, unit)| n.checked_mul(unit));
            total = span.and_then(|span| total.checked_add(span)).ok_or_else(error)?;
            rest = tail;
        }
        if text.is_empty() { Err(error()) } else { Ok(Self(total)) }
    }

    pub fn seconds(self) -> u64 {
        self.0 / 1000
    }
}

fn milliseconds(unit: &str) -> Option<u64> {
    match unit {
        "ms" => Some(1),
        "s" => Some(1000),
        "m" => Some(60_000),
        "h" => Some(3_600_000),
        "d" => Some(86_400_000),
        _ => None,
    }
}

/// A time as it was typed: itself, or after some other.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum When {
    At(Timestamp),
    After(Wait),
}

impl When {
    /// Reads RFC 3339, or `+DURATION`.
    pub fn read(text: &str) -> Result<Self, String> {
        if let Some(span) = text.strip_prefix('+') {
            return Wait::read(span).map(Self::After);
        }
        let read = OffsetDateTime::parse(text, &Rfc3339).ok().map(OffsetDateTime::unix_timestamp);
        match read.and_then(|seconds| u64::try_from(seconds).ok()) {
            Some(seconds) => Ok(Self::At(Timestamp::from_unix_seconds(seconds))),
            None => Err(format!("not a time: {text} (2026-11-23T12:00:00Z, or +2h)")),
        }
    }

    pub fn after(self, now: Timestamp) -> anyhow::Result<Timestamp> {
        match self {
            Self::At(time) => Ok(time),
            Self::After(wait) => later(now, wait),
        }
    }
}

pub fn later(time: Timestamp, wait: Wait) -> anyhow::Result<Timestamp> {
    let seconds = time.unix_seconds().checked_add(wait.seconds()).context("a time too far away")?;
    Ok(Timestamp::from_unix_seconds(seconds))
}

/// RFC 3339 in UTC; the plain number of seconds where there is no such year.
pub fn show(time: Timestamp) -> String {
    let date = i64::try_from(time.unix_seconds()).ok().and_then(|s| OffsetDateTime::from_unix_timestamp(s).ok());
    date.and_then(|date| date.format(&Rfc3339).ok()).unwrap_or_else(|| format!("{} s", time.unix_seconds()))
}

/// The time that the computer's clock shows.
pub fn system() -> anyhow::Result<Timestamp> {
    let Ok(since) = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH) else {
        bail!("the computer's clock stands before 1970");
    };
    Ok(Timestamp::from_unix_seconds(since.as_secs()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_read() {
        assert_eq!(Wait::read("1h30m"), Ok(Wait(5_400_000)));
        assert_eq!(Wait::read("500ms"), Ok(Wait(500)));
        for wrong in ["", "5", "h", "5x", "-5s", "99999999999999999999s", "18446744073709551615d"] {
            assert!(Wait::read(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn times_are_read_and_shown() {
        let noon = Timestamp::from_unix_seconds(1_795_435_200);
        assert_eq!(When::read("2026-11-23T20:00:00+08:00"), Ok(When::At(noon)));
        assert_eq!(show(noon), "2026-11-23T12:00:00Z");
        assert!(When::read("1960-01-01T00:00:00Z").is_err());
        assert!(When::read("tomorrow").is_err());
    }
}
