//! Of `command_errors.json`: what a lock makes of what it reads, at a boot and again, and of ticks and clocks.

use serde_json::{Value, json};
use sharekey::counter::{Epoch, Generation};
use sharekey::error::RefuseReason;
use sharekey::id::SlotId;
use sharekey::limits::{Action, Limits, Timestamp};
use sharekey::message::Operation;

use super::bench::{Bench, Key, NOON, bytes};
use super::keys::{card, public};
use super::peer::form::hex;
use super::records::{self, Holds};
use super::{forge, lock_ticks};

const DAY: u64 = 86_400;
const LEASE: u64 = 65_536;
const INSPECT: Operation = Operation::Inspect { slot: SlotId::new(0) };

pub fn cases() -> Vec<Value> {
    let mut cases = epochs();
    cases.extend(clocks());
    cases.extend(ages());
    cases.extend(numbers_of_slots());
    cases.extend(lock_ticks::ticks());
    cases.extend(counters());
    cases
}

fn ask(bench: &mut Bench, op: &str) -> Value {
    bench.scene.ask(json!({ "role": "lock", "op": op }))
}

/// Writes to the flash behind the lock's back.
fn put(bench: &mut Bench, cell: u64, bytes: &Value) {
    bench.scene.ask(json!({ "role": "lock", "op": "damage", "cell": cell, "bytes": bytes }));
}

fn reload(bench: &mut Bench, cell: u64) {
    bench.scene.ask(json!({ "role": "lock", "op": "reload", "cell": cell }));
}

fn set_clock(to: u64) -> Operation {
    Operation::SetClock { to: Timestamp::from_unix_seconds(to) }
}

fn activate(slot: u8, generation: u32) -> Operation {
    Operation::Activate { slot: SlotId::new(slot), generation: Generation::new(generation) }
}

fn seed_of(bench: &mut Bench) -> Vec<u8> {
    bytes(&bench.records()["0"])[5..37].to_vec()
}

/// A command whose write does not go as it should: its cell is busy.
fn fails(bench: &mut Bench, operation: Operation, store: &str) {
    let given = bench.challenge("Operate");
    let message = bench.order(given, operation);
    let mut request = bench.request("command", given, &message);
    request["store"] = store.into();
    bench.scene.refused(request, "StoreFailed");
}

fn status(mut bench: Bench, rule: &str) -> Value {
    ask(&mut bench, "status");
    bench.case(rule)
}

fn refuses_key(bench: &mut Bench, key: &Key, error: &str) {
    let given = bench.challenge("Operate");
    bench.opaque("unlock", given, &key.unlock(Action::Open, given), error);
}

/// A lock whose store hands out an older header: of the epoch before, or of nobody's lock.
fn fallen_back(name: &str, header: &Value) -> (Bench, Key) {
    let mut bench = Bench::provisioned(name);
    bench.transfer();
    bench.activate(0, 1);
    let key = bench.download(0, 2, |_| {});
    let bench = bench.record_damaged(&[(1, Some(bytes(header)))]);
    (bench, key)
}

fn epochs() -> Vec<Value> {
    let first = Bench::provisioned("before").records()["1"].clone();
    let nobodys = Bench::fresh("before").records()["1"].clone();
    let (mut bench, key) = fallen_back("a header that fell back, and a transfer to oneself", &first);
    ask(&mut bench, "status");
    bench.epoch = 1;
    bench.transfer();
    bench.epoch = 3;
    refuses_key(&mut bench, &key, "NotInstalled");
    ask(&mut bench, "reboot");
    refuses_key(&mut bench, &key, "NotInstalled");
    let mut cases = vec![status(bench, "OPR-15")];

    let (mut bench, _) = fallen_back("a header that fell back to nobody's", &nobodys);
    let given = bench.challenge("Operate");
    let message = forge::tagged(&bench.provision_body(given), &card());
    bench.opaque("provision", given, &message, "Damaged");
    cases.push(status(bench, "PRV-13"));

    let mut bench = Bench::active("a counter that shows a later epoch than the header");
    let seed = seed_of(&mut bench);
    let mut bench = bench.record_damaged(&[(2, Some(records::counter(&seed, LEASE, NOON, 6)))]);
    bench.command(set_clock(NOON));
    bench.transfer();
    cases.push(status(bench, "OPR-15"));

    let mut bench = Bench::active("a slot newer than the header is read again, and an older one then");
    let (seed, sound) = (seed_of(&mut bench), bench.records()["3"].clone());
    let newer = records::slot(&seed, 0, Epoch::new(2), Generation::new(7), &Holds::Empty);
    let mut bench = bench.record_damaged(&[(3, Some(newer))]);
    ask(&mut bench, "status");
    reload(&mut bench, 3);
    ask(&mut bench, "status");
    put(&mut bench, 3, &sound);
    reload(&mut bench, 3);
    cases.push(status(bench, "DMG-9"));

    let mut bench = Bench::active("the last epoch");
    let seed = seed_of(&mut bench);
    let last = records::header(&seed, 3, u32::MAX);
    let mut bench = bench.record_damaged(&[(1, Some(last))]);
    bench.epoch = u32::MAX;
    let given = bench.challenge("Operate");
    let message = bench.order(given, Operation::Transfer { owner: public("owner"), service: public("service") });
    bench.signed("command", given, &message, ("Exhausted", RefuseReason::Exhausted));
    bench.command(INSPECT);
    cases.push(bench.case("OPR-6"));

    let mut bench = Bench::active("a new epoch is found by reading the header again").record();
    let install = bench.challenge("Install");
    let to_oneself = Operation::Transfer { owner: public("owner"), service: public("service") };
    fails(&mut bench, to_oneself, "lost");
    reload(&mut bench, 1);
    let message = bench.chain(install, 0, 2).parts().unchecked_bundle();
    bench.opaque("install", install, &message, "SessionSuperseded");
    bench.epoch = 2;
    bench.command(INSPECT);
    cases.push(status(bench, "SES-7"));

    let mut bench =
        Bench::active("two damaged slots, one transfer, and a boot").record_damaged(&[(3, None), (4, None)]);
    assert_eq!(ask(&mut bench, "complete")["written"], json!([]));
    bench.transfer();
    let written = ask(&mut bench, "complete");
    assert_eq!(written["written"].as_array().unwrap().len(), 2);
    bench.activate(0, 1);
    let key = bench.download(0, 2, |_| {});
    ask(&mut bench, "reboot");
    bench.activate(1, 1);
    bench.unlock(&key, Action::Open);
    cases.push(bench.case("DMG-8"));
    cases
}

fn until(moment: u64) -> Limits {
    Limits::new(None, Some(Timestamp::from_unix_seconds(moment)), None, None).unwrap()
}

fn clocks() -> Vec<Value> {
    let unset = ("ClockUnset", RefuseReason::ClockUnset);
    let mut bench = Bench::active("a former owner's clock, a year back").record();
    bench.command(set_clock(NOON - 365 * DAY));
    bench.transfer();
    bench.activate(0, 1);
    let key = bench.download(0, 2, |chain| chain.grant.limits = until(NOON + 2 * DAY));
    bench.clock = (NOON - 65 * DAY).into();
    let given = bench.challenge("Operate");
    bench.replied(given, &key, Action::Open, unset);
    ask(&mut bench, "reboot");
    let given = bench.challenge("Operate");
    bench.replied(given, &key, Action::Open, unset);
    bench.command(set_clock(NOON));
    bench.clock = (NOON + DAY).into();
    bench.unlock(&key, Action::Open);
    bench.clock = (NOON + 300 * DAY).into();
    let given = bench.challenge("Operate");
    bench.replied(given, &key, Action::Open, ("Expired", RefuseReason::Expired));
    let mut cases = vec![bench.case("CLK-4")];

    for (name, sets) in
        [("a clock that nobody set raises nothing", false), ("a clock that the owner set raises the latest time", true)]
    {
        let mut bench = Bench::active(name).record();
        if sets {
            bench.command(set_clock(NOON));
        }
        bench.clock = (NOON + 9).into();
        ask(&mut bench, "reboot");
        let request = bench.challenge_request("Operate");
        let given = bench.scene.ask(request);
        let latest = if sets { NOON + 9 } else { 0 };
        assert_eq!(bytes(&given["written"]["2"])[13..21], latest.to_le_bytes(), "{name}");
        cases.push(bench.case("CLK-3"));
    }
    cases
}

/// A slot of which one content is known and another is read back, while it waits for a write.
fn read_back(name: &str, rule: &str, known: (u32, &Holds), back: (u32, &Holds)) -> Value {
    let mut bench = Bench::active(name);
    let seed = seed_of(&mut bench);
    let slot = |(floor, holds)| records::slot(&seed, 0, Epoch::FIRST, Generation::new(floor), holds);
    let mut bench = bench.record_damaged(&[(3, Some(slot(known)))]);
    fails(&mut bench, activate(0, 99), "fails");
    put(&mut bench, 3, &hex(slot(back)));
    reload(&mut bench, 3);
    status(bench, rule)
}

fn ages() -> Vec<Value> {
    let key = |used| Holds::Installed(records::Installed { used, ..records::installed(Limits::NONE) });
    let mut cases = vec![
        read_back("read back with fewer uses", "DMG-6", (7, &key(3)), (7, &key(2))),
        read_back("read back with as many uses", "DMG-6", (7, &key(3)), (7, &key(3))),
        read_back("read back with fewer uses, at a higher floor", "DMG-6", (7, &key(3)), (8, &key(0))),
        read_back("a key read back over none, at one floor", "DMG-6", (7, &Holds::Empty), (7, &key(3))),
        read_back("none read back over a key, at one floor", "DMG-6", (7, &key(3)), (7, &Holds::Empty)),
        read_back("none read back over a key, at a lower floor", "DMG-6", (7, &key(3)), (6, &Holds::Empty)),
    ];
    let mut bench = Bench::active("what was known of a slot is forgotten at a transfer");
    bench.activate(0, 9);
    let mut bench = bench.record();
    let seed = seed_of(&mut bench);
    bench.transfer();
    fails(&mut bench, activate(0, 1), "fails");
    let before = records::slot(&seed, 0, Epoch::FIRST, Generation::new(3), &Holds::Empty);
    put(&mut bench, 3, &hex(before));
    reload(&mut bench, 3);
    cases.push(status(bench, "DMG-6"));

    let mut bench = Bench::active("a counter read back from before the clock was set").record();
    bench.command(set_clock(NOON));
    let before = bench.records()["2"].clone();
    bench.transfer();
    bench.command(set_clock(NOON));
    fails(&mut bench, set_clock(NOON + 1), "fails");
    put(&mut bench, 2, &before);
    reload(&mut bench, 2);
    cases.push(status(bench, "DMG-6"));
    cases
}

fn numbers_of_slots() -> Vec<Value> {
    let mut cases = Vec::new();
    let with = |name: &str, slots: u8| {
        let mut bench = Bench::active(name);
        let seed = seed_of(&mut bench);
        bench.record_damaged(&[(1, Some(records::header(&seed, slots, 1))), (5, None)])
    };
    let none = ("NoSuchSlot", RefuseReason::NoSuchSlot);
    let refuses = |bench: &mut Bench, slot: u8| {
        let given = bench.challenge("Operate");
        let message = bench.order(given, activate(slot, 1));
        bench.signed("command", given, &message, none);
    };
    let mut bench = with("a firmware with a slot more, cut after each write", 2);
    refuses(&mut bench, 2);
    for cell in [5, 1] {
        let written = bench.scene.ask(json!({ "role": "lock", "op": "complete", "writes": 1 }));
        assert_eq!(written["written"][0]["cell"], cell);
        ask(&mut bench, "reboot");
        ask(&mut bench, "status");
    }
    bench.activate(2, 1);
    assert_eq!(ask(&mut bench, "complete")["written"], json!([]));
    cases.push(bench.case("LCK-13"));

    let mut bench = Bench::active("a further slot whose record is sound keeps it");
    let seed = seed_of(&mut bench);
    bench.command(activate(2, 9));
    let mut bench = bench.record_damaged(&[(1, Some(records::header(&seed, 2, 1)))]);
    ask(&mut bench, "complete");
    cases.push(status(bench, "LCK-13"));

    let mut bench = Bench::active("a firmware with fewer slots");
    let seed = seed_of(&mut bench);
    let mut bench = bench.record_damaged(&[(1, Some(records::header(&seed, 9, 1)))]);
    refuses(&mut bench, 3);
    assert_eq!(ask(&mut bench, "complete")["written"], json!([]));
    let given = bench.challenge("Operate");
    let to_oneself = Operation::Transfer { owner: public("owner"), service: public("service") };
    let message = bench.order(given, to_oneself);
    let done = bench.send("command", given, &message);
    assert_eq!(bytes(&done["written"]["1"])[5], 9, "carried on");
    cases.push(bench.case("LCK-11"));
    cases
}

fn counters() -> Vec<Value> {
    let mut cases = Vec::new();
    let mut bench = Bench::active("the counter is read again after a write that was reported lost").record();
    let mut request = bench.challenge_request("Operate");
    request["store"] = "lost".into();
    bench.scene.refused(request, "StoreFailed");
    reload(&mut bench, 2);
    let request = bench.challenge_request("Operate");
    let given = bench.scene.ask(request);
    assert_eq!(given["written"], json!({}), "the ceiling is above the next number, which is what it was");
    cases.push(bench.case("CTR-4"));

    let mut bench = Bench::active("a session of a damaged lock, once its record is sound again");
    let counter = bench.records()["2"].clone();
    let mut bench = bench.record_damaged(&[(2, None)]);
    let given = bench.challenge("Operate");
    put(&mut bench, 2, &counter);
    reload(&mut bench, 2);
    let message = bench.order(given, INSPECT);
    bench.opaque("command", given, &message, "SessionSuperseded");
    bench.command(INSPECT);
    cases.push(bench.case("CTR-8"));

    for (name, ceiling, good) in [
        ("the last lease of the counter", u64::MAX - LEASE, true),
        ("a lease that would pass the counter's end", u64::MAX - LEASE + 1, false),
        ("the counter's end", u64::MAX, false),
    ] {
        let mut bench = Bench::active(name);
        let seed = seed_of(&mut bench);
        let mut bench = bench.record_damaged(&[(2, Some(records::counter(&seed, ceiling, 0, 0)))]);
        if good {
            let request = bench.challenge_request("Operate");
            let given = bench.scene.ask(request);
            assert_eq!(bytes(&given["written"]["2"])[5..13], u64::MAX.to_le_bytes());
            ask(&mut bench, "reboot");
        }
        let request = bench.challenge_request("Operate");
        bench.scene.refused(request, "Exhausted");
        cases.push(bench.case("CTR-7"));
    }

    let mut bench = Bench::fresh("a slot that was not read yet keeps a provision that writes from working").record();
    bench.scene.ask(json!({ "role": "lock", "op": "reboot", "unread": [4] }));
    let given = bench.challenge("Operate");
    let message = forge::tagged(&bench.provision_body(given), &card());
    bench.signed("provision", given, &message, ("Busy", RefuseReason::Busy));
    reload(&mut bench, 4);
    let given = bench.challenge("Operate");
    let message = forge::tagged(&bench.provision_body(given), &card());
    bench.send("provision", given, &message);
    cases.push(bench.case("STG-6"));
    cases
}
