//! `limits.json`: limits at moments, judged by a lock.

use serde_json::{Value, json};
use sharekey::counter::{Epoch, Generation};
use sharekey::limits::{Action, Limits, OffsetChange, Rights, Schedule, Timestamp, UtcOffset, Weekdays};

use sharekey_stage::cells::limits;

use super::bench::{Bench, Key, NOON, bytes};
use super::keys::{bytes32, public, some_digest};
use super::peer::form;
use super::records;

const MINUTE: u64 = 60;
const HOUR: u64 = 60 * MINUTE;
const DAY: u64 = 24 * HOUR;
/// 2026-11-30T00:00:00Z, a Monday.
const MONDAY: u64 = 1_795_996_800;
/// 2026-10-25T01:00:00Z, when an hour east of UTC summer time ends.
const WINTER: u64 = 1_792_890_000;

/// A lock that forgets: the slot's record is written anew for each case, and the lock boots.
struct Judge {
    bench: Bench,
    records: Value,
    cases: Vec<Value>,
}

impl Judge {
    fn new() -> Self {
        let mut bench = Bench::active("limits");
        // So that no clock is behind the latest time known.
        bench.command(sharekey::message::Operation::SetClock { to: Timestamp::from_unix_seconds(0) });
        let records = bench.records();
        Self { bench, records, cases: Vec::new() }
    }

    /// What a lock with such a key says at that time; `None`: it opens or locks.
    fn judge(
        &mut self,
        limits: &Limits,
        (rights, used): (Rights, u32),
        clock: &Value,
        action: Action,
    ) -> Option<String> {
        let seed = bytes(&self.records["0"]);
        let pairing = bytes32("pairing key");
        let key = records::Installed {
            grant: some_digest("a grant"),
            device: public("device"),
            pairing,
            rights,
            limits: *limits,
            used,
        };
        let record = records::slot(&seed[5..37], 0, Epoch::FIRST, Generation::new(2), &records::Holds::Installed(key));
        let mut records = self.records.clone();
        records["3"] = form::hex(&record);
        let card = form::hex(super::keys::card());
        let scene = &mut self.bench.scene;
        scene.ask(json!({ "role": "lock", "op": "load", "card": card, "records": records }));
        (self.bench.ticks, self.bench.clock) = (0, "Unset".into());
        let given = self.bench.challenge("Operate");
        self.bench.clock = clock.clone();
        let message = Key { slot: 0, pairing }.unlock(action, given);
        let request = self.bench.request("unlock", given, &message);
        self.bench.scene.outcome(request)
    }

    fn case(
        &mut self,
        name: &str,
        limits: &Limits,
        (rights, used): (Rights, u32),
        clock: impl Into<Value>,
        action: Action,
    ) {
        let clock = clock.into();
        let error = self.judge(limits, (rights, used), &clock, action);
        self.cases.push(json!({
            "name": name,
            "limits": form::form(limits),
            "rights": form::form(&rights),
            "used": used,
            "clock": clock,
            "action": format!("{action:?}"),
            "error": error,
        }));
    }

    /// Whether a key with this schedule opens at a moment, and what is expected.
    fn open(&mut self, name: &str, limits: &Limits, at: u64, expected: Option<&str>) {
        let name = format!("{name}, at {at}");
        self.case(&name, limits, (Rights::OPEN, 0), at, Action::Open);
        let found = self.cases.last().unwrap()["error"].as_str().map(str::to_owned);
        assert_eq!(found.as_deref(), expected, "{name}");
    }
}

fn window(days: u8, (start, end): (u16, u16), minutes: i16, next: Option<(u64, i16)>) -> Limits {
    let offset = |minutes| UtcOffset::from_minutes(minutes).unwrap();
    let next = next.map(|(at, minutes)| OffsetChange { at: Timestamp::from_unix_seconds(at), offset: offset(minutes) });
    let schedule = Schedule::new(Weekdays::try_from(days).unwrap(), start, end, offset(minutes), next).unwrap();
    limits(None, None, Some(schedule), None)
}

const OUT: Option<&str> = Some("OutsideSchedule");

pub fn file() -> Value {
    let mut judge = Judge::new();
    dates(&mut judge);
    windows(&mut judge);
    offsets(&mut judge);
    changes(&mut judge);
    week(&mut judge);
    uses_and_rights(&mut judge);
    unknown(&mut judge);
    super::file(
        "Keys of these limits, rights and used openings, at a lock whose clock reads this and is believed: the error of the \
         unlock, or null where the bolt moves.",
        json!({}),
        judge.cases,
    )
}

fn dates(judge: &mut Judge) {
    let (early, late) = (Some("NotYetValid"), Some("Expired"));
    let both = limits(Some(NOON), Some(NOON + 1), None, None);
    for (at, expected) in [(NOON - 1, early), (NOON, None), (NOON + 1, late)] {
        judge.open("one second", &both, at, expected);
    }
    for (at, expected) in [(0, early), (NOON - 1, early), (NOON, None), (u64::MAX, None)] {
        judge.open("from", &limits(Some(NOON), None, None, None), at, expected);
    }
    for (at, expected) in [(0, None), (NOON - 1, None), (NOON, late), (u64::MAX, late)] {
        judge.open("until", &limits(None, Some(NOON), None, None), at, expected);
    }
    judge.open("until the beginning of time", &limits(None, Some(0), None, None), 0, late);
    judge.open("from the end of time", &limits(Some(u64::MAX), None, None, None), u64::MAX, None);
}

fn windows(judge: &mut Judge) {
    let day = window(0x01, (540, 1020), 0, None);
    for (minute, expected) in [(0, OUT), (539, OUT), (540, None), (1019, None), (1020, OUT), (1439, OUT)] {
        judge.open("Monday 9 to 17, first second", &day, MONDAY + minute * MINUTE, expected);
        judge.open("Monday 9 to 17, last second", &day, MONDAY + minute * MINUTE + 59, expected);
    }
    judge.open("Monday 9 to 17, on a Tuesday", &day, MONDAY + DAY + 12 * HOUR, OUT);
    judge.open("Monday 9 to 17, on a Sunday", &day, MONDAY - 12 * HOUR, OUT);
    let night = window(0x01, (1320, 360), 0, None);
    for (at, expected) in [
        (MONDAY, OUT),
        (MONDAY + 5 * HOUR, OUT),
        (MONDAY + 22 * HOUR - 1, OUT),
        (MONDAY + 22 * HOUR, None),
        (MONDAY + DAY - 1, None),
        (MONDAY + DAY, None),
        (MONDAY + DAY + 6 * HOUR - 1, None),
        (MONDAY + DAY + 6 * HOUR, OUT),
        (MONDAY + DAY + 22 * HOUR, OUT),
    ] {
        judge.open("Monday 22 to 6", &night, at, expected);
    }
    let sunday = window(0x40, (1439, 1), 0, None);
    for (at, expected) in
        [(MONDAY - 61, OUT), (MONDAY - 60, None), (MONDAY, None), (MONDAY + 59, None), (MONDAY + 60, OUT)]
    {
        judge.open("Sunday, the last minute and one more", &sunday, at, expected);
    }
    let whole = window(0x02, (0, 1440), 0, None);
    for (at, expected) in
        [(MONDAY + DAY - 1, OUT), (MONDAY + DAY, None), (MONDAY + 2 * DAY - 1, None), (MONDAY + 2 * DAY, OUT)]
    {
        judge.open("a whole Tuesday", &whole, at, expected);
    }
    let almost = window(0x02, (1, 1440), 0, None);
    judge.open("all of a Tuesday but its first minute, in it", &almost, MONDAY + DAY + 59, OUT);
    judge.open("all of a Tuesday but its first minute, behind it", &almost, MONDAY + DAY + 60, None);
}

fn offsets(judge: &mut Judge) {
    for (minutes, at, expected) in [
        (840, MONDAY - 14 * HOUR - 1, OUT),
        (840, MONDAY - 14 * HOUR, None),
        (840, MONDAY + 10 * HOUR - 1, None),
        (840, MONDAY + 10 * HOUR, OUT),
        (-720, MONDAY + 12 * HOUR - 1, OUT),
        (-720, MONDAY + 12 * HOUR, None),
        (-720, MONDAY + 36 * HOUR - 1, None),
        (-720, MONDAY + 36 * HOUR, OUT),
        (345, MONDAY - 345 * MINUTE - 1, OUT),
        (345, MONDAY - 345 * MINUTE, None),
        (-1, MONDAY + 59, OUT),
        (-1, MONDAY + 60, None),
    ] {
        let name = format!("a whole Monday, {minutes} minutes east");
        judge.open(&name, &window(0x01, (0, 1440), minutes, None), at, expected);
    }
    // 1970-01-01 was a Thursday; west of UTC it begins on the Wednesday before.
    judge.open("the first Thursday", &window(0x08, (0, 1), 0, None), 0, None);
    judge.open("the first Thursday, over", &window(0x08, (0, 1), 0, None), 60, OUT);
    judge.open("the Wednesday before the first Thursday", &window(0x04, (720, 721), -720, None), 0, None);
    for minutes in [-720, 0, 840] {
        let name = format!("always, {minutes} minutes east");
        judge.open(&name, &window(0x7f, (0, 1440), minutes, None), u64::MAX, None);
    }
}

fn changes(judge: &mut Judge) {
    // Sundays, from the second hour to the third, while the clock goes back from three to two.
    let autumn = window(0x40, (120, 180), 120, Some((WINTER, 60)));
    for (at, expected) in [
        (WINTER - HOUR - 1, OUT),
        (WINTER - HOUR, None),
        (WINTER - 1, None),
        (WINTER, None),
        (WINTER + HOUR - 1, None),
        (WINTER + HOUR, OUT),
    ] {
        judge.open("the hour that comes twice", &autumn, at, expected);
    }
    let spring = window(0x7f, (0, 30), 0, Some((MONDAY, 60)));
    for (at, expected) in [(MONDAY - DAY, None), (MONDAY - 1, OUT), (MONDAY, OUT), (MONDAY + 23 * HOUR, None)] {
        judge.open("a window that is left out", &spring, at, expected);
    }
    judge.open("the change is at the end of time", &window(0x01, (0, 60), 0, Some((u64::MAX, 60))), MONDAY, None);
    judge.open("the change was at the beginning", &window(0x01, (60, 120), 0, Some((0, 60))), MONDAY, None);
}

/// Every weekday against every day of a week, at noon.
fn week(judge: &mut Judge) {
    for day in 0..7_u8 {
        for today in 0..7_u64 {
            let expected = if u64::from(day) == today { None } else { OUT };
            let name = format!("only day {day}, on day {today}");
            judge.open(&name, &window(1 << day, (0, 1440), 0, None), MONDAY + today * DAY + 12 * HOUR, expected);
        }
    }
}

fn uses_and_rights(judge: &mut Judge) {
    for (uses, used, action) in [
        (1, 0, Action::Open),
        (1, 1, Action::Open),
        (1, 1, Action::Lock),
        (1, 2, Action::Open),
        (2, 1, Action::Open),
        (u32::MAX, u32::MAX - 1, Action::Open),
        (u32::MAX, u32::MAX, Action::Open),
        (u32::MAX, u32::MAX, Action::Lock),
    ] {
        let name = format!("{used} of {uses} uses, {action:?}");
        judge.case(&name, &limits(None, None, None, Some(uses)), (Rights::OPEN_AND_LOCK, used), NOON, action);
    }
    for rights in [Rights::OPEN, Rights::LOCK, Rights::OPEN_AND_LOCK] {
        for action in [Action::Open, Action::Lock] {
            let name = format!("rights {}, {action:?}", u8::from(rights));
            judge.case(&name, &Limits::NONE, (rights, 0), NOON, action);
        }
    }
}

fn unknown(judge: &mut Judge) {
    let all = [
        ("no limits", Limits::NONE),
        ("uses", limits(None, None, None, Some(1))),
        ("from", limits(Some(0), None, None, None)),
        ("until", limits(None, Some(u64::MAX), None, None)),
        ("a schedule", window(0x7f, (0, 1440), 0, None)),
    ];
    for (what, limits) in all {
        for clock in ["Absent", "Unset"] {
            let name = format!("{what}, the clock is {clock}");
            judge.case(&name, &limits, (Rights::OPEN, 0), clock, Action::Open);
        }
    }
}
