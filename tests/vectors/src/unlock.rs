//! `unlock_errors.json`: unlocks that a lock refuses, and some that it accepts.

use serde_json::{Value, json};
use sharekey::error::RefuseReason;
use sharekey::id::SlotId;
use sharekey::limits::{Action, Limits, OffsetChange, Rights, Schedule, Timestamp, UtcOffset, Weekdays};
use sharekey::message::Unlock;

use sharekey_stage::cells::limits;

use super::bench::{Bench, Given, Key, NOON, bytes, other_secret};
use super::forge;
use super::keys::{nonce, seed};

const HOUR: u64 = 3_600;
const DAY: u64 = 24 * HOUR;

pub fn file() -> Value {
    let mut cases = strangers();
    cases.extend(sessions());
    cases.extend(slots());
    cases.extend(times());
    cases.extend(uses());
    cases.extend(rights());
    cases.extend(orders());
    cases.extend(stores());
    super::file("Unlocks at a lock with a key in slot 0: what it boots with, and every step.", json!({}), cases)
}

fn installed(name: &str, limits: Limits) -> (Bench, Key) {
    let (bench, key) = Bench::installed(name, Rights::OPEN_AND_LOCK, limits);
    (bench.record(), key)
}

/// One unlock that is refused without a reason, by whoever is no holder of the key.
fn opaque(name: &str, rule: &str, error: &str, make: impl FnOnce(&Key, Given) -> Vec<u8>) -> Value {
    let (mut bench, key) = installed(name, Limits::NONE);
    let given = bench.challenge("Operate");
    let message = make(&key, given);
    bench.opaque("unlock", given, &message, error);
    bench.case(rule)
}

fn body(key: &Key, given: Given) -> Unlock {
    let guest_nonce = nonce("guest's nonce");
    Unlock { slot: SlotId::new(key.slot), action: Action::Open, lock_nonce: given.nonce, guest_nonce }
}

fn strangers() -> Vec<Value> {
    let open = |key: &Key, given| key.unlock(Action::Open, given);
    vec![
        opaque("no bytes", "UNL-1", "Wire.Truncated", |_, _| Vec::new()),
        opaque("an unlock cut short", "UNL-1", "Wire.Truncated", |key, given| open(key, given)[..53].to_vec()),
        opaque("an unlock with a byte behind it", "UNL-1", "Wire.TooLong", |key, given| {
            [open(key, given), vec![0]].concat()
        }),
        opaque("a reply for an unlock", "UNL-1", "Wire.Kind", |key, given| {
            let mut message = open(key, given);
            message[3] = 11;
            message
        }),
        opaque("an unlock of version 2", "UNL-1", "Wire.Version", |key, given| {
            let mut frame = forge::frame(&body(key, given));
            frame[2] = 2;
            forge::tag(frame, &key.pairing)
        }),
        opaque("an unlock of an undefined action", "UNL-1", "Wire.Value", |key, given| {
            let mut frame = forge::frame(&body(key, given));
            frame[5] = 3;
            forge::tag(frame, &key.pairing)
        }),
        opaque("an unlock on another nonce", "UNL-4", "WrongNonce", |key, given| {
            key.unlock(Action::Open, Given { nonce: nonce("another nonce"), ..given })
        }),
        opaque("an unlock under another key", "UNL-5", "UnlockMac", |key, given| {
            Key { pairing: other_secret(), ..*key }.unlock(Action::Open, given)
        }),
        opaque("an unlock whose tag has a flipped bit", "UNL-5", "UnlockMac", |key, given| {
            let mut message = open(key, given);
            message[53] ^= 0x80;
            message
        }),
        opaque("an unlock whose action was changed", "UNL-5", "UnlockMac", |key, given| {
            let mut message = open(key, given);
            message[5] = 2;
            message
        }),
        opaque("an unlock without a tag", "UNL-5", "UnlockMac", |key, given| {
            [forge::frame(&body(key, given)), vec![0; 16]].concat()
        }),
    ]
}

fn sessions() -> Vec<Value> {
    let mut cases = Vec::new();
    let (mut bench, key) = installed("a newer challenge to operate was given", Limits::NONE);
    let given = bench.challenge("Operate");
    bench.challenge("Operate");
    bench.opaque("unlock", given, &key.unlock(Action::Open, given), "SessionSuperseded");
    cases.push(bench.case("SES-2"));

    let (mut bench, key) = installed("a challenge for an install supersedes nothing", Limits::NONE);
    let given = bench.challenge("Operate");
    bench.challenge("Install");
    bench.send("unlock", given, &key.unlock(Action::Open, given));
    cases.push(bench.case("SES-2"));

    let (mut bench, key) = installed("the same unlock again", Limits::NONE);
    let given = bench.challenge("Operate");
    bench.send("unlock", given, &key.unlock(Action::Open, given));
    bench.opaque("unlock", given, &key.unlock(Action::Open, given), "SessionSuperseded");
    cases.push(bench.case("SES-1"));

    let (mut bench, key) = installed("the same unlock, over a new challenge", Limits::NONE);
    let first = bench.challenge("Operate");
    let message = key.unlock(Action::Open, first);
    bench.send("unlock", first, &message);
    let second = bench.challenge("Operate");
    bench.opaque("unlock", second, &message, "WrongNonce");
    cases.push(bench.case("UNL-4"));

    for (name, late, error) in
        [("in the last millisecond", 10_000, None), ("a millisecond late", 10_001, Some("SessionExpired"))]
    {
        let (mut bench, key) = installed(name, Limits::NONE);
        let given = bench.challenge("Operate");
        bench.ticks += late;
        let message = key.unlock(Action::Open, given);
        match error {
            Some(error) => bench.opaque("unlock", given, &message, error),
            None => drop(bench.send("unlock", given, &message)),
        }
        cases.push(bench.case("SES-4"));
    }
    let (mut bench, key) = installed("the ticks went backwards", Limits::NONE);
    bench.ticks = 5_000;
    let given = bench.challenge("Operate");
    bench.ticks = 4_999;
    bench.opaque("unlock", given, &key.unlock(Action::Open, given), "SessionExpired");
    cases.push(bench.case("SES-5"));
    cases
}

fn slots() -> Vec<Value> {
    let mut cases = Vec::new();
    for (slot, error) in [(1, "NotInstalled"), (3, "NoSuchSlot"), (255, "NoSuchSlot")] {
        cases.push(opaque(&format!("an unlock of slot {slot}"), "UNL-3", error, |key, given| {
            Key { slot, ..*key }.unlock(Action::Open, given)
        }));
    }
    let mut refused = |mut bench: Bench, key: Key, error: &str, rule: &str| {
        let given = bench.challenge("Operate");
        bench.opaque("unlock", given, &key.unlock(Action::Open, given), error);
        cases.push(bench.case(rule));
    };
    let lost = |name| Bench::installed(name, Rights::OPEN_AND_LOCK, Limits::NONE);
    let (mut bench, key) = lost("the slot was activated again");
    bench.activate(0, 3);
    refused(bench.record(), key, "NotInstalled", "OPR-4");
    let (mut bench, key) = lost("the slot was deactivated");
    bench.deactivate(0, 3);
    refused(bench.record(), key, "NotInstalled", "OPR-4");
    let (mut bench, key) = lost("the lock was transferred");
    bench.transfer();
    refused(bench.record(), key, "NotInstalled", "DMG-5");
    let (mut bench, key) = lost("the key was overwritten");
    bench.download(0, 3, |chain| chain.device = seed("stranger"));
    refused(bench.record(), key, "UnlockMac", "GEN-1");
    let (bench, key) = lost("the slot's record is missing");
    refused(bench.record_damaged(&[(3, None)]), key, "SlotDamaged", "DMG-1");
    let (mut bench, key) = lost("the slot's record has a flipped bit");
    let mut record = bytes(&bench.records()["3"]);
    record[80] ^= 4;
    refused(bench.record_damaged(&[(3, Some(record))]), key, "SlotDamaged", "REC-2");
    let (mut bench, key) = lost("the record of slot 1 in the place of slot 0");
    let other = bytes(&bench.records()["4"]);
    refused(bench.record_damaged(&[(3, Some(other))]), key, "SlotDamaged", "REC-1");
    let (mut bench, key) = lost("a header with a flipped bit");
    let mut header = bytes(&bench.records()["1"]);
    header[6] ^= 1;
    refused(bench.record_damaged(&[(1, Some(header))]), key, "Damaged", "DMG-3");
    let (bench, key) = lost("the counter's record is missing");
    refused(bench.record_damaged(&[(2, None)]), key, "Damaged", "DMG-3");
    cases
}

type Expected = Option<(&'static str, RefuseReason)>;

const NOT_YET: Expected = Some(("NotYetValid", RefuseReason::NotYetValid));
const EXPIRED: Expected = Some(("Expired", RefuseReason::Expired));
const OUTSIDE: Expected = Some(("OutsideSchedule", RefuseReason::OutsideSchedule));
const UNSET: Expected = Some(("ClockUnset", RefuseReason::ClockUnset));
const NO_CLOCK: Expected = Some(("NoClock", RefuseReason::NoClock));
const SPENT: Expected = Some(("UsesSpent", RefuseReason::UsesSpent));
const NOT_ALLOWED: Expected = Some(("ActionNotAllowed", RefuseReason::ActionNotAllowed));

fn act(bench: &mut Bench, key: &Key, action: Action, expected: Expected) {
    let given = bench.challenge("Operate");
    match expected {
        Some(why) => bench.replied(given, key, action, why),
        None => drop(bench.send("unlock", given, &key.unlock(action, given))),
    }
}

/// One key, at these times.
fn at_times(name: &str, rule: &str, limits: Limits, times: &[(Value, Expected)]) -> Value {
    let (mut bench, key) = installed(name, limits);
    for (clock, expected) in times {
        bench.clock = clock.clone();
        act(&mut bench, &key, Action::Open, *expected);
    }
    bench.case(rule)
}

/// On Tuesdays from 13:00 to 14:00; an hour earlier from a week on, and the day before that.
fn tuesdays() -> Schedule {
    let next =
        OffsetChange { at: Timestamp::from_unix_seconds(NOON + 7 * DAY), offset: UtcOffset::from_minutes(60).unwrap() };
    Schedule::new(Weekdays::TUE, 13 * 60, 14 * 60, UtcOffset::UTC, Some(next)).unwrap()
}

fn times() -> Vec<Value> {
    let at = Value::from;
    let soon = [(at(NOON), NOT_YET), (at(NOON + 99), NOT_YET), (at(NOON + 100), None), (at(u64::MAX), None)];
    let late = [(at(NOON + 99), None), (at(NOON + 100), EXPIRED), (at(u64::MAX), EXPIRED)];
    let week = [
        (at(NOON), OUTSIDE),
        (at(NOON + HOUR), None),
        (at(NOON + 2 * HOUR - 1), None),
        (at(NOON + 2 * HOUR), OUTSIDE),
        (at(NOON + HOUR + DAY), OUTSIDE),
        (at(NOON + 7 * DAY - 1), OUTSIDE),
        (at(NOON + 7 * DAY), None),
        (at(NOON + 7 * DAY + HOUR), OUTSIDE),
    ];
    let unknown = |error| [("Absent".into(), NO_CLOCK), ("Unset".into(), UNSET), (at(NOON), error)];
    let always = Schedule::new(Weekdays::ALL, 0, 1440, UtcOffset::UTC, None).unwrap();
    let mut cases = vec![
        at_times("the start date is included", "LIM-8", limits(Some(NOON + 100), None, None, None), &soon),
        at_times("the end date is excluded", "LIM-9", limits(None, Some(NOON + 100), None, None), &late),
        at_times(
            "a window on one weekday, and the next offset",
            "LIM-12",
            limits(None, None, Some(tuesdays()), None),
            &week,
        ),
        at_times("a start date without the time", "UNL-6", limits(Some(NOON), None, None, None), &unknown(None)),
        at_times("an end date without the time", "UNL-6", limits(None, Some(NOON), None, None), &unknown(EXPIRED)),
        at_times("a schedule without the time", "UNL-6", limits(None, None, Some(always), None), &unknown(None)),
        at_times(
            "no limits without the time",
            "UNL-6",
            Limits::NONE,
            &[("Absent".into(), None), ("Unset".into(), None)],
        ),
    ];
    // The clock reads less than the latest time known, which a boot's first challenge wrote.
    let behind = [(at(NOON), None), (at(NOON - 1), UNSET), (at(0), UNSET), (at(NOON), None)];
    cases.push(at_times("a clock behind the latest time known", "CLK-2", limits(Some(1), None, None, None), &behind));
    cases
}

fn uses() -> Vec<Value> {
    let (mut bench, key) = installed("two uses; to lock needs none", limits(None, None, None, Some(2)));
    for (action, expected) in [
        (Action::Open, None),
        (Action::Lock, None),
        (Action::Open, None),
        (Action::Open, SPENT),
        (Action::Lock, None),
        (Action::Open, SPENT),
    ] {
        act(&mut bench, &key, action, expected);
    }
    bench.scene.ask(json!({ "role": "lock", "op": "reboot" }));
    act(&mut bench, &key, Action::Open, SPENT);
    vec![bench.case("LIM-14")]
}

fn rights() -> Vec<Value> {
    let mut cases = Vec::new();
    for (name, rights, open, lock) in [
        ("the right to open", Rights::OPEN, None, NOT_ALLOWED),
        ("the right to lock", Rights::LOCK, NOT_ALLOWED, None),
        ("both rights", Rights::OPEN_AND_LOCK, None, None),
    ] {
        let (bench, key) = Bench::installed(name, rights, Limits::NONE);
        let mut bench = bench.record();
        act(&mut bench, &key, Action::Open, open);
        act(&mut bench, &key, Action::Lock, lock);
        cases.push(bench.case("UNL-10"));
    }
    cases
}

fn orders() -> Vec<Value> {
    let mut cases = Vec::new();
    let mut two = |name: &str, rights, limits, clock: u64, why, rule: &str| {
        let (bench, key) = Bench::installed(name, rights, limits);
        let mut bench = bench.record();
        bench.clock = clock.into();
        act(&mut bench, &key, Action::Open, why);
        cases.push(bench.case(rule));
    };
    let all = limits(Some(NOON + 50), Some(NOON + 100), Some(tuesdays()), Some(1));
    two("a date before the schedule", Rights::OPEN, all, NOON, NOT_YET, "UNL-7");
    two("the schedule before the right", Rights::LOCK, all, NOON + 60, OUTSIDE, "UNL-8");
    two("the end before the schedule", Rights::LOCK, all, NOON + DAY, EXPIRED, "UNL-7");
    let (mut bench, key) =
        installed("the uses before the right, the dates before the uses", limits(None, Some(NOON + 9), None, Some(1)));
    act(&mut bench, &key, Action::Open, None);
    act(&mut bench, &key, Action::Open, SPENT);
    bench.clock = (NOON + 9).into();
    act(&mut bench, &key, Action::Open, EXPIRED);
    cases.push(bench.case("UNL-9"));
    cases.push(opaque("a slot without a key before the nonce", "UNL-3", "NotInstalled", |key, given| {
        Key { slot: 2, ..*key }.unlock(Action::Open, Given { nonce: nonce("another nonce"), ..given })
    }));
    cases.push(opaque("the nonce before the tag", "UNL-4", "WrongNonce", |key, given| {
        Key { pairing: other_secret(), ..*key }.unlock(Action::Open, Given { nonce: nonce("another nonce"), ..given })
    }));
    cases
}

/// A use is written before the bolt moves; where the write fails, the slot waits for a reload.
fn stores() -> Vec<Value> {
    let mut cases = Vec::new();
    for (name, store) in
        [("a use that was not written", "fails"), ("a use that was written, and reported lost", "lost")]
    {
        let (mut bench, key) = installed(name, limits(None, None, None, Some(1)));
        let given = bench.challenge("Operate");
        let message = key.unlock(Action::Open, given);
        let mut request = bench.request("unlock", given, &message);
        request["store"] = store.into();
        bench.scene.refused(request, "StoreFailed");
        let given = bench.challenge("Operate");
        bench.opaque("unlock", given, &key.unlock(Action::Open, given), "Busy");
        bench.scene.ask(json!({ "role": "lock", "op": "reload", "cell": 3 }));
        act(&mut bench, &key, Action::Open, if store == "lost" { SPENT } else { None });
        cases.push(bench.case("STG-4"));
    }
    cases
}
