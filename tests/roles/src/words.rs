//! What an app may show, and what it may take from people: words, and keys and ids in hexadecimal.

use proptest::prelude::*;
use sharekey::crypto::{Digest, PublicKey};
use sharekey::error::HexError;
use sharekey::id::LockId;
use sharekey::limits::{Action, Limits, OffsetChange, Rights, Schedule, Timestamp, UtcOffset, Weekdays};
use sharekey::slot::State;
use sharekey_stage::calendar::written;
use sharekey_stage::world::{OLGA, key_of};

fn at(seconds: u64) -> Timestamp {
    Timestamp::from_unix_seconds(seconds)
}

fn offset(minutes: i16) -> UtcOffset {
    UtcOffset::from_minutes(minutes).unwrap()
}

proptest! {
    /// Up to the end of the year 9999, the last that the other calendar knows.
    #[test]
    fn a_moment_is_written_as_the_calendar_has_it(seconds in 0..253_402_300_800_u64) {
        prop_assert_eq!(at(seconds).to_string(), written(seconds));
    }
}

#[test]
fn moments_at_the_edges_of_years_and_months() {
    for (seconds, text) in [
        (0, "1970-01-01T00:00:00Z"),
        (951_782_399, "2000-02-28T23:59:59Z"),
        (951_782_400, "2000-02-29T00:00:00Z"),
        (951_868_800, "2000-03-01T00:00:00Z"),
        (4_107_542_400, "2100-03-01T00:00:00Z"),
        (253_402_300_800, "10000-01-01T00:00:00Z"),
        (u64::MAX, "584554051223-11-09T07:00:15Z"),
    ] {
        assert_eq!(at(seconds).to_string(), text);
    }
}

#[test]
fn limits_are_words() {
    let next = OffsetChange { at: at(1_729_994_400), offset: offset(60) };
    let days = Schedule::new(Weekdays::MON_TO_FRI, 480, 1080, offset(120), Some(next)).unwrap();
    let nights = Schedule::new(Weekdays::SAT.or(Weekdays::SUN), 1320, 300, offset(-210), None).unwrap();
    let (from, until) = (Some(at(1_704_110_400)), Some(at(1_704_196_800)));
    for (limits, words) in [
        (Limits::NONE, "no limits"),
        (Limits::new(None, None, None, Some(1)).unwrap(), "1 use"),
        (Limits::new(from, None, None, Some(3)).unwrap(), "from 2024-01-01T12:00:00Z, 3 uses"),
        (
            Limits::new(from, until, Some(days), None).unwrap(),
            "from 2024-01-01T12:00:00Z, until 2024-01-02T12:00:00Z, \
             Mon to Fri 08:00–18:00 (UTC+02:00, UTC+01:00 from 2024-10-27T02:00:00Z on)",
        ),
        (
            Limits::new(None, until, Some(nights), None).unwrap(),
            "until 2024-01-02T12:00:00Z, Sat, Sun 22:00–05:00 (UTC-03:30)",
        ),
    ] {
        assert_eq!(limits.to_string(), words);
    }
    assert_eq!((Weekdays::ALL.to_string(), UtcOffset::UTC.to_string()), ("every day".into(), "UTC".into()));
}

#[test]
fn rights_actions_and_states_are_words() {
    let rights = [Rights::OPEN, Rights::LOCK, Rights::OPEN_AND_LOCK].map(|rights| rights.to_string());
    assert_eq!(rights, ["open", "lock", "open and lock"]);
    assert_eq!([Action::Open, Action::Lock].map(|action| action.to_string()), ["open", "lock"]);
    assert_eq!(State::ALL.map(|state| state.to_string()), ["inactive", "not shared", "sharing", "shared"]);
}

#[test]
fn keys_and_ids_are_read_as_they_are_written() {
    let key = key_of(OLGA);
    let text = key.to_string();
    assert_eq!((text.parse(), text.to_uppercase().parse()), (Ok(key), Ok(key)));
    assert_eq!((text.parse(), LockId::new(key).to_string()), (Ok(LockId::new(key)), text.clone()));
    assert_eq!(text.parse::<Digest>().unwrap().to_string(), text);
    for (wrong, error) in [
        ("", HexError::Length),
        (&text[1..], HexError::Length),
        (&text[2..], HexError::Length),
        (&format!("{text}00"), HexError::Length),
        (&format!(" {}", &text[1..]), HexError::NotHex),
        (&format!("{}g", &text[1..]), HexError::NotHex),
        (&format!("{}é", &text[2..]), HexError::NotHex),
    ] {
        assert_eq!((wrong.parse::<PublicKey>(), wrong.parse::<LockId>()), (Err(error), Err(error)), "{wrong}");
    }
}
