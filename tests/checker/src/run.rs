//! Searching a scenario, and saying what was searched.

use std::sync::Arc;
use std::time::{Duration, Instant};

use stateright::{Checker, HasDiscoveries, Model};

use super::reach::{Milestone, Reached};
use super::scenario::{Order, Scenario};
use super::system::{Action, State, System};
use super::world::World;

const THREADS: usize = 2;

/// What a search went through.
pub struct Searched {
    name: &'static str,
    pub states: usize,
    steps: usize,
    depth: usize,
    seconds: f64,
    /// Searched to the end, within the bounds.
    pub exhausted: bool,
    pub reached: Reached,
    /// The rules that led to another state.
    pub fired: Vec<&'static str>,
}

/// Searches these scenarios; `SHAREKEY_CHECKER_ONLY` picks those whose name has it in it. Says too whether that
/// was all of all of them, none left out and none stopped.
pub fn each(scenarios: Vec<Scenario>) -> (Vec<Searched>, bool) {
    let all = scenarios.len();
    let only = std::env::var("SHAREKEY_CHECKER_ONLY").unwrap_or_default();
    let picked = scenarios.into_iter().filter(|scenario| scenario.name.contains(&only));
    let searched: Vec<Searched> = picked.map(search).collect();
    assert!(!searched.is_empty(), "no scenario has {only:?} in its name");
    let whole = searched.len() == all && searched.iter().all(|searched| searched.exhausted);
    (searched, whole)
}

/// Searches all states of the scenario; fails where an invariant breaks. Where the search came to its end, fails
/// too if a milestone was not reached, or if not just those rules fired that the bounds allow.
fn search(scenario: Scenario) -> Searched {
    let (world, start) = World::begun(scenario);
    let world = Arc::new(world);
    let limit = std::env::var("SHAREKEY_CHECKER_SECONDS").ok().map(|limit| Duration::from_secs(limit.parse().unwrap()));
    let began = Instant::now();
    let (states, steps, depth, failures) = explore(System(Arc::clone(&world), start.clone()), limit);
    let seconds = began.elapsed().as_secs_f64();
    let exhausted = limit.is_none_or(|limit| seconds < limit.as_secs_f64());
    let fired = world.stats.table().into_iter().filter(|(_, _, fired)| *fired > 0).map(|(rule, ..)| rule).collect();
    let (name, reached) = (world.scenario.name, world.stats.all_reached());
    let searched = Searched { name, states, steps, depth, seconds, exhausted, reached, fired };
    println!("{}", searched.row());
    say(&world);
    for (name, story) in &failures {
        println!("{name} is broken:");
        story.iter().for_each(|line| println!("  {line}"));
    }
    assert!(failures.is_empty(), "{name}: {:?}", failures.first().map(|(name, _)| *name));
    judge(&world, &start, &searched);
    searched
}

/// Whether what had to happen did. A search that was stopped says what did not.
fn judge(world: &World, start: &State, searched: &Searched) {
    let (name, reach) = (searched.name, world.scenario.reach.iter());
    let missed: Vec<&Milestone> = reach.filter(|milestone| !searched.reached.has(**milestone)).collect();
    let orders = super::scenario::searched().filter(|order| world.may_order(*order, &start.net));
    let undone: Vec<Order> = orders.filter(|order| !searched.reached.has_order(*order)).collect();
    let allowed = |rule: &&str| world.allows(rule, start);
    let mut never: Vec<&str> = super::rules::RULES.into_iter().filter(allowed).collect();
    never.retain(|rule| !searched.fired.contains(rule));
    let unforeseen: Vec<&&str> = searched.fired.iter().filter(|rule| !allowed(rule)).collect();
    if !unforeseen.is_empty() {
        println!("  {unforeseen:?} fired beyond what the bounds allow");
    }
    if !searched.exhausted {
        println!("  stopped before {missed:?} was reached, {undone:?} carried out, and {never:?} fired");
        return;
    }
    assert!(missed.is_empty(), "{name}: never reached {missed:?}");
    assert!(undone.is_empty(), "{name}: never carried out {undone:?}");
    assert!(never.is_empty(), "{name}: {never:?} never fired");
}

impl Searched {
    pub const HEAD: &str =
        "| scenario | states | steps | depth | seconds | searched to the end |\n|---|---|---|---|---|---|";

    /// A row of the table in `spec/results/checker.md`.
    pub fn row(&self) -> String {
        let Self { name, states, steps, depth, seconds, exhausted, .. } = self;
        let (states, steps) = (grouped(*states), grouped(*steps));
        let end = if *exhausted { "yes" } else { "stopped" };
        format!("| {name} | {states} | {steps} | {depth} | {seconds:.1} | {end} |")
    }
}

/// Of all scenarios together: a table, and the number of states.
pub fn sum(all: &[Searched]) -> usize {
    let states = all.iter().map(|searched| searched.states).sum();
    println!("\n{}", Searched::HEAD);
    all.iter().for_each(|searched| println!("{}", searched.row()));
    println!("| in all | {} | | | | |\n", grouped(states));
    states
}

fn grouped(number: usize) -> String {
    let digits = number.to_string();
    let first = digits.len() % 3;
    digits.bytes().enumerate().fold(String::new(), |mut groups, (at, digit)| {
        if at > 0 && at % 3 == first {
            groups.push(' ');
        }
        groups.push(char::from(digit));
        groups
    })
}

type Found = (usize, usize, usize, Vec<(&'static str, Vec<String>)>);

/// Depth first needs no room for the frontier; breadth first gives the shortest story of a failure.
fn explore(system: System, limit: Option<Duration>) -> Found {
    let search = system.checker().threads(THREADS).finish_when(HasDiscoveries::AnyFailures);
    let search = match limit {
        Some(limit) => search.timeout(limit),
        None => search,
    };
    if std::env::var_os("SHAREKEY_CHECKER_SHORTEST").is_some() {
        finish(search.spawn_bfs().join())
    } else {
        finish(search.spawn_dfs().join())
    }
}

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
