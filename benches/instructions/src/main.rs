//! Runs the counts, and prints each path's beside its floor's with the gate.
//!
//! `cargo run --release -p sharekey-instructions`; it needs valgrind and `gungraun-runner`.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a bench fails by panicking, and prints"
)]

use std::collections::BTreeMap;
use std::process::Command;

use serde_json::Value;
use sharekey_benches::table::Table;

const PATHS: [(&str, &str, Option<f64>); 6] = [
    ("grant", "bare_grant", Some(1.005)),
    ("bundle_verify", "bare_bundle", None),
    ("bundle_installed", "bare_bundle", None),
    ("unlock_verify", "bare_unlock", None),
    ("unlock_opened", "bare_unlock", None),
    ("bundle_older_session", "bare_bundle", None),
];

fn main() {
    let counts = counts();
    let columns = ["path", "ring", "floor", "ratio", "rustcrypto", "floor", "ratio"];
    let mut table = Table::new("Instructions", &columns);
    let mut gates = Table::new("Gates in instructions", &["gate", "limit", "found", ""]);
    for (path, floor, gate) in PATHS {
        let mut row = vec![path.replace('_', " ")];
        for provider in ["ring", "rustcrypto"] {
            let of = |name: &str| counts[&format!("{provider}_{name}")];
            let (path_count, floor_count) = (of(path), of(floor));
            let ratio = path_count / floor_count;
            row.extend([format!("{path_count:.0}"), format!("{floor_count:.0}"), format!("{ratio:.4}")]);
            if let Some(limit) = gate {
                let verdict = if ratio <= limit { "met" } else { "**missed**" };
                let what = format!("{provider}: {path} verify ÷ bare verify, instructions");
                gates.row(&[what, format!("≤ {limit}"), format!("{ratio:.4}"), verdict.to_owned()]);
            }
        }
        table.row(&row);
    }
    table.finish("instructions");
    gates.finish("instructions-gates");
}

/// The count of each function's run, by its name.
fn counts() -> BTreeMap<String, f64> {
    let ran = Command::new("cargo")
        .args(["bench", "--locked", "-p", "sharekey-instructions", "--bench", "instructions"])
        .args(["--", "--output-format=json"])
        // Callgrind finds where to count by the names of functions.
        .env("CARGO_PROFILE_BENCH_DEBUG", "1")
        .output()
        .expect("cargo runs");
    assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
    let printed = String::from_utf8(ran.stdout).expect("JSON is UTF-8");
    let runs = serde_json::Deserializer::from_str(&printed).into_iter::<Value>();
    runs.map(|run| {
        let run = run.expect("a summary in JSON");
        let name = run["id"].as_str().expect("a name").to_owned();
        (name, instructions(&run).expect("a count of instructions"))
    })
    .collect()
}

/// The first value under the name of callgrind's count, wherever the schema keeps it.
fn instructions(value: &Value) -> Option<f64> {
    match value {
        Value::Object(fields) => match fields.get("Ir") {
            // The new count stands first, also where an older one stands beside it.
            Some(found) => number(&found["values"]),
            None => fields.values().find_map(instructions),
        },
        Value::Array(items) => items.iter().find_map(instructions),
        _ => None,
    }
}

fn number(value: &Value) -> Option<f64> {
    match value {
        Value::Number(number) => number.as_f64(),
        Value::Object(fields) => fields.values().find_map(number),
        Value::Array(items) => items.iter().find_map(number),
        _ => None,
    }
}
