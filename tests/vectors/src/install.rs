//! `install_errors.json`: bundles that a lock refuses, and some that it accepts.

use serde_json::{Value, json};
use sharekey::counter::{Epoch, Term};
use sharekey::crypto::PublicKey;
use sharekey::error::RefuseReason;
use sharekey::id::SlotId;
use sharekey::message::{Claim, Install};

use sharekey_stage::chain::{Chain, Parts};

use super::bench::{Bench, Given};
use super::keys::{digest, lock, nonce, public, seed, some_digest};
use super::{bad, forge, install_rules};
use install_rules::signed;

pub fn file() -> Value {
    let mut cases = encodings();
    cases.extend(sessions());
    cases.extend(places());
    cases.extend(slots());
    cases.extend(signatures());
    cases.extend(links());
    cases.extend(install_rules::rules());
    cases.extend(install_rules::agreements());
    cases.extend(install_rules::orders());
    cases.extend(install_rules::accepted());
    super::file("Bundles at a lock: what it boots with, and every step.", json!({}), cases)
}

/// A lock with slot 0 open, and a challenge for an install.
pub fn asked(name: &str) -> (Bench, Given) {
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
pub fn changed(name: &str, rule: &str, error: &str, change: impl FnOnce(&mut Chain)) -> Value {
    opaque(name, rule, error, |_, _, mut chain| {
        change(&mut chain);
        chain.parts().unchecked_bundle()
    })
}

/// One bundle of parts that were changed after they were signed.
fn spoilt(name: &str, rule: &str, error: &str, spoil: impl FnOnce(&mut Parts)) -> Value {
    opaque(name, rule, error, |_, _, chain| {
        let mut parts = chain.parts();
        spoil(&mut parts);
        parts.unchecked_bundle()
    })
}

fn encodings() -> Vec<Value> {
    let mut cases = vec![
        opaque("no bytes", "INS-1", "Wire.Truncated", |_, _, _| Vec::new()),
        opaque("a grant alone", "INS-1", "Wire.Kind", |_, _, chain| chain.parts().grant),
        opaque("a bundle of version 2", "INS-1", "Wire.Version", |_, _, chain| {
            let mut bundle = chain.parts().unchecked_bundle();
            bundle[2] = 2;
            bundle
        }),
        opaque("a bundle with a byte behind it", "INS-1", "Wire.Trailing", |_, _, chain| {
            [chain.parts().unchecked_bundle(), vec![0]].concat()
        }),
        opaque("a bundle that is too long", "INS-1", "Wire.TooLong", |_, _, chain| {
            [chain.parts().unchecked_bundle(), vec![0; 600]].concat()
        }),
    ];
    cases.push(spoilt("a grant cut short", "INS-1", "Wire.Truncated", |parts| parts.grant.truncate(99)));
    cases.push(spoilt("a claim cut short", "INS-1", "Wire.Truncated", |parts| parts.claim.truncate(99)));
    cases.push(spoilt("an install of another kind", "INS-1", "Wire.Kind", |parts| parts.install[3] = 7));
    cases.push(spoilt("a release of another version", "INS-1", "Wire.Version", |parts| parts.release[2] = 0));
    cases.push(spoilt("a grant with the reserved right", "INS-1", "Wire.Value", |parts| parts.grant[81] = 7));
    cases.push(spoilt("a grant with an option of 2", "INS-1", "Wire.Option", |parts| parts.grant[82] = 2));
    cases.push(spoilt("a claim and an install that changed places", "INS-1", "Wire.Kind", |parts| {
        std::mem::swap(&mut parts.claim, &mut parts.install);
    }));
    cases
}

fn sessions() -> Vec<Value> {
    let mut cases = Vec::new();
    let (mut bench, given) = asked("a newer challenge for an install was given");
    bench.challenge("Install");
    let message = bench.chain(given, 0, 2).parts().unchecked_bundle();
    bench.opaque("install", given, &message, "SessionSuperseded");
    cases.push(bench.case("SES-2"));

    let (mut bench, given) = asked("the same session again");
    let message = bench.chain(given, 0, 2).parts().unchecked_bundle();
    bench.send("install", given, &message);
    bench.opaque("install", given, &message, "SessionSuperseded");
    cases.push(bench.case("SES-1"));

    let (mut bench, given) = asked("the same session again, after a malformed attempt");
    let message = bench.chain(given, 0, 2).parts().unchecked_bundle();
    bench.opaque("install", given, &message[..9], "Wire.Truncated");
    bench.opaque("install", given, &message, "SessionSuperseded");
    cases.push(bench.case("SES-1"));

    for (name, late, error) in
        [("in the last millisecond", 120_000, None), ("a millisecond late", 120_001, Some("SessionExpired"))]
    {
        let (mut bench, given) = asked(name);
        let message = bench.chain(given, 0, 2).parts().unchecked_bundle();
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
    let message = bench.chain(given, 0, 2).parts().unchecked_bundle();
    bench.ticks = 4_999;
    bench.opaque("install", given, &message, "SessionExpired");
    cases.push(bench.case("SES-5"));

    let (mut bench, given) = asked("a transfer came between");
    let message = bench.chain(given, 0, 2).parts().unchecked_bundle();
    bench.transfer();
    bench.opaque("install", given, &message, "SessionSuperseded");
    cases.push(bench.case("SES-7"));

    let (mut bench, given) = asked("a boot came between");
    let message = bench.chain(given, 0, 2).parts().unchecked_bundle();
    bench.scene.ask(json!({ "role": "lock", "op": "reboot" }));
    bench.opaque("install", given, &message, "SessionSuperseded");
    cases.push(bench.case("SES-8"));
    cases
}

fn places() -> Vec<Value> {
    let mut cases = vec![changed("a grant for another lock", "INS-3", "WrongLock", |chain| {
        chain.grant.lock = lock("another lock")
    })];
    let other = ("WrongEpoch", RefuseReason::WrongEpoch);
    for (name, epoch) in [("a grant of the epoch before", 0), ("a grant of the next epoch", 2)] {
        cases.push(signed(Bench::active(name), 2, "INS-4", other, |chain| chain.grant.epoch = Epoch::new(epoch)));
    }
    let mut bench = Bench::fresh("a lock without an owner").record();
    let given = bench.challenge("Install");
    let message = bench.chain(given, 0, 2).parts().unchecked_bundle();
    bench.opaque("install", given, &message, "NotProvisioned");
    cases.push(bench.case("INS-21"));

    let mut bench = Bench::active("a grant from before a transfer to oneself");
    bench.transfer();
    cases.push(signed(bench, 2, "INS-4", other, |chain| chain.grant.epoch = Epoch::FIRST));
    cases
}

fn slots() -> Vec<Value> {
    let mut cases = Vec::new();
    for slot in [3, 255] {
        let name = format!("no slot {slot}");
        let none = ("NoSuchSlot", RefuseReason::NoSuchSlot);
        cases.push(signed(Bench::active(&name), 2, "INS-5", none, |chain| chain.grant.slot = SlotId::new(slot)));
    }
    let closed = ("SlotInactive", RefuseReason::SlotInactive);
    cases.push(signed(Bench::active("a slot that was never activated"), 2, "INS-5", closed, |chain| {
        chain.grant.slot = SlotId::new(1);
    }));
    let mut bench = Bench::active("a slot that was deactivated");
    bench.deactivate(0, 2);
    cases.push(signed(bench, 3, "INS-5", closed, |_| {}));
    let mut bench = Bench::active("a slot that was active in the epoch before");
    bench.transfer();
    cases.push(signed(bench, 2, "DMG-5", closed, |_| {}));
    for (name, spoil) in [("a slot whose record is missing", false), ("a slot whose record has a flipped bit", true)] {
        let mut bench = Bench::active(name);
        let mut record = super::bench::bytes(&bench.records()["3"]);
        record[9] ^= 1;
        let mut bench = bench.record_damaged(&[(3, spoil.then_some(record))]);
        let given = bench.challenge("Install");
        let message = bench.chain(given, 0, 2).parts().unchecked_bundle();
        bench.signed("install", given, &message, ("SlotDamaged", RefuseReason::SlotDamaged));
        cases.push(bench.case("DMG-1"));
    }
    cases
}

fn signatures() -> Vec<Value> {
    let mut cases = vec![
        changed("a grant of a steward, of whom there is none", "INS-22", "UnknownSigner", |chain| {
            chain.grant.by = Term::new(1);
        }),
        changed("a grant signed by a stranger", "INS-6", "GrantSignature.Mismatch", |chain| {
            chain.owner = seed("stranger")
        }),
        changed("a claim signed by a stranger", "INS-8", "ClaimSignature.Mismatch", |chain| {
            chain.subject = seed("stranger")
        }),
        changed("a release signed by a stranger", "INS-13", "ReleaseSignature.Mismatch", |chain| {
            chain.service = seed("stranger");
        }),
        opaque("an install signed by a stranger", "INS-11", "InstallSignature.Mismatch", |_, given, chain| {
            let parts = chain.parts();
            let body = Install { nonce: given.nonce, ..chain.install(&parts.claim) };
            let install = forge::signed(&body, &seed("stranger"));
            chain.after_install(parts.grant, parts.claim, install).unchecked_bundle()
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
    opaque(&name, rule, &format!("{error}.{why}"), |_, _, chain| parts(&chain, &spoil).unchecked_bundle())
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
            chain.after_claim(grant, bad::sign_as_identity(forge::frame(&claim))).unchecked_bundle()
        }));
        let name = format!("a claim for {what}");
        cases.push(opaque(&name, "INS-11", &format!("InstallSignature.{why}"), |_, given, chain| {
            let grant = chain.parts().grant;
            let claim = forge::signed(&Claim { grant: digest(&grant), device: key }, &seed("subject"));
            let body = Install { nonce: given.nonce, ..chain.install(&claim) };
            chain.after_install(grant, claim, bad::sign_as_identity(forge::frame(&body))).unchecked_bundle()
        }));
    }
    cases
}

fn links() -> Vec<Value> {
    vec![
        opaque("a claim of another grant", "INS-7", "ClaimNamesOtherGrant", |bench, given, chain| {
            let other = bench.chain(given, 0, 3).parts();
            Parts { grant: chain.parts().grant, ..other }.unchecked_bundle()
        }),
        opaque("an install on another claim", "INS-9", "InstallNamesOtherClaim", |bench, given, chain| {
            let other = bench.chain(given, 0, 3).parts();
            let parts = chain.parts();
            Parts { install: other.install, release: other.release, ..parts }.unchecked_bundle()
        }),
        changed("an install on another nonce", "INS-10", "WrongNonce", |chain| chain.nonce = nonce("another nonce")),
        opaque("a release of another install", "INS-12", "ReleaseNamesOtherInstall", |bench, given, chain| {
            let other = bench.chain(given, 0, 3).parts();
            Parts { release: other.release, ..chain.parts() }.unchecked_bundle()
        }),
        opaque("a release of some digest", "INS-12", "ReleaseNamesOtherInstall", |_, _, chain| {
            let release = sharekey::message::Release { install: some_digest("nothing") };
            Parts { release: forge::signed(&release, &seed("service")), ..chain.parts() }.unchecked_bundle()
        }),
    ]
}
