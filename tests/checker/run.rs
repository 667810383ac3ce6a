//! Searching a scenario, and saying what was searched.

use std::sync::Arc;
use std::time::Instant;

use stateright::{Checker, HasDiscoveries, Model};

use super::scenario::Scenario;
use super::system::{Action, State, System};
use super::world::World;

const THREADS: usize = 2;

/// Searches all states of the scenario; fails where an invariant breaks, or a milestone is not reached.
pub fn search(scenario: Scenario) -> usize {
    let world = Arc::new(World::new(scenario));
    let began = Instant::now();
    let search = System(Arc::clone(&world)).checker().threads(THREADS).finish_when(HasDiscoveries::AnyFailures);
    let search = match std::env::var("SHAREKEY_CHECKER_SECONDS") {
        Ok(seconds) => search.timeout(std::time::Duration::from_secs(seconds.parse().unwrap())),
        Err(_) => search,
    };
    // Depth first needs no room for the frontier; breadth first gives the shortest story of a failure.
    let (unique, generated, depth, failures) = if std::env::var_os("SHAREKEY_CHECKER_SHORTEST").is_some() {
        finish(search.spawn_bfs().join())
    } else {
        finish(search.spawn_dfs().join())
    };
    let limit = std::env::var("SHAREKEY_CHECKER_SECONDS").ok().map(|seconds| seconds.parse::<f64>().unwrap());
    let timed_out = limit.is_some_and(|limit| began.elapsed().as_secs_f64() >= limit);
    let stopped = if timed_out { " (stopped)" } else { "" };
    println!(
        "{}{stopped}: {unique} states, {generated} steps, depth {depth}, {:.1} s",
        world.scenario.name,
        began.elapsed().as_secs_f64()
    );
    say(&world);
    for (name, story) in &failures {
        println!("{name} is broken:");
        story.iter().for_each(|line| println!("  {line}"));
    }
    assert!(failures.is_empty(), "{}: {:?}", world.scenario.name, failures.first().map(|(name, _)| *name));
    let missed: Vec<_> = world.scenario.reach.iter().filter(|milestone| !world.stats.has(**milestone)).collect();
    assert!(timed_out || missed.is_empty(), "{}: never reached {missed:?}", world.scenario.name);
    unique
}

type Found = (usize, usize, usize, Vec<(&'static str, Vec<String>)>);

fn finish(checker: impl Checker<System>) -> Found {
    let failures = checker.discoveries().into_iter().map(|(name, path)| {
        let world = &checker.model().0;
        let last = path.last_state().clone();
        let mut story: Vec<String> = path.into_actions().iter().map(describe).collect();
        story.push(why(world, &last));
        (name, story)
    });
    let failures = failures.collect();
    (checker.unique_state_count(), checker.state_count(), checker.max_depth(), failures)
}

fn describe(action: &Action) -> String {
    format!("{:?} {:?}", action.who, action.input)
}

fn why(world: &World, state: &State) -> String {
    match (state.fault, world.judge_views(state), world.progress(state)) {
        (Some(fault), ..) => fault.to_string(),
        (None, Err(fault), _) => fault.to_string(),
        (None, Ok(()), Err(stuck)) => format!("Progress: {stuck}"),
        _ => String::from("nothing is wrong any more"),
    }
}

/// How much was behind the states, and how often each rule was tried and led to another state.
fn say(world: &World) {
    println!(
        "  locks {}, services {}, phones {}, ledgers {}, computed steps {}, honest runs {}",
        world.locks.len(),
        world.clouds.len(),
        world.phones.len(),
        world.ledgers.len(),
        world.steps.len(),
        world.progressed.len()
    );
    for (rule, tried, fired) in world.stats.table() {
        if tried > 0 {
            println!("  {rule:<16} tried {tried:>12}, fired {fired:>12}");
        }
    }
}
