//! The hot paths beside their floor, in one interleaved run, and the gates that they must meet.
//!
//! `cargo bench -p sharekey-benches --bench gates [-- --quick]`. Timings vary with the machine; the ratios are
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

use sharekey::crypto::{Ring, RustCrypto};
use sharekey::limits::Limits;
use sharekey::message::Unlock;
use sharekey::wire::Message as _;
use sharekey_benches::bare::Bare as _;
use sharekey_benches::race::Times;
use sharekey_benches::table::{Table, time};
use sharekey_benches::{inputs, lanes};

fn main() {
    let rounds = if std::env::args().any(|argument| argument == "--quick") { 40 } else { 300 };
    let times = lanes::all().run(rounds);
    paths(&times);
    refused(&times);
    gates(&times);
}

/// What runs beside what floor.
const PATHS: &[(&str, &str)] = &[
    ("grant", "bare, grant"),
    ("grant, the key parsed each time", "bare, grant"),
    ("receipt, the message alone", "bare, receipt"),
    ("receipt, learned by the owner", "bare, receipt"),
    ("bundle, refused at its fourth signature", "bare, bundle"),
    ("bundle, installed", "bare, bundle"),
    ("command, refused at its signature", "bare, command"),
    ("command, carried out", "bare, command"),
    ("release, by the service", "bare, claim and install"),
    ("HMAC, its key set up each time, unlock", "bare HMAC, unlock"),
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
            let (path, floor) = (times.of(provider, path), times.of(provider, floor));
            cells.extend([time(path), time(floor), format!("{:.3}", path / floor)]);
        }
        table.row(&cells);
    }
    table.finish("paths");
}

fn refused(times: &Times) {
    let mut table = Table::new("Refused before any signature is computed", &["what comes", "ring", "rustcrypto"]);
    for what in REFUSALS {
        let of = |provider: &str| time(times.of(provider, what));
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
        let of = |lane: &str| times.of(provider, lane);
        let ratio = |path: &str, floor: &str| of(path) / of(floor);
        gate(format!("{provider}: grant verify ÷ bare verify"), 1.02, ratio("grant", "bare, grant"), 3);
        let bundle = ratio("bundle, refused at its fourth signature", "bare, bundle");
        gate(format!("{provider}: bundle's four signatures ÷ four bare verifies"), 1.02, bundle, 3);
        let unlock = of("unlock, refused at its tag");
        gate(
            format!("{provider}: unlock verify ÷ ring's bare verify"),
            1.0 / 150.0,
            unlock / times.of(Ring::NAME, "bare, grant"),
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
