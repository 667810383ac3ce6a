//! `provision_errors.json` and `reset_errors.json`: what the card is good for.

use serde_json::{Value, json};
use sharekey::crypto::PublicKey;
use sharekey::error::RefuseReason;
use sharekey::message::{FactoryReset, Provision};

use super::bench::{Bench, Given, other_secret};
use super::keys::{card, draw, lock, nonce, public};
use super::peer::form::hex;
use super::{bad, forge};

pub fn provision_file() -> Value {
    let mut cases = provision_strangers();
    cases.extend(provision_card_holders());
    cases.extend(provision_accepted());
    let about = "Provisions at a lock: what it boots with, and every step.";
    super::file(about, json!({}), cases)
}

/// One provision of a fresh lock that is refused without a reason.
fn opaque(name: &str, rule: &str, error: &str, make: impl FnOnce(Provision) -> Vec<u8>) -> Value {
    let mut bench = Bench::fresh(name).record();
    let given = bench.challenge("Operate");
    let message = make(bench.provision_body(given));
    bench.opaque("provision", given, &message, error);
    bench.case(rule)
}

fn good(body: &Provision) -> Vec<u8> {
    forge::tagged(body, &card())
}

fn provision_strangers() -> Vec<Value> {
    let mut cases = vec![
        opaque("no bytes", "PRV-1", "Wire.Truncated", |_| Vec::new()),
        opaque("a provision cut short", "PRV-1", "Wire.Truncated", |body| good(&body)[..115].to_vec()),
        opaque("a provision with a byte behind it", "PRV-1", "Wire.TooLong", |body| [good(&body), vec![0]].concat()),
        opaque("a factory reset for a provision", "PRV-1", "Wire.Kind", |body| {
            let mut message = good(&body);
            message[3] = 17;
            message
        }),
        opaque("a provision on another nonce", "PRV-3", "WrongNonce", |body| {
            good(&Provision { lock_nonce: nonce("another nonce"), ..body })
        }),
        opaque("a provision under another card", "PRV-4", "CardMac", |body| {
            forge::tagged(&body, &other_secret()[..16])
        }),
        opaque("a provision whose keys were changed", "PRV-4", "CardMac", |body| {
            let mut message = good(&body);
            message[36] ^= 1;
            message
        }),
        opaque("another card before a bad key", "PRV-4", "CardMac", |body| {
            forge::tagged(&Provision { owner: PublicKey::from_bytes([0; 32]), ..body }, &other_secret()[..16])
        }),
        opaque("another nonce before another card", "PRV-3", "WrongNonce", |body| {
            forge::tagged(&Provision { lock_nonce: nonce("another nonce"), ..body }, &other_secret()[..16])
        }),
    ];
    let mut bench = Bench::fresh("a newer challenge to operate was given").record();
    let given = bench.challenge("Operate");
    let message = good(&bench.provision_body(given));
    bench.challenge("Operate");
    bench.opaque("provision", given, &message, "SessionSuperseded");
    cases.push(bench.case("PRV-2"));
    let mut bench = Bench::fresh("a millisecond late").record();
    let given = bench.challenge("Operate");
    let message = good(&bench.provision_body(given));
    bench.ticks += 10_001;
    bench.opaque("provision", given, &message, "SessionExpired");
    cases.push(bench.case("PRV-2"));
    let mut bench = Bench::provisioned("a stranger at a provisioned lock").record();
    let given = bench.challenge("Operate");
    let message = forge::tagged(&bench.provision_body(given), &other_secret()[..16]);
    bench.opaque("provision", given, &message, "CardMac");
    cases.push(bench.case("PRV-4"));
    cases
}

/// A refusal of whoever holds the card.
fn signed(bench: Bench, rule: &str, why: (&str, RefuseReason), change: impl FnOnce(&mut Provision)) -> Value {
    let mut bench = bench.record();
    let given = bench.challenge("Operate");
    let mut body = bench.provision_body(given);
    change(&mut body);
    bench.signed("provision", given, &good(&body), why);
    bench.case(rule)
}

fn provision_card_holders() -> Vec<Value> {
    let taken = ("AlreadyProvisioned", RefuseReason::AlreadyProvisioned);
    let mut cases = vec![
        signed(Bench::provisioned("another owner's key"), "PRV-5", taken, |body| body.owner = public("next owner")),
        signed(Bench::provisioned("another service's key"), "PRV-5", taken, |body| {
            body.service = public("next service")
        }),
    ];
    let mut bench = Bench::provisioned("the same keys in the second epoch");
    bench.transfer();
    cases.push(signed(bench, "PRV-11", taken, |_| {}));
    cases.push(signed(Bench::provisioned("a bad key at a provisioned lock"), "PRV-5", taken, |body| {
        body.owner = PublicKey::from_bytes([0; 32]);
    }));
    for (what, key, why) in [
        ("the identity", bad::SMALL_ORDER_Y[1], "SmallOrder"),
        ("a point of order 8", bad::SMALL_ORDER_Y[4], "SmallOrder"),
        ("a key that is not canonical", bad::NOT_CANONICAL[2], "NotCanonical"),
    ] {
        let key = PublicKey::from_bytes(bad::array(key));
        let error = |who: &str| format!("{who}.{why}");
        let fresh = |who: &str| Bench::fresh(&format!("{who} is {what}"));
        let owner = error("OwnerKey");
        cases.push(signed(fresh("OwnerKey"), "PRV-6", (&owner, RefuseReason::BadKey), |body| body.owner = key));
        let service = error("ServiceKey");
        cases.push(signed(fresh("ServiceKey"), "PRV-6", (&service, RefuseReason::BadKey), |body| body.service = key));
    }
    cases
}

fn provision_accepted() -> Vec<Value> {
    let mut bench = Bench::fresh("a fresh lock; the same keys again").record();
    let given = bench.challenge("Operate");
    let message = good(&bench.provision_body(given));
    bench.send("provision", given, &message);
    let given = bench.challenge("Operate");
    let message = good(&bench.provision_body(given));
    let again = bench.send("provision", given, &message);
    assert_eq!(again["written"], json!({}));
    let mut cases = vec![bench.case("PRV-11")];

    let mut bench = Bench::fresh("a header that was not written").record();
    let given = bench.challenge("Operate");
    let message = good(&bench.provision_body(given));
    let mut request = bench.request("provision", given, &message);
    request["store"] = "fails".into();
    bench.scene.refused(request, "StoreFailed");
    let request = bench.challenge_request("Operate");
    bench.scene.refused(request, "Busy");
    bench.scene.ask(json!({ "role": "lock", "op": "reload", "cell": 1 }));
    let given = bench.challenge("Operate");
    let message = good(&bench.provision_body(given));
    bench.send("provision", given, &message);
    cases.push(bench.case("PRV-8"));
    cases
}

pub fn reset_file() -> Value {
    let mut cases = reset_refused();
    cases.extend(reset_accepted());
    let about = "Factory resets at a lock: what it boots with, and every step.";
    super::file(about, json!({}), cases)
}

fn reset_body(bench: &Bench, given: Given) -> FactoryReset {
    FactoryReset { lock: bench.id, nonce: given.nonce }
}

fn reset_opaque(name: &str, rule: &str, error: &str, make: impl FnOnce(FactoryReset) -> Vec<u8>) -> Value {
    let mut bench = Bench::active(name).record();
    let given = bench.challenge("Operate");
    let message = make(reset_body(&bench, given));
    bench.opaque("reset", given, &message, error);
    bench.case(rule)
}

fn sealed(body: &FactoryReset) -> Vec<u8> {
    forge::tagged(body, &card())
}

fn reset_refused() -> Vec<Value> {
    let mut cases = vec![
        reset_opaque("no bytes", "RST-1", "Wire.Truncated", |_| Vec::new()),
        reset_opaque("a reset cut short", "RST-1", "Wire.Truncated", |body| sealed(&body)[..67].to_vec()),
        reset_opaque("a provision for a reset", "RST-1", "Wire.Kind", |body| {
            let mut message = sealed(&body);
            message[3] = 15;
            message
        }),
        reset_opaque("a reset of another lock", "RST-3", "WrongLock", |body| {
            sealed(&FactoryReset { lock: lock("another lock"), ..body })
        }),
        reset_opaque("a reset on another nonce", "RST-4", "WrongNonce", |body| {
            sealed(&FactoryReset { nonce: nonce("another nonce"), ..body })
        }),
        reset_opaque("a reset under another card", "RST-5", "CardMac", |body| {
            forge::tagged(&body, &other_secret()[..16])
        }),
        reset_opaque("another lock before another card", "RST-3", "WrongLock", |body| {
            forge::tagged(&FactoryReset { lock: lock("another lock"), ..body }, &other_secret()[..16])
        }),
    ];
    let mut bench = Bench::active("a millisecond late").record();
    let given = bench.challenge("Operate");
    let message = sealed(&reset_body(&bench, given));
    bench.ticks += 10_001;
    bench.opaque("reset", given, &message, "SessionExpired");
    cases.push(bench.case("RST-2"));
    let mut bench = Bench::active("nobody presses the button").record();
    let given = bench.challenge("Operate");
    let message = sealed(&reset_body(&bench, given));
    let mut request = bench.request("reset", given, &message);
    request["presence"] = false.into();
    bench.scene.refused(request, "NoPresence");
    cases.push(bench.case("RST-6"));
    let mut bench = Bench::active("a cell waits for a write").record();
    let operation = sharekey::message::Operation::Activate {
        slot: sharekey::id::SlotId::new(1),
        generation: sharekey::counter::Generation::new(1),
    };
    let given = bench.challenge("Operate");
    let message = bench.order(given, operation);
    let mut request = bench.request("command", given, &message);
    request["store"] = "fails".into();
    bench.scene.refused(request, "StoreFailed");
    let given = bench.challenge("Operate");
    let message = sealed(&reset_body(&bench, given));
    bench.opaque("reset", given, &message, "Busy");
    cases.push(bench.case("RST-11"));
    cases
}

/// Resets, and makes the lock anew.
fn reset(bench: &mut Bench) {
    let given = bench.challenge("Operate");
    let message = sealed(&reset_body(bench, given));
    bench.send("reset", given, &message);
    let request = bench.challenge_request("Operate");
    bench.scene.refused(request, "Resetting");
    bench.scene.refused(json!({ "role": "lock", "op": "reboot" }), "NotMade");
    let entropy = [draw("the seed", "a lock that is made anew", 32)];
    bench.scene.ask(json!({ "role": "lock", "op": "make", "entropy": entropy }));
}

fn reset_accepted() -> Vec<Value> {
    let mut bench = Bench::active("a reset, and the lock is made anew").record();
    reset(&mut bench);
    bench.scene.ask(json!({ "role": "lock", "op": "status" }));
    let mut cases = vec![bench.case("RST-7")];
    for (name, cell) in [("a lock whose header is missing", 1), ("a lock whose counter is missing", 2)] {
        let mut bench = Bench::active(name).record_damaged(&[(cell, None)]);
        reset(&mut bench);
        cases.push(bench.case("RST-10"));
    }
    let mut bench = Bench::active("a reset that was not written").record();
    let given = bench.challenge("Operate");
    let message = sealed(&reset_body(&bench, given));
    let mut request = bench.request("reset", given, &message);
    request["store"] = "fails".into();
    bench.scene.refused(request, "StoreFailed");
    let request = bench.challenge_request("Operate");
    bench.scene.refused(request, "Busy");
    bench.scene.ask(json!({ "role": "lock", "op": "reload", "cell": 0 }));
    bench.challenge("Operate");
    cases.push(bench.case("STG-7"));
    cases.push(interrupted());
    cases
}

/// The making of a lock is cut at every write; each time another lock is made.
fn interrupted() -> Value {
    let mut scene = super::scene::Scene::recorded();
    for writes in 0..7 {
        let entropy = [draw("the seed", "the same entropy each time", 32)];
        let mut request = json!({ "role": "lock", "op": "make", "entropy": entropy, "writes": writes });
        if writes == 0 {
            request["card"] = hex(card());
        }
        scene.ask(request);
        if writes < 7 {
            scene.refused(json!({ "role": "lock", "op": "reboot" }), "NotMade");
        }
    }
    let entropy = [draw("the seed", "the same entropy each time", 32)];
    scene.ask(json!({ "role": "lock", "op": "make", "entropy": entropy }));
    scene.ask(json!({ "role": "lock", "op": "reboot" }));
    scene.case("a making that was cut at every write", "LCK-4")
}
