//! `command_errors.json`: commands that a lock refuses, and all that it carries out.

use serde_json::{Value, json};
use sharekey::counter::{Epoch, Generation, Term};
use sharekey::crypto::PublicKey;
use sharekey::error::RefuseReason;
use sharekey::id::SlotId;
use sharekey::limits::{Action, Limits, Rights, Timestamp};
use sharekey::message::{Command, Operation};

use sharekey_stage::ops::Order;

use super::bench::{Bench, Given, NOON, bytes};
use super::keys::{lock, nonce, public, seed};
use super::{bad, forge, lock_state};

pub fn file() -> Value {
    let mut cases = strangers();
    cases.extend(sessions());
    cases.extend(signatures());
    cases.extend(numbers());
    cases.extend(transfers());
    cases.extend(damaged());
    cases.extend(stores());
    cases.extend(accepted());
    cases.extend(lock_state::cases());
    super::file("Commands at a lock: what it boots with, and every step.", json!({}), cases)
}

const INSPECT: Operation = Operation::Inspect { slot: SlotId::new(0) };

fn activate(slot: u8, generation: u32) -> Operation {
    Operation::Activate { slot: SlotId::new(slot), generation: Generation::new(generation) }
}

fn deactivate(slot: u8, generation: u32) -> Operation {
    Operation::Deactivate { slot: SlotId::new(slot), generation: Generation::new(generation) }
}

/// One command that is refused without a reason.
fn opaque(name: &str, rule: &str, error: &str, make: impl FnOnce(&Bench, Given) -> Vec<u8>) -> Value {
    let mut bench = Bench::active(name).record();
    let given = bench.challenge("Operate");
    let message = make(&bench, given);
    bench.opaque("command", given, &message, error);
    bench.case(rule)
}

fn changed(name: &str, rule: &str, error: &str, change: impl FnOnce(&mut Command)) -> Value {
    opaque(name, rule, error, |bench, given| {
        let mut body = bench.command_body(given, INSPECT);
        change(&mut body);
        forge::signed(&body, &seed("owner"))
    })
}

fn strangers() -> Vec<Value> {
    let good = |bench: &Bench, given| bench.order(given, INSPECT);
    let mut cases = vec![
        opaque("no bytes", "CMD-1", "Wire.Truncated", |_, _| Vec::new()),
        opaque("a command cut short", "CMD-1", "Wire.Truncated", |bench, given| {
            let mut message = good(bench, given);
            message.truncate(137);
            message
        }),
        opaque("a command of an undefined operation", "CMD-1", "Wire.Value", |bench, given| {
            let mut frame = forge::frame(&bench.command_body(given, INSPECT));
            frame[76] = Order::NONE;
            forge::sign(frame, &seed("owner"))
        }),
        opaque("a command with a byte behind its operation", "CMD-1", "Wire.Trailing", |bench, given| {
            let mut frame = forge::frame(&bench.command_body(given, INSPECT));
            frame.push(0);
            forge::sign(frame, &seed("owner"))
        }),
        opaque("a done for a command", "CMD-1", "Wire.Kind", |bench, given| {
            let mut message = good(bench, given);
            message[3] = 13;
            message
        }),
        changed("a command for another lock", "CMD-4", "WrongLock", |body| body.lock = lock("another lock")),
        changed("a command on another nonce", "CMD-6", "WrongNonce", |body| body.lock_nonce = nonce("another nonce")),
        changed("another lock before another epoch", "CMD-4", "WrongLock", |body| {
            (body.lock, body.epoch) = (lock("another lock"), Epoch::ZERO);
        }),
        changed("another nonce before another epoch", "CMD-6", "WrongNonce", |body| {
            (body.epoch, body.lock_nonce) = (Epoch::ZERO, nonce("another nonce"));
        }),
        opaque("another owner before another epoch", "CMD-7", "CommandSignature.Mismatch", |bench, given| {
            let body = Command { epoch: Epoch::ZERO, ..bench.command_body(given, INSPECT) };
            forge::signed(&body, &seed("stranger"))
        }),
    ];
    let mut bench = Bench::fresh("a lock without an owner").record();
    let given = bench.challenge("Operate");
    let message = bench.order(given, INSPECT);
    bench.opaque("command", given, &message, "NotProvisioned");
    cases.push(bench.case("CMD-3"));
    cases
}

fn sessions() -> Vec<Value> {
    let mut cases = Vec::new();
    let mut bench = Bench::active("a newer challenge to operate was given").record();
    let given = bench.challenge("Operate");
    let message = bench.order(given, INSPECT);
    bench.challenge("Operate");
    bench.opaque("command", given, &message, "SessionSuperseded");
    cases.push(bench.case("SES-2"));
    let mut bench = Bench::active("the same command again").record();
    let given = bench.challenge("Operate");
    let message = bench.order(given, INSPECT);
    bench.send("command", given, &message);
    bench.opaque("command", given, &message, "SessionSuperseded");
    let given = bench.challenge("Operate");
    bench.opaque("command", given, &message, "WrongNonce");
    cases.push(bench.case("SES-1"));
    for (name, late, error) in
        [("in the last millisecond", 10_000, None), ("a millisecond late", 10_001, Some("SessionExpired"))]
    {
        let mut bench = Bench::active(name).record();
        let given = bench.challenge("Operate");
        let message = bench.order(given, INSPECT);
        bench.ticks += late;
        match error {
            Some(error) => bench.opaque("command", given, &message, error),
            None => drop(bench.send("command", given, &message)),
        }
        cases.push(bench.case("SES-4"));
    }
    cases
}

fn signatures() -> Vec<Value> {
    let mut cases =
        vec![opaque("a command signed by a stranger", "CMD-7", "CommandSignature.Mismatch", |bench, given| {
            forge::signed(&bench.command_body(given, INSPECT), &seed("stranger"))
        })];
    for (at, (what, _, why)) in bad::signatures(&[0; 100]).into_iter().enumerate().take(5) {
        let error = format!("CommandSignature.{why}");
        cases.push(opaque(&format!("a command with {what}"), "CMD-7", &error, |bench, given| {
            bad::signatures(&bench.order(given, INSPECT))[at].1.clone()
        }));
    }
    for (name, context) in [
        ("a command that is signed without the context", &b""[..]),
        ("a command that is signed under the context without its last byte", b"sharekey v1 signature"),
        ("a command that is signed under another version's context", b"sharekey v2 signature\0"),
    ] {
        cases.push(opaque(name, "MSG-20", "CommandSignature.Mismatch", |bench, given| {
            forge::sign_under(context, &forge::frame(&bench.command_body(given, INSPECT)), &seed("owner"))
        }));
    }
    for (name, who) in
        [("a command of a steward, of whom there is none", "stranger"), ("a command whose owner says another", "owner")]
    {
        cases.push(opaque(name, "CMD-12", "UnknownSigner", |bench, given| {
            forge::signed(&Command { by: Term::new(1), ..bench.command_body(given, INSPECT) }, &seed(who))
        }));
    }
    cases.push(opaque(
        "a command whose operation was changed",
        "CMD-7",
        "CommandSignature.Mismatch",
        |bench, given| {
            let mut message = bench.order(given, activate(0, 2));
            message[76] = 2;
            message
        },
    ));
    let mut bench = Bench::active("the owner before a transfer");
    bench.command(Operation::Transfer { owner: public("next owner"), service: public("service") });
    bench.epoch = 2;
    let mut bench = bench.record();
    let given = bench.challenge("Operate");
    let message = bench.order(given, INSPECT);
    bench.opaque("command", given, &message, "CommandSignature.Mismatch");
    cases.push(bench.case("CMD-7"));
    cases
}

/// A refusal of the owner's own order.
fn signed(rule: &str, why: (&str, RefuseReason), bench: Bench, operation: Operation) -> Value {
    let mut bench = bench.record();
    let given = bench.challenge("Operate");
    let message = bench.order(given, operation);
    bench.signed("command", given, &message, why);
    bench.case(rule)
}

fn numbers() -> Vec<Value> {
    let stale = ("StaleNumber", RefuseReason::StaleNumber);
    let none = ("NoSuchSlot", RefuseReason::NoSuchSlot);
    let exhausted = ("Exhausted", RefuseReason::Exhausted);
    let mut cases = Vec::new();
    for (name, epoch) in [("a command of the epoch before", 0), ("a command of the next epoch", 2)] {
        let mut bench = Bench::active(name);
        bench.epoch = epoch;
        cases.push(signed("CMD-5", ("WrongEpoch", RefuseReason::WrongEpoch), bench, activate(0, 1)));
    }
    let mut push = |name: &str, rule: &str, why, operation, floor: u32| {
        let mut bench = Bench::active(name);
        if floor > 1 {
            bench.activate(0, floor);
        }
        cases.push(signed(rule, why, bench, operation));
    };
    push("activate at the floor", "OPR-1", stale, activate(0, 1), 1);
    push("activate below the floor", "OPR-1", stale, activate(0, 4), 5);
    push("deactivate at the floor", "OPR-1", stale, deactivate(0, 5), 5);
    push("activate an untouched slot with 0", "OPR-1", stale, activate(1, 0), 1);
    push("activate behind the last number", "OPR-14", exhausted, activate(0, u32::MAX), u32::MAX);
    push("deactivate behind the last number", "OPR-14", exhausted, deactivate(0, 7), u32::MAX);
    push("activate no slot", "INS-5", none, activate(3, 1), 1);
    push("deactivate no slot", "INS-5", none, deactivate(255, 1), 1);
    push("inspect no slot", "INS-5", none, Operation::Inspect { slot: SlotId::new(3) }, 1);
    let mut bench = Bench::active("set the clock of a lock without one");
    bench.clock = "Absent".into();
    let order = Operation::SetClock { to: Timestamp::from_unix_seconds(NOON) };
    cases.push(signed("OPR-9", ("NoClock", RefuseReason::NoClock), bench, order));
    let (mut bench, _) = Bench::installed("deactivate at the number of the installed key", Rights::OPEN, Limits::NONE);
    bench.clock = NOON.into();
    cases.push(signed("OPR-1", stale, bench, deactivate(0, 2)));
    cases
}

fn transfers() -> Vec<Value> {
    let mut cases = Vec::new();
    for (what, key, why) in [
        ("the identity", bad::array(bad::SMALL_ORDER_Y[1]), "SmallOrder"),
        ("the identity with the other sign", bad::high(bad::array(bad::SMALL_ORDER_Y[1])), "SmallOrder"),
        ("a key that is not canonical", bad::array(bad::FIELD_PRIME), "NotCanonical"),
    ] {
        let key = PublicKey::from_bytes(key);
        let to_owner = Operation::Transfer { owner: key, service: public("service") };
        let to_service = Operation::Transfer { owner: public("next owner"), service: key };
        for (who, order) in [("OwnerKey", to_owner), ("ServiceKey", to_service)] {
            let (name, error) = (format!("transfer: {who} is {what}"), format!("{who}.{why}"));
            cases.push(signed("KEY-7", (&error, RefuseReason::BadKey), Bench::active(&name), order));
        }
    }
    cases.push(signed(
        "KEY-7",
        ("OwnerKey.NotCanonical", RefuseReason::BadKey),
        Bench::active("transfer: both keys are bad, the owner's is named"),
        Operation::Transfer {
            owner: PublicKey::from_bytes(bad::array(bad::FIELD_PRIME)),
            service: PublicKey::from_bytes([0; 32]),
        },
    ));
    cases
}

fn damaged() -> Vec<Value> {
    let why = ("SlotDamaged", RefuseReason::SlotDamaged);
    let mut cases = Vec::new();
    for (name, order) in [
        ("inspect a damaged slot", INSPECT),
        ("activate a damaged slot", activate(0, 9)),
        ("deactivate a damaged slot", deactivate(0, 9)),
    ] {
        let mut bench = Bench::active(name).record_damaged(&[(3, None)]);
        let given = bench.challenge("Operate");
        let message = bench.order(given, order);
        bench.signed("command", given, &message, why);
        bench.command(Operation::Inspect { slot: SlotId::new(1) });
        cases.push(bench.case("OPR-12"));
    }
    let mut bench = Bench::active("a transfer to oneself heals a damaged slot").record_damaged(&[(3, None)]);
    bench.transfer();
    bench.activate(0, 1);
    bench.download(0, 2, |_| {});
    cases.push(bench.case("DMG-1"));
    for (name, cell) in [("a lock whose header is missing", 1), ("a lock whose counter is missing", 2)] {
        let mut bench = Bench::active(name).record_damaged(&[(cell, None)]);
        let given = bench.challenge("Operate");
        let message = bench.order(given, INSPECT);
        bench.opaque("command", given, &message, "Damaged");
        cases.push(bench.case("DMG-3"));
    }
    let mut bench = Bench::active("an older copy of a slot is read back").record();
    let old = bench.records()["3"].clone();
    bench.activate(0, 2);
    let given = bench.challenge("Operate");
    let message = bench.order(given, activate(0, 3));
    let mut request = bench.request("command", given, &message);
    request["store"] = "fails".into();
    bench.scene.refused(request, "StoreFailed");
    bench.scene.ask(json!({ "role": "lock", "op": "damage", "cell": 3, "bytes": old }));
    bench.scene.ask(json!({ "role": "lock", "op": "reload", "cell": 3 }));
    let given = bench.challenge("Operate");
    let message = bench.order(given, INSPECT);
    bench.signed("command", given, &message, why);
    cases.push(bench.case("DMG-6"));
    cases
}

/// An order whose write fails, what is refused until the cell was read again, and what is left then.
fn failed(name: &str, order: Operation, store: &str, cell: u64, meanwhile: (Operation, bool), rule: &str) -> Value {
    let mut bench = Bench::active(name).record();
    let given = bench.challenge("Operate");
    let message = bench.order(given, order);
    let mut request = bench.request("command", given, &message);
    request["store"] = store.into();
    bench.scene.refused(request, "StoreFailed");
    if cell < 3 {
        let request = bench.challenge_request("Operate");
        bench.scene.refused(request, "Busy");
    } else {
        let given = bench.challenge("Operate");
        let message = bench.order(given, meanwhile.0);
        if meanwhile.1 {
            bench.signed("command", given, &message, ("Busy", RefuseReason::Busy));
        } else {
            bench.send("command", given, &message);
        }
    }
    bench.scene.ask(json!({ "role": "lock", "op": "reload", "cell": cell }));
    bench.scene.ask(json!({ "role": "lock", "op": "status" }));
    bench.case(rule)
}

fn stores() -> Vec<Value> {
    let other = Operation::Inspect { slot: SlotId::new(1) };
    let transfer = Operation::Transfer { owner: public("next owner"), service: public("next service") };
    let clock = Operation::SetClock { to: Timestamp::from_unix_seconds(NOON) };
    vec![
        failed("an activation that was not written", activate(0, 2), "fails", 3, (INSPECT, true), "STG-4"),
        failed("an activation that was reported lost", activate(0, 2), "lost", 3, (INSPECT, true), "STG-4"),
        failed("a busy slot keeps no other from working", activate(0, 2), "fails", 3, (other, false), "STG-4"),
        failed("a busy slot keeps a transfer from working", activate(0, 2), "fails", 3, (transfer, true), "STG-6"),
        failed("a transfer that was not written", transfer, "fails", 1, (INSPECT, true), "STG-7"),
        failed("a transfer that was reported lost", transfer, "lost", 1, (INSPECT, true), "STG-7"),
        failed("a time that was not written", clock, "fails", 2, (INSPECT, true), "STG-4"),
    ]
}

fn accepted() -> Vec<Value> {
    let mut cases = Vec::new();
    let (bench, _) = Bench::installed("every operation, at a slot with a key", Rights::OPEN, Limits::NONE);
    let mut bench = bench.record();
    for order in [
        INSPECT,
        Operation::Act { action: Action::Open },
        Operation::Act { action: Action::Lock },
        Operation::SetClock { to: Timestamp::from_unix_seconds(NOON - 1_000) },
        activate(0, 3),
        INSPECT,
        deactivate(0, 9),
        INSPECT,
        activate(2, u32::MAX),
        Operation::Inspect { slot: SlotId::new(2) },
        Operation::Inspect { slot: SlotId::new(1) },
    ] {
        bench.command(order);
    }
    bench.transfer();
    bench.command(INSPECT);
    bench.scene.ask(json!({ "role": "lock", "op": "status" }));
    cases.push(bench.case("OPR-11"));

    let mut bench = Bench::active("the clock may be set back, and is then believed from there on").record();
    bench.command(Operation::SetClock { to: Timestamp::from_unix_seconds(1_000) });
    bench.clock = 1_000.into();
    let limits = Limits::new(Some(Timestamp::from_unix_seconds(1)), None, None, None).unwrap();
    let key = bench.download(0, 2, |chain| chain.grant.limits = limits);
    bench.unlock(&key, Action::Open);
    bench.clock = 999.into();
    let given = bench.challenge("Operate");
    bench.replied(given, &key, Action::Open, ("ClockUnset", RefuseReason::ClockUnset));
    cases.push(bench.case("OPR-8"));

    let mut bench = Bench::active("a boot goes on above the counter's ceiling").record();
    bench.challenge("Operate");
    bench.scene.ask(json!({ "role": "lock", "op": "reboot" }));
    let request = bench.challenge_request("Operate");
    let given = bench.scene.ask(request);
    assert_eq!(bytes(&given["written"]["2"])[5..13], (3 * 65_536_u64).to_le_bytes());
    cases.push(bench.case("CTR-4"));
    cases
}
