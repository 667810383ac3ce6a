//! The hot paths beside their floor, in one interleaved run, and the gates that they must meet.
//!
//! `cargo bench --features rustcrypto --bench gates [-- --quick]`. Timings vary with the machine; the ratios are
//! what is promised, and a gate that is missed fails nothing: it is printed, and explained in `RESULTS.md`.
#![allow(
    clippy::arithmetic_side_effects,
    clippy::as_conversions,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a bench fails by panicking, and prints"
)]

mod common;

use std::hint::black_box;

use common::bare::{self, Bare};
use common::house::{NOW, stored};
use common::inputs::{self, Attempt, Guarded, Row, forged, leak};
use common::race::{Race, Times};
use common::table::{Table, time};
use sharekey::crypto::{PublicKey, Ring, RustCrypto};
use sharekey::limits::Limits;
use sharekey::lock::{Session, purpose};
use sharekey::message::{Bundle, Claim, Grant, Receipt, Unlock};
use sharekey::wire::{Message, Unverified};

/// Signature checks in a batch: some hundred microseconds.
const BATCH: usize = 4;

fn main() {
    let rounds = if std::env::args().any(|argument| argument == "--quick") { 40 } else { 300 };
    let mut race = Race::default();
    signatures::<Ring>(&mut race);
    signatures::<RustCrypto>(&mut race);
    downloads::<Ring>(&mut race);
    downloads::<RustCrypto>(&mut race);
    unlocks::<Ring>(&mut race);
    unlocks::<RustCrypto>(&mut race);
    refusals::<Ring>(&mut race);
    refusals::<RustCrypto>(&mut race);
    let times = race.run(rounds);
    paths(&times);
    refused(&times);
    gates(&times);
}

fn lane<C: Bare>(what: &str) -> String {
    format!("{} {what}", C::NAME)
}

/// Messages that carry one signature.
fn signatures<C: Bare>(race: &mut Race<'static>) {
    let (owner, grants) = inputs::grants::<C>(inputs::dates());
    let (grants, verifier) = (leak(grants), C::verifier(owner.as_bytes()));
    race.rotated(lane::<C>("bare, grant"), BATCH, grants, move |grant| bare::check::<C>(&verifier, grant));
    race.rotated(lane::<C>("grant"), BATCH, grants, move |grant| {
        *Unverified::<Grant>::parse(grant).unwrap().verify(&C::default(), &owner).unwrap()
    });

    let (mut house, receipts) = inputs::receipts::<C>();
    let (receipts, lock) = (leak(receipts), house.lock.id());
    let verifier = C::verifier(lock.key().as_bytes());
    race.rotated(lane::<C>("bare, receipt"), BATCH, receipts, move |receipt| bare::check::<C>(&verifier, receipt));
    race.rotated(lane::<C>("receipt, the message alone"), BATCH, receipts, move |receipt| {
        *Unverified::<Receipt>::parse(receipt).unwrap().verify(&C::default(), lock.key()).unwrap()
    });
    race.rotated(lane::<C>("receipt, learned by the owner"), BATCH, receipts, move |receipt| {
        let _ = black_box(house.owner.learn(&mut house.view, receipt).unwrap());
    });
}

/// The four-signature bundle at the lock, and the service's part.
fn downloads<C: Bare>(race: &mut Race<'static>) {
    let row = Row::<C>::new(inputs::dates());
    let sample = row.sample(|guarded| {
        let bundle = guarded.bundle().1;
        let owner = *guarded.house.owner.key();
        (bundle, owner, *guarded.house.account.public_key(), *guarded.house.service.key())
    });
    let four: Vec<[(C::Verifier, Vec<u8>); 4]> = sample
        .into_iter()
        .map(|(bundle, owner, subject, service)| {
            let parts = Bundle::parse(&bundle).unwrap();
            let device = Unverified::<Claim>::parse(parts.claim).unwrap().claims().device;
            let ready = |key: PublicKey, message: &[u8]| (C::verifier(key.as_bytes()), message.to_vec());
            [
                ready(owner, parts.grant),
                ready(subject, parts.claim),
                ready(device, parts.install),
                ready(service, parts.release),
            ]
        })
        .collect();
    race.rotated(lane::<C>("bare, bundle"), 1, leak(four), |four| {
        four.iter().for_each(|(key, message)| bare::check::<C>(key, message));
    });
    let spoilt = |guarded: &mut Guarded<C>| {
        let (session, bundle) = guarded.bundle();
        (session, forged(&bundle))
    };
    race.prepared(lane::<C>("bundle, refused at its fourth signature"), 1, row.batch(1, spoilt, install));
    race.prepared(lane::<C>("bundle, installed"), 1, row.batch(1, Guarded::bundle, install));

    let commands = row.sample(|guarded| (C::verifier(guarded.house.owner.key().as_bytes()), guarded.command().1));
    race.rotated(lane::<C>("bare, command"), BATCH, leak(commands), |(key, command)| bare::check::<C>(key, command));
    let spoilt = |guarded: &mut Guarded<C>| {
        let (session, command) = guarded.command();
        (session, forged(&command))
    };
    race.prepared(lane::<C>("command, refused at its signature"), 4, row.batch(4, spoilt, command));
    race.prepared(lane::<C>("command, carried out"), 4, row.batch(4, Guarded::command, command));

    let (mut house, claim, device, installs) = inputs::releases::<C>();
    let (claim, installs, subject) = (leak(claim), leak(installs), *house.account.public_key());
    let keys = (C::verifier(subject.as_bytes()), C::verifier(device.as_bytes()));
    race.rotated(lane::<C>("bare, claim and install"), BATCH, installs, move |install| {
        bare::check::<C>(&keys.0, claim);
        bare::check::<C>(&keys.1, install);
    });
    race.rotated(lane::<C>("release, by the service"), BATCH, installs, move |install| {
        let _ = black_box(house.service.release(&mut house.record, claim, install).unwrap());
    });
}

type Install = Attempt<purpose::Install>;
type Operate = Attempt<purpose::Operate>;

/// Whether it was accepted, where the attempt must be one or the other.
fn install<C: Bare>(guarded: &mut Guarded<C>, session: Session<purpose::Install>, bundle: &[u8]) -> bool {
    let house = &mut guarded.house;
    house.lock.install(session, bundle, NOW, &mut house.rng).is_ok_and(|staged| staged.commit(stored).is_ok())
}

fn command<C: Bare>(guarded: &mut Guarded<C>, session: Session<purpose::Operate>, command: &[u8]) -> bool {
    guarded.house.lock.command(session, command, NOW).is_ok_and(|staged| staged.commit(stored).is_ok())
}

fn unlock<C: Bare>(guarded: &mut Guarded<C>, session: Session<purpose::Operate>, unlock: &[u8]) -> bool {
    guarded.house.lock.unlock(session, unlock, NOW).is_ok_and(|staged| staged.commit(stored).is_ok())
}

/// The offline opening.
fn unlocks<C: Bare>(race: &mut Race<'static>) {
    let row = Row::<C>::new(Limits::NONE);
    let messages = row.sample(|guarded| guarded.unlock().1);
    let macer = C::macer(&[5; 32]);
    race.rotated(lane::<C>("bare HMAC, unlock"), 256, leak(messages), move |unlock| {
        C::mac(black_box(&macer), &unlock[..unlock.len() - 16])
    });
    let spoilt = |guarded: &mut Guarded<C>| {
        let (session, mut unlock) = guarded.unlock();
        *unlock.last_mut().unwrap() ^= 1;
        (session, unlock)
    };
    race.prepared(lane::<C>("unlock, refused at its tag"), 8, row.batch(8, spoilt, unlock));
    race.prepared(lane::<C>("unlock, opened, with its reply"), 8, row.batch(8, Guarded::unlock, unlock));
    let row = Row::<C>::new(inputs::every_limit());
    let name = lane::<C>("unlock, opened, all limits, a use written");
    race.prepared(name, 8, row.batch(8, Guarded::unlock, unlock));
}

/// What an attacker can send as often as it likes.
fn refusals<C: Bare>(race: &mut Race<'static>) {
    let row = Row::<C>::new(Limits::NONE);
    let mut bundles = |what: &str, spoil: fn(&mut Guarded<C>) -> Install| {
        race.prepared(lane::<C>(what), 8, row.batch(8, spoil, install));
    };
    bundles("bundle: no message at all", |guarded| (guarded.bundle().0, b"GET / HTTP/1.1".to_vec()));
    bundles("bundle: a byte too many", |guarded| {
        let (session, mut bundle) = guarded.bundle();
        bundle.push(0);
        (session, bundle)
    });
    bundles("bundle: limits that contradict themselves", |guarded| {
        let (session, mut bundle) = guarded.bundle();
        // The last byte of the grant's body, the tag of its uses, becomes one that no option has.
        let end = usize::from(bundle[4]) + 6 - 64;
        bundle[end - 1] = 7;
        (session, bundle)
    });
    bundles("bundle: an older session", |guarded| {
        let attempt = guarded.bundle();
        drop(guarded.house.challenge::<purpose::Install>());
        attempt
    });
    bundles("bundle: another lock", |guarded| {
        let (session, mut bundle) = guarded.bundle();
        bundle[10] ^= 1;
        (session, bundle)
    });
    let mut commands = |what: &str, spoil: fn(&mut Guarded<C>) -> Operate| {
        race.prepared(lane::<C>(what), 8, row.batch(8, spoil, command));
    };
    commands("command: an older session's nonce", |guarded| {
        let command = guarded.command().1;
        (Some(guarded.house.challenge().1), command)
    });
    let mut unlocks = |what: &str, spoil: fn(&mut Guarded<C>) -> Operate| {
        race.prepared(lane::<C>(what), 8, row.batch(8, spoil, unlock));
    };
    unlocks("unlock: an unknown action", |guarded| {
        let (session, mut unlock) = guarded.unlock();
        unlock[5] = 9;
        (session, unlock)
    });
    unlocks("unlock: an older session", |guarded| {
        let attempt = guarded.unlock();
        drop(guarded.house.challenge::<purpose::Operate>());
        attempt
    });
    unlocks("unlock: an older session's nonce", |guarded| {
        let unlock = guarded.unlock().1;
        (Some(guarded.house.challenge().1), unlock)
    });
}

/// What runs beside what floor.
const PATHS: &[(&str, &str)] = &[
    ("grant", "bare, grant"),
    ("receipt, the message alone", "bare, receipt"),
    ("receipt, learned by the owner", "bare, receipt"),
    ("bundle, refused at its fourth signature", "bare, bundle"),
    ("bundle, installed", "bare, bundle"),
    ("command, refused at its signature", "bare, command"),
    ("command, carried out", "bare, command"),
    ("release, by the service", "bare, claim and install"),
    ("unlock, refused at its tag", "bare HMAC, unlock"),
    ("unlock, opened, with its reply", "bare HMAC, unlock"),
    ("unlock, opened, all limits, a use written", "bare HMAC, unlock"),
];

const REFUSALS: &[&str] = &[
    "bundle: no message at all",
    "bundle: a byte too many",
    "bundle: limits that contradict themselves",
    "bundle: an older session",
    "bundle: another lock",
    "command: an older session's nonce",
    "unlock: an unknown action",
    "unlock: an older session",
    "unlock: an older session's nonce",
];

fn paths(times: &Times) {
    let columns = ["path", "ring", "floor", "ratio", "rustcrypto", "floor", "ratio"];
    let mut table = Table::new("Paths beside the bare primitives that they need", &columns);
    for (path, floor) in PATHS {
        let mut cells = vec![(*path).to_owned()];
        for provider in [Ring::NAME, RustCrypto::NAME] {
            let (path, floor) = (times.of(&format!("{provider} {path}")), times.of(&format!("{provider} {floor}")));
            cells.extend([time(path), time(floor), format!("{:.3}", path / floor)]);
        }
        table.row(&cells);
    }
    table.finish("paths");
}

fn refused(times: &Times) {
    let mut table = Table::new("Refused before any signature is computed", &["what comes", "ring", "rustcrypto"]);
    for what in REFUSALS {
        let of = |provider: &str| time(times.of(&format!("{provider} {what}")));
        table.row(&[(*what).to_owned(), of(Ring::NAME), of(RustCrypto::NAME)]);
    }
    table.finish("refusals");
}

fn gates(times: &Times) {
    let mut table = Table::new("Gates", &["gate", "limit", "found", ""]);
    let mut gate = |what: String, limit: f64, found: f64, digits: usize| {
        let verdict = if found <= limit { "met" } else { "**missed**" };
        let shown = |value: f64| format!("{value:.digits$}");
        table.row(&[what, format!("≤ {}", shown(limit)), shown(found), verdict.to_owned()]);
    };
    for provider in [Ring::NAME, RustCrypto::NAME] {
        let of = |lane: &str| times.of(&format!("{provider} {lane}"));
        let ratio = |path: &str, floor: &str| of(path) / of(floor);
        gate(format!("{provider}: grant verify ÷ bare verify"), 1.02, ratio("grant", "bare, grant"), 3);
        let bundle = ratio("bundle, refused at its fourth signature", "bare, bundle");
        gate(format!("{provider}: bundle's four signatures ÷ four bare verifies"), 1.02, bundle, 3);
        let unlock = of("unlock, refused at its tag");
        gate(
            format!("{provider}: unlock verify ÷ ring's bare verify"),
            1.0 / 150.0,
            unlock / times.of("ring bare, grant"),
            4,
        );
        gate(format!("{provider}: unlock verify ÷ bare HMAC, key ready"), 1.5, unlock / of("bare HMAC, unlock"), 2);
        let worst = REFUSALS.iter().filter(|what| **what != "unlock: an older session's nonce").map(|what| of(what));
        gate(format!("{provider}: refused before any signature, the slowest, ns"), 100.0, worst.fold(0.0, f64::max), 0);
    }
    sizes(&mut gate);
    table.finish("gates");
}

#[allow(clippy::cast_precision_loss, reason = "small")]
fn sizes(gate: &mut impl FnMut(String, f64, f64, usize)) {
    let grant = |limits| inputs::grants::<Ring>(limits).1[0].len() as f64;
    gate("grant without limits, bytes".to_owned(), 150.0, grant(Limits::NONE), 0);
    gate("grant with all limits, bytes".to_owned(), 200.0, grant(inputs::every_limit()), 0);
    gate("unlock, bytes".to_owned(), 64.0, Unlock::MAX_LEN as f64, 0);
}
