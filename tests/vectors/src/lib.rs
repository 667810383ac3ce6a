//! The test vectors: each file as a value, made from the crate alone, the same in every run.
#![allow(missing_docs, missing_debug_implementations, reason = "the parts of a program")]
#![allow(
    clippy::arithmetic_side_effects,
    clippy::as_conversions,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a program for tests fails by panicking"
)]

use std::path::PathBuf;
use std::sync::LazyLock;

use serde_json::{Value, json};
pub use sharekey_peer as peer;
use sharekey_stage::{forge, provider};

pub mod bad;
pub mod bench;
pub mod check;
pub mod codes;
pub mod command;
pub mod contacts;
pub mod decode;
pub mod derive;
pub mod desk;
pub mod dump;
pub mod errors;
pub mod guest;
pub mod install;
pub mod install_rules;
pub mod keys;
pub mod limits;
pub mod lock_state;
mod lock_ticks;
pub mod messages;
pub mod named;
pub mod owner;
pub mod owner_learn;
pub mod owner_report;
pub mod provision;
pub mod records;
mod sample_reports;
pub mod samples;
pub mod scene;
pub mod service;
pub mod service_prove;
pub mod service_report;
pub mod service_rows;
mod service_share;
pub mod slots;
pub mod story;
pub mod strict;
pub mod tables;
pub mod text;
pub mod unlock;

/// Where the text and the files are.
pub fn spec() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../spec")
}

/// Every file: its name, and what is in it.
pub fn files() -> &'static [(&'static str, Value)] {
    static FILES: LazyLock<Vec<(&str, Value)>> = LazyLock::new(made);
    &FILES
}

fn made() -> Vec<(&'static str, Value)> {
    vec![
        ("messages.json", messages::file()),
        ("codes.json", codes::file()),
        ("contacts.json", contacts::file()),
        ("decode_errors.json", decode::file()),
        ("keys.json", strict::file()),
        ("derivations.json", derive::file()),
        ("records.json", records::file()),
        ("limits.json", limits::file()),
        ("install_errors.json", install::file()),
        ("unlock_errors.json", unlock::file()),
        ("command_errors.json", command::file()),
        ("provision_errors.json", provision::provision_file()),
        ("reset_errors.json", provision::reset_file()),
        ("service_errors.json", service::file()),
        ("guest_errors.json", guest::file()),
        ("owner_errors.json", owner::file()),
        ("slot.json", slots::file()),
        ("conversations.json", story::file()),
    ]
}

/// The page of the files with the number of cases of each.
pub fn counted(page: &str) -> String {
    let row = |line: &str| {
        let of = files().iter().find(|(name, _)| line.starts_with(&format!("| [{name}]({name}) |")))?;
        let mut cells: Vec<String> = line.split('|').map(str::to_owned).collect();
        cells[2] = format!(" {} ", of.1["number_of_cases"]);
        Some(cells.join("|"))
    };
    page.lines().map(|line| row(line).unwrap_or_else(|| line.to_owned()) + "\n").collect()
}

/// A file: what it is about, what its cases share, and its cases, each with a name of its own.
fn file(about: &str, shared: Value, cases: Vec<Value>) -> Value {
    let mut names: Vec<&str> = cases.iter().map(|case| case["name"].as_str().unwrap()).collect();
    names.sort_unstable();
    for pair in names.windows(2) {
        assert_ne!(pair[0], pair[1], "two cases of one name");
    }
    let mut file = json!({
        "about": about,
        "protocol": 1,
        "warning": "Every key and secret here is for tests only, and known to everybody.",
        "number_of_cases": cases.len(),
    });
    for (name, value) in shared.as_object().unwrap() {
        file[name] = value.clone();
    }
    file["cases"] = cases.into();
    file
}
