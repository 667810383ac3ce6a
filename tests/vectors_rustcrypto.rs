//! Do the vectors hold across providers: what ring signed, sealed and derived, read by `RustCrypto`?
#![cfg(all(feature = "ring", feature = "rustcrypto"))]
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test that cannot go on fails")]

#[path = "../examples/vectors/all.rs"]
mod all;
#[path = "vectors/check.rs"]
mod check;
mod provider;

use serde_json::Value;
use sharekey::crypto::RustCrypto as Provider;

fn committed(name: &str) -> Value {
    let path = format!("{}/spec/vectors/{name}", env!("CARGO_MANIFEST_DIR"));
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

fn cases(name: &str) -> Vec<Value> {
    committed(name)["cases"].as_array().unwrap().clone()
}

#[test]
fn keys_derivations_codes_and_messages_are_the_same() {
    cases("keys.json").iter().for_each(check::strict);
    cases("derivations.json").iter().for_each(check::derivation);
    cases("codes.json").iter().for_each(check::code);
    let file = committed("messages.json");
    file["cases"].as_array().unwrap().iter().for_each(|case| check::message(case, &file["keys"]));
}

#[test]
fn every_run_gives_the_same_replies() {
    for name in check::RUNS {
        cases(name).iter().for_each(|case| check::replay(name, case));
    }
}
