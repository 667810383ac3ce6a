//! `install_errors.json`: bundles that a lock refuses, and some that it accepts.

use serde_json::{Value, json};
use sharekey::counter::{Epoch, Generation};
use sharekey::crypto::{AgreementKey, PublicKey};
use sharekey::error::RefuseReason;
use sharekey::id::SlotId;
use sharekey::limits::{Action, Limits, Rights, Schedule, Timestamp, UtcOffset, Weekdays};
use sharekey::message::{Claim, Install, Operation};

use super::bench::{Bench, Chain, Given, Key, NOON, Parts};
use super::keys::{digest, lock, nonce, public, seed, some_digest};
use super::{bad, forge};

const STALE: (&str, RefuseReason) = ("StaleGeneration", RefuseReason::StaleGeneration);

pub fn file() -> Value {
    let mut cases = encodings();
    cases.extend(sessions());
    cases.extend(places());
    cases.extend(slots());
    cases.extend(signatures());
    cases.extend(links());
    cases.extend(rules());
    cases.extend(agreements());
    cases.extend(orders());
    cases.extend(accepted());
    super::file("Bundles at a lock: what it boots with, and every step.", json!({}), cases)
}

/// A lock with slot 0 open, and a challenge for an install.
fn asked(name: &str) -> (Bench, Given) {
    let mut bench = Bench::active(name).record();
    let given = bench.challenge("Install");
    (bench, given)
}

/// One bundle that is refused without a reason.
fn opaque(name: &str, rule: &str, error: &str, make: impl FnOnce(&Bench, Given, Chain) -> Vec<u8>) -> Value {
    let (mut bench, given) = asked(name);
    let message = make(&bench, given, bench.chain(given, 0, 2));
    bench.opaque("install", given, &message, error);
    bench.case(rule)
}

/// One bundle of a chain that was changed before it was signed.
fn changed(name: &str, rule: &str, error: &str, change: impl FnOnce(&mut Chain)) -> Value {
    opaque(name, rule, error, |_, _, mut chain| {
        change(&mut chain);
        chain.parts().bundle()
    })
}

/// One bundle of parts that were changed after they were signed.
fn spoilt(name: &str, rule: &str, error: &str, spoil: impl FnOnce(&mut Parts)) -> Value {
    opaque(name, rule, error, |_, _, chain| {
        let mut parts = chain.parts();
        spoil(&mut parts);
        parts.bundle()
    })
}

fn encodings() -> Vec<Value> {
    let mut cases = vec![
        opaque("no bytes", "INS-1", "Wire.Truncated", |_, _, _| Vec::new()),
        opaque("a grant alone", "INS-1", "Wire.Kind", |_, _, chain| chain.parts().grant),
        opaque("a bundle of version 2", "INS-1", "Wire.Version", |_, _, chain| {
            let mut bundle = chain.parts().bundle();
            bundle[2] = 2;
            bundle
        }),
        opaque("a bundle with a byte behind it", "INS-1", "Wire.Trailing", |_, _, chain| {
            [chain.parts().bundle(), vec![0]].concat()
        }),
        opaque("a bundle that is too long", "INS-1", "Wire.TooLong", |_, _, chain| {
            [chain.parts().bundle(), vec![0; 600]].concat()
        }),
    ];
    cases.push(spoilt("a grant cut short", "INS-1", "Wire.Truncated", |parts| parts.grant.truncate(99)));
    cases.push(spoilt("a claim cut short", "INS-1", "Wire.Truncated", |parts| parts.claim.truncate(99)));
    cases.push(spoilt("an install of another kind", "INS-1", "Wire.Kind", |parts| parts.install[3] = 7));
    cases.push(spoilt("a release of another version", "INS-1", "Wire.Version", |parts| parts.release[2] = 0));
    cases.push(spoilt("a grant with the reserved right", "INS-1", "Wire.Value", |parts| parts.grant[77] = 7));
    cases.push(spoilt("a grant with an option of 2", "INS-1", "Wire.Option", |parts| parts.grant[78] = 2));
    cases.push(spoilt("a claim and an install that changed places", "INS-1", "Wire.Kind", |parts| {
        std::mem::swap(&mut parts.claim, &mut parts.install);
    }));
    cases
}

fn sessions() -> Vec<Value> {
    let mut cases = Vec::new();
    let (mut bench, given) = asked("a newer challenge for an install was given");
    bench.challenge("Install");
    let message = bench.chain(given, 0, 2).parts().bundle();
    bench.opaque("install", given, &message, "SessionSuperseded");
    cases.push(bench.case("SES-2"));

    let (mut bench, given) = asked("the same session again");
    let message = bench.chain(given, 0, 2).parts().bundle();
    bench.send("install", given, &message);
    bench.opaque("install", given, &message, "SessionSuperseded");
    cases.push(bench.case("SES-1"));

    let (mut bench, given) = asked("the same session again, after a malformed attempt");
    let message = bench.chain(given, 0, 2).parts().bundle();
    bench.opaque("install", given, &message[..9], "Wire.Truncated");
    bench.opaque("install", given, &message, "SessionSuperseded");
    cases.push(bench.case("SES-1"));

    for (name, late, error) in
        [("in the last millisecond", 120_000, None), ("a millisecond late", 120_001, Some("SessionExpired"))]
    {
        let (mut bench, given) = asked(name);
        let message = bench.chain(given, 0, 2).parts().bundle();
        bench.ticks += late;
        match error {
            Some(error) => bench.opaque("install", given, &message, error),
            None => drop(bench.send("install", given, &message)),
        }
        cases.push(bench.case("SES-3"));
    }

    let mut bench = Bench::active("the ticks went backwards").record();
    bench.ticks = 5_000;
    let given = bench.challenge("Install");
    let message = bench.chain(given, 0, 2).parts().bundle();
    bench.ticks = 4_999;
    bench.opaque("install", given, &message, "SessionExpired");
    cases.push(bench.case("SES-5"));

    let (mut bench, given) = asked("a transfer came between");
    let message = bench.chain(given, 0, 2).parts().bundle();
    bench.transfer();
    bench.opaque("install", given, &message, "SessionSuperseded");
    cases.push(bench.case("SES-7"));

    let (mut bench, given) = asked("a boot came between");
    let message = bench.chain(given, 0, 2).parts().bundle();
    bench.scene.ask(json!({ "role": "lock", "op": "reboot" }));
    bench.opaque("install", given, &message, "SessionSuperseded");
    cases.push(bench.case("SES-8"));
    cases
}

fn places() -> Vec<Value> {
    let mut cases = vec![
        changed("a grant for another lock", "INS-3", "WrongLock", |chain| chain.grant.lock = lock("another lock")),
        changed("a grant of the epoch before", "INS-4", "WrongEpoch", |chain| chain.grant.epoch = Epoch::ZERO),
        changed("a grant of the next epoch", "INS-4", "WrongEpoch", |chain| chain.grant.epoch = Epoch::new(2)),
    ];
    let mut bench = Bench::fresh("a lock without an owner").record();
    let given = bench.challenge("Install");
    let message = bench.chain(given, 0, 2).parts().bundle();
    bench.opaque("install", given, &message, "NotProvisioned");
    cases.push(bench.case("INS-4"));

    let mut bench = Bench::active("a grant from before a transfer");
    bench.transfer();
    let mut bench = bench.record();
    let given = bench.challenge("Install");
    let mut chain = bench.chain(given, 0, 2);
    chain.grant.epoch = Epoch::FIRST;
    bench.opaque("install", given, &chain.parts().bundle(), "WrongEpoch");
    cases.push(bench.case("INS-4"));
    cases
}

fn slots() -> Vec<Value> {
    let mut cases = Vec::new();
    for slot in [3, 255] {
        let name = format!("no slot {slot}");
        cases.push(changed(&name, "INS-5", "NoSuchSlot", |chain| chain.grant.slot = SlotId::new(slot)));
    }
    cases.push(changed("a slot that was never activated", "INS-5", "SlotInactive", |chain| {
        chain.grant.slot = SlotId::new(1);
    }));
    let inactive = |mut bench: Bench, generation, rule: &str| {
        let given = bench.challenge("Install");
        let message = bench.chain(given, 0, generation).parts().bundle();
        bench.opaque("install", given, &message, "SlotInactive");
        bench.case(rule)
    };
    let mut bench = Bench::active("a slot that was deactivated");
    bench.deactivate(0, 2);
    cases.push(inactive(bench.record(), 3, "INS-5"));
    let mut bench = Bench::active("a slot that was active in the epoch before");
    bench.transfer();
    cases.push(inactive(bench.record(), 2, "DMG-5"));
    for (name, spoil) in [("a slot whose record is missing", false), ("a slot whose record has a flipped bit", true)] {
        let mut bench = Bench::active(name);
        let mut record = super::bench::bytes(&bench.records()["3"]);
        record[9] ^= 1;
        let mut bench = bench.record_damaged(&[(3, spoil.then_some(record))]);
        let given = bench.challenge("Install");
        let message = bench.chain(given, 0, 2).parts().bundle();
        bench.opaque("install", given, &message, "SlotDamaged");
        cases.push(bench.case("DMG-1"));
    }
    cases
}

fn signatures() -> Vec<Value> {
    let mut cases = vec![
        changed("a grant signed by a stranger", "INS-6", "GrantSignature.Mismatch", |chain| chain.owner = "stranger"),
        changed("a claim signed by a stranger", "INS-8", "ClaimSignature.Mismatch", |chain| chain.subject = "stranger"),
        changed("a release signed by a stranger", "INS-13", "ReleaseSignature.Mismatch", |chain| {
            chain.service = "stranger";
        }),
        opaque("an install signed by a stranger", "INS-11", "InstallSignature.Mismatch", |_, given, chain| {
            let parts = chain.parts();
            let body = Install { claim: digest(&parts.claim), nonce: given.nonce, agreement: chain.agreement };
            let install = forge::signed(&body, &seed("stranger"));
            chain.after_install(parts.grant, parts.claim, install).bundle()
        }),
    ];
    // Flipping a bit of a grant's lock id makes it another lock's, so that one is left out.
    for at in 0..5 {
        cases.push(opaque_signature("grant", "INS-6", "GrantSignature", at, |chain, spoil| {
            chain.after_grant(spoil(&chain.parts().grant))
        }));
        cases.push(opaque_signature("claim", "INS-8", "ClaimSignature", at, |chain, spoil| {
            let parts = chain.parts();
            chain.after_claim(parts.grant, spoil(&parts.claim))
        }));
        cases.push(opaque_signature("install", "INS-11", "InstallSignature", at, |chain, spoil| {
            let parts = chain.parts();
            chain.after_install(parts.grant, parts.claim, spoil(&parts.install))
        }));
        cases.push(opaque_signature("release", "INS-13", "ReleaseSignature", at, |chain, spoil| {
            let parts = chain.parts();
            Parts { release: spoil(&parts.release), ..parts }
        }));
    }
    cases.extend(bad_keys());
    cases
}

fn opaque_signature(
    part: &str,
    rule: &str,
    error: &str,
    at: usize,
    parts: impl FnOnce(&Chain, &dyn Fn(&[u8]) -> Vec<u8>) -> Parts,
) -> Value {
    let (what, _, why) = bad::signatures(&[0; 100])[at].clone();
    let name = format!("a {part} with {what}");
    let spoil = |signed: &[u8]| bad::signatures(signed)[at].1.clone();
    opaque(&name, rule, &format!("{error}.{why}"), |_, _, chain| parts(&chain, &spoil).bundle())
}

/// Subjects and devices whose key verifies anything under a lenient verifier.
fn bad_keys() -> Vec<Value> {
    let mut cases = Vec::new();
    for (what, key, why) in [
        ("the identity", bad::SMALL_ORDER_Y[1], "Key.SmallOrder"),
        ("a point of order 8", bad::SMALL_ORDER_Y[3], "Key.SmallOrder"),
        ("an encoding that is not canonical", bad::NOT_CANONICAL[1], "Key.NotCanonical"),
    ] {
        let key = PublicKey::from_bytes(bad::array(key));
        let name = format!("a grant for {what}");
        cases.push(opaque(&name, "INS-8", &format!("ClaimSignature.{why}"), |_, _, mut chain| {
            chain.grant.subject = key;
            let grant = forge::signed(&chain.grant, &seed("owner"));
            let claim = Claim { grant: digest(&grant), device: public("device") };
            chain.after_claim(grant, bad::sign_as_identity(forge::frame(&claim))).bundle()
        }));
        let name = format!("a claim for {what}");
        cases.push(opaque(&name, "INS-11", &format!("InstallSignature.{why}"), |_, given, chain| {
            let grant = chain.parts().grant;
            let claim = forge::signed(&Claim { grant: digest(&grant), device: key }, &seed("subject"));
            let body = Install { claim: digest(&claim), nonce: given.nonce, agreement: chain.agreement };
            chain.after_install(grant, claim, bad::sign_as_identity(forge::frame(&body))).bundle()
        }));
    }
    cases
}

fn links() -> Vec<Value> {
    vec![
        opaque("a claim of another grant", "INS-7", "ClaimNamesOtherGrant", |bench, given, chain| {
            let other = bench.chain(given, 0, 3).parts();
            Parts { grant: chain.parts().grant, ..other }.bundle()
        }),
        opaque("an install on another claim", "INS-9", "InstallNamesOtherClaim", |bench, given, chain| {
            let other = bench.chain(given, 0, 3).parts();
            let parts = chain.parts();
            Parts { install: other.install, release: other.release, ..parts }.bundle()
        }),
        changed("an install on another nonce", "INS-10", "WrongNonce", |chain| chain.nonce = nonce("another nonce")),
        opaque("a release of another install", "INS-12", "ReleaseNamesOtherInstall", |bench, given, chain| {
            let other = bench.chain(given, 0, 3).parts();
            Parts { release: other.release, ..chain.parts() }.bundle()
        }),
        opaque("a release of some digest", "INS-12", "ReleaseNamesOtherInstall", |_, _, chain| {
            let release = sharekey::message::Release { install: some_digest("nothing") };
            Parts { release: forge::signed(&release, &seed("service")), ..chain.parts() }.bundle()
        }),
    ]
}

fn moment(seconds: u64) -> Option<Timestamp> {
    Some(Timestamp::from_unix_seconds(seconds))
}

/// A signed refusal of a chain that was changed.
fn signed(
    bench: Bench,
    generation: u32,
    rule: &str,
    why: (&str, RefuseReason),
    change: impl FnOnce(&mut Chain),
) -> Value {
    let mut bench = bench.record();
    let given = bench.challenge("Install");
    let mut chain = bench.chain(given, 0, generation);
    change(&mut chain);
    bench.signed("install", given, &chain.parts().bundle(), why);
    bench.case(rule)
}

fn rules() -> Vec<Value> {
    let no_clock = ("NoClock", RefuseReason::NoClock);
    let always = Schedule::new(Weekdays::ALL, 0, 1440, UtcOffset::UTC, None).unwrap();
    let timed = [
        ("from", Limits::new(moment(NOON), None, None, None)),
        ("until", Limits::new(None, moment(NOON), None, None)),
        ("a schedule", Limits::new(None, None, Some(always), None)),
    ];
    let mut cases = Vec::new();
    for (what, limits) in timed {
        let mut bench = Bench::active(&format!("a lock without a clock, and a grant with {what}"));
        bench.clock = "Absent".into();
        cases.push(signed(bench, 2, "INS-14", no_clock, |chain| chain.grant.limits = limits.unwrap()));
    }
    let mut floor_of_five = Bench::active("below the floor");
    floor_of_five.activate(0, 5);
    cases.push(signed(floor_of_five, 4, "GEN-4", STALE, |_| {}));
    cases.push(signed(Bench::active("the number of the activation"), 1, "GEN-4", STALE, |_| {}));
    let installed = |name: &str| Bench::installed(name, Rights::OPEN_AND_LOCK, Limits::NONE).0;
    cases.push(signed(installed("the installed number, for another device"), 2, "GEN-2", STALE, |chain| {
        chain.device = "stranger";
    }));
    cases.push(signed(installed("the installed number, under another grant"), 2, "GEN-2", STALE, |chain| {
        chain.grant.rights = Rights::OPEN;
    }));
    let mut wiped = installed("the grant of a key that an activation wiped");
    wiped.activate(0, 3);
    cases.push(signed(wiped, 2, "GEN-4", STALE, |_| {}));
    let mut taken = installed("the number of an activation that wiped the key");
    taken.activate(0, 3);
    cases.push(signed(taken, 3, "GEN-2", STALE, |_| {}));
    let mut overwritten = installed("the grant of a key that was overwritten");
    overwritten.download(0, 3, |chain| chain.device = "stranger");
    cases.push(signed(overwritten, 2, "GEN-4", STALE, |_| {}));
    cases
}

fn agreements() -> Vec<Value> {
    let why = ("NonContributory", RefuseReason::NonContributory);
    let low = bad::LOW_ORDER.into_iter().flat_map(|text| [bad::array(text), bad::high(bad::array(text))]);
    low.enumerate()
        .map(|(number, key)| {
            let bench = Bench::active(&format!("an X25519 key of low order, {number}"));
            signed(bench, 2, "INS-16", why, |chain| chain.agreement = AgreementKey::from_bytes(key))
        })
        .collect()
}

/// Two things are wrong: the first in the order of checks names the error.
fn orders() -> Vec<Value> {
    let mut cases = vec![
        changed("another lock before another epoch", "INS-3", "WrongLock", |chain| {
            (chain.grant.lock, chain.grant.epoch) = (lock("another lock"), Epoch::ZERO);
        }),
        changed("another epoch before no such slot", "INS-4", "WrongEpoch", |chain| {
            (chain.grant.epoch, chain.grant.slot) = (Epoch::ZERO, SlotId::new(9));
        }),
        changed("a closed slot before the grant's signature", "INS-5", "SlotInactive", |chain| {
            (chain.grant.slot, chain.owner) = (SlotId::new(1), "stranger");
        }),
        changed("the grant's signature before the number", "INS-17", "GrantSignature.Mismatch", |chain| {
            (chain.grant.generation, chain.owner) = (Generation::ZERO, "stranger");
        }),
        changed("the release's signature before the number", "INS-17", "ReleaseSignature.Mismatch", |chain| {
            (chain.grant.generation, chain.service) = (Generation::ZERO, "stranger");
        }),
        changed("the grant's signature before the claim's", "INS-6", "GrantSignature.Mismatch", |chain| {
            (chain.owner, chain.subject) = ("stranger", "another stranger");
        }),
        changed("the nonce before the install's signature", "INS-10", "WrongNonce", |chain| {
            (chain.nonce, chain.device) = (nonce("another nonce"), "stranger");
        }),
    ];
    let (mut bench, given) = asked("a malformed bundle before a superseded session");
    bench.challenge("Install");
    bench.opaque("install", given, b"SK", "Wire.Truncated");
    cases.push(bench.case("INS-1"));
    let mut bench = Bench::active("no clock before a stale number");
    bench.clock = "Absent".into();
    let why = ("NoClock", RefuseReason::NoClock);
    cases.push(signed(bench, 1, "INS-14", why, |chain| {
        chain.grant.limits = Limits::new(moment(NOON), None, None, None).unwrap();
    }));
    cases.push(signed(Bench::active("a stale number before the agreement"), 1, "GEN-4", STALE, |chain| {
        chain.agreement = AgreementKey::from_bytes([0; 32]);
    }));
    cases
}

fn accepted() -> Vec<Value> {
    let mut cases = Vec::new();
    let mut bench = Bench::active("the next number installs").record();
    let key = bench.download(0, 2, |_| {});
    bench.unlock(&key, Action::Open);
    cases.push(bench.case("GEN-1"));
    let mut bench = Bench::active("the last number of all installs, and is keyed again").record();
    bench.download(0, u32::MAX, |_| {});
    let key = bench.download(0, u32::MAX, |_| {});
    bench.unlock(&key, Action::Lock);
    cases.push(bench.case("GEN-1"));
    cases.push(rekeyed());
    let (bench, old) = Bench::installed("a higher number overwrites", Rights::OPEN_AND_LOCK, Limits::NONE);
    let mut bench = bench.record();
    let new = bench.download(0, 3, |chain| chain.device = "stranger");
    old_key_fails(&mut bench, &old);
    bench.unlock(&new, Action::Open);
    cases.push(bench.case("GEN-1"));
    let mut bench = Bench::active("a lock without a clock takes a limit of uses").record();
    bench.clock = "Absent".into();
    let key = bench.download(0, 2, |chain| chain.grant.limits = Limits::new(None, None, None, Some(1)).unwrap());
    bench.unlock(&key, Action::Open);
    cases.push(bench.case("INS-14"));
    let mut bench = Bench::active("a key that is past installs, and does not open").record();
    let past = Limits::new(None, moment(NOON), None, None).unwrap();
    let key = bench.download(0, 2, |chain| chain.grant.limits = past);
    let given = bench.challenge("Operate");
    bench.replied(given, &key, Action::Open, ("Expired", RefuseReason::Expired));
    cases.push(bench.case("UNL-11"));
    let mut bench = Bench::provisioned("the second slot, of a lock in its second epoch").record();
    bench.transfer();
    bench.command(Operation::Activate { slot: SlotId::new(1), generation: Generation::new(1) });
    let key = bench.download(1, 2, |_| {});
    bench.unlock(&key, Action::Open);
    cases.push(bench.case("DMG-5"));
    cases
}

fn old_key_fails(bench: &mut Bench, old: &Key) {
    let given = bench.challenge("Operate");
    let message = old.unlock(Action::Open, given);
    bench.opaque("unlock", given, &message, "UnlockMac");
}

fn rekeyed() -> Value {
    let uses = Limits::new(None, None, None, Some(2)).unwrap();
    let (bench, old) =
        Bench::installed("the same grant and device are keyed again, with the uses kept", Rights::OPEN, uses);
    let mut bench = bench.record();
    bench.unlock(&old, Action::Open);
    let new = bench.download(0, 2, |chain| (chain.grant.rights, chain.grant.limits) = (Rights::OPEN, uses));
    old_key_fails(&mut bench, &old);
    bench.unlock(&new, Action::Open);
    let given = bench.challenge("Operate");
    bench.replied(given, &new, Action::Open, ("UsesSpent", RefuseReason::UsesSpent));
    bench.case("GEN-3")
}
