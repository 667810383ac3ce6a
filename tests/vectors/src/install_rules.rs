//! Of `install_errors.json`: what is decided once all signatures hold, the order of checks, and what installs.

use serde_json::Value;
use sharekey::counter::{Epoch, Generation};
use sharekey::crypto::AgreementKey;
use sharekey::error::RefuseReason;
use sharekey::id::SlotId;
use sharekey::limits::{Action, Limits, Rights, Schedule, Timestamp, UtcOffset, Weekdays};
use sharekey::message::Operation;

use super::bad;
use sharekey_stage::chain::Chain;

use super::bench::{Bench, Key, NOON};
use super::install::{asked, changed};
use super::keys::{lock, nonce, seed};

const STALE: (&str, RefuseReason) = ("StaleGeneration", RefuseReason::StaleGeneration);

fn moment(seconds: u64) -> Option<Timestamp> {
    Some(Timestamp::from_unix_seconds(seconds))
}

/// A signed refusal of a chain that was changed.
pub fn signed(
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
    bench.signed("install", given, &chain.parts().unchecked_bundle(), why);
    bench.case(rule)
}

pub fn rules() -> Vec<Value> {
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
        chain.device = seed("stranger");
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
    overwritten.download(0, 3, |chain| chain.device = seed("stranger"));
    cases.push(signed(overwritten, 2, "GEN-4", STALE, |_| {}));
    cases
}

pub fn agreements() -> Vec<Value> {
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
pub fn orders() -> Vec<Value> {
    let mut cases = vec![
        changed("another lock before another epoch", "INS-3", "WrongLock", |chain| {
            (chain.grant.lock, chain.grant.epoch) = (lock("another lock"), Epoch::ZERO);
        }),
        changed("the grant's signature before the epoch", "INS-17", "GrantSignature.Mismatch", |chain| {
            (chain.grant.epoch, chain.owner) = (Epoch::ZERO, seed("stranger"));
        }),
        changed("the grant's signature before a closed slot", "INS-17", "GrantSignature.Mismatch", |chain| {
            (chain.grant.slot, chain.owner) = (SlotId::new(1), seed("stranger"));
        }),
        changed("the release's signature before no such slot", "INS-17", "ReleaseSignature.Mismatch", |chain| {
            (chain.grant.slot, chain.service) = (SlotId::new(9), seed("stranger"));
        }),
        changed("the grant's signature before the number", "INS-17", "GrantSignature.Mismatch", |chain| {
            (chain.grant.generation, chain.owner) = (Generation::ZERO, seed("stranger"));
        }),
        changed("the release's signature before the number", "INS-17", "ReleaseSignature.Mismatch", |chain| {
            (chain.grant.generation, chain.service) = (Generation::ZERO, seed("stranger"));
        }),
        changed("the grant's signature before the claim's", "INS-6", "GrantSignature.Mismatch", |chain| {
            (chain.owner, chain.subject) = (seed("stranger"), seed("another stranger"));
        }),
        changed("the nonce before the install's signature", "INS-10", "WrongNonce", |chain| {
            (chain.nonce, chain.device) = (nonce("another nonce"), seed("stranger"));
        }),
    ];
    let (mut bench, given) = asked("a malformed bundle before a superseded session");
    bench.challenge("Install");
    bench.opaque("install", given, b"SK", "Wire.Truncated");
    cases.push(bench.case("INS-1"));
    let other = ("WrongEpoch", RefuseReason::WrongEpoch);
    cases.push(signed(Bench::active("another epoch before no such slot"), 2, "INS-4", other, |chain| {
        (chain.grant.epoch, chain.grant.slot) = (Epoch::ZERO, SlotId::new(9));
    }));
    let closed = ("SlotInactive", RefuseReason::SlotInactive);
    cases.push(signed(Bench::active("a closed slot before a stale number"), 0, "INS-5", closed, |chain| {
        chain.grant.slot = SlotId::new(1);
    }));
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

pub fn accepted() -> Vec<Value> {
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
    let new = bench.download(0, 3, |chain| chain.device = seed("stranger"));
    old_key_fails(&mut bench, &old);
    bench.unlock(&new, Action::Open);
    cases.push(bench.case("GEN-1"));
    let mut bench = Bench::active("a lock without a clock takes a limit of uses").record();
    bench.clock = "Absent".into();
    let key = bench.download(0, 2, |chain| chain.grant.limits = Limits::new(None, None, None, Some(1)).unwrap());
    bench.unlock(&key, Action::Open);
    cases.push(bench.case("INS-14"));
    let mut bench = Bench::active("a key that is past installs, and does not open").record();
    bench.command(Operation::SetClock { to: Timestamp::from_unix_seconds(NOON) });
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
