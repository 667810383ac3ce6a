//! Exhaustive search: the shipping owner, guest, service and lock over the symbolic provider, under an
//! attacker who owns the network.
#![cfg(test)]
#![allow(
    clippy::arithmetic_side_effects,
    clippy::as_conversions,
    clippy::enum_glob_use,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a test fails by panicking, and says what it searched"
)]

mod actions;
mod cast;
mod cloud;
mod findings;
mod guest;
mod handovers;
mod intern;
mod kept;
mod lock;
mod lock_steps;
mod net;
mod phone;
mod progress;
mod reach;
mod rules;
mod run;
mod scenario;
mod scenarios;
mod start;
mod system;
mod takeover;
mod world;

/// Enough for what has to be explored with every `cargo test`, and by CI.
const AT_LEAST: usize = 1_000_000;
const IN_FULL: usize = 3_600_000;

/// What the campaign has to explore, unless its scenarios end before that.
const CAMPAIGN: usize = 100_000_000;

/// The scenarios that are searched to the end within seconds. Each has to reach what it names, and to fire the rules
/// that its bounds allow; what no single scenario has to do is asked of all of them below.
#[test]
fn every_quick_scenario_within_its_bounds() {
    let (all, whole) = run::each(scenarios::quick());
    let states = run::sum(&all);
    assert!(!whole || states >= AT_LEAST, "{states} states are too few");
}

/// Under a minute of two cores; CI runs it: `cargo test -p sharekey-checker -- --ignored every_scenario`.
#[test]
#[ignore = "the full bound, a minute: CI runs it"]
fn every_scenario_within_its_bounds() {
    let (all, whole) = run::each(scenarios::all());
    let states = run::sum(&all);
    if !whole {
        return;
    }
    assert!(states >= IN_FULL, "{states} states are too few");
    let never: Vec<_> =
        rules::RULES.iter().filter(|rule| !all.iter().any(|searched| searched.fired.contains(rule))).collect();
    assert!(never.is_empty(), "no scenario saw {never:?} fire");
    let reached = all.iter().fold(reach::Reached::default(), |reached, searched| reached.and(searched.reached));
    let missed: Vec<_> = reach::Milestone::ALL.iter().filter(|milestone| !reached.has(**milestone)).collect();
    assert!(missed.is_empty(), "no scenario reached {missed:?}");
}

/// Hours. `SHAREKEY_CHECKER_SECONDS` stops each scenario after so long.
#[test]
#[ignore = "takes hours"]
fn campaign() {
    let (all, whole) = run::each(scenarios::campaign());
    let states = run::sum(&all);
    let ended = whole && all.iter().all(|searched| searched.exhausted);
    assert!(states >= CAMPAIGN || ended, "{states} states are too few, and not all was searched to the end");
}
