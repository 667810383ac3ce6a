//! Exhaustive search: the shipping owner, guest, service and lock over the symbolic provider, under an
//! attacker who owns the network.
#![allow(unreachable_pub, reason = "the modules of one test")]
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

#[path = "checker/actions.rs"]
mod actions;
#[path = "checker/cast.rs"]
mod cast;
#[path = "checker/cloud.rs"]
mod cloud;
#[path = "checker/findings.rs"]
mod findings;
#[path = "checker/guest.rs"]
mod guest;
#[path = "checker/intern.rs"]
mod intern;
#[path = "checker/lock.rs"]
mod lock;
#[path = "checker/lock_steps.rs"]
mod lock_steps;
#[path = "checker/net.rs"]
mod net;
#[path = "checker/phone.rs"]
mod phone;
#[path = "checker/progress.rs"]
mod progress;
#[path = "checker/reach.rs"]
mod reach;
#[path = "checker/rules.rs"]
mod rules;
#[path = "checker/run.rs"]
mod run;
#[path = "checker/scenario.rs"]
mod scenario;
#[path = "checker/scenarios.rs"]
mod scenarios;
#[path = "checker/start.rs"]
mod start;
#[path = "checker/system.rs"]
mod system;
#[path = "checker/takeover.rs"]
mod takeover;
#[path = "checker/world.rs"]
mod world;

/// Enough for what has to be explored in every test run.
const AT_LEAST: usize = 1_000_000;

/// What the campaign has to explore, unless its scenarios end before that.
const CAMPAIGN: usize = 100_000_000;

#[test]
fn every_scenario_within_its_bounds() {
    let (all, whole) = run::each(scenarios::all());
    let states = run::sum(&all);
    if !whole {
        return;
    }
    assert!(states >= AT_LEAST, "{states} states are too few");
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
