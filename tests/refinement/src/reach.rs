//! What a run reached: a run that saw nothing of interest must fail.

use std::cell::RefCell;
use std::collections::BTreeMap;

use proptest::strategy::Strategy;
use proptest::test_runner::{Config, TestRunner};

thread_local! {
    /// Nothing is kept where nobody asks: fuzzing is in a hurry.
    static REACHED: RefCell<Option<BTreeMap<String, u64>>> = const { RefCell::new(None) };
}

/// Notes that something happened.
pub fn note(what: impl Into<String>) {
    REACHED.with_borrow_mut(|reached| {
        if let Some(reached) = reached {
            *reached.entry(what.into()).or_default() += 1;
        }
    });
}

/// Runs a property this many times (or as many as PROPTEST_CASES says), then demands that each of these
/// was noted at least so often for every hundred cases, and anyway once. Of a run that is too short for
/// that, nothing is demanded.
pub fn run<S: Strategy>(cases: u32, strategy: &S, wanted: &[(&str, u64)], test: impl Fn(S::Value)) {
    REACHED.set(Some(BTreeMap::new()));
    let asked = std::env::var("PROPTEST_CASES").ok().and_then(|asked| asked.parse().ok());
    let run = asked.unwrap_or(cases);
    // PROPTEST_MAX_SHRINK_ITERS and the other variables of proptest hold too.
    let config = Config { cases: run, failure_persistence: None, ..Config::default() };
    TestRunner::new(config)
        .run(strategy, |value| {
            test(value);
            Ok(())
        })
        .unwrap_or_else(|failed| panic!("{failed}"));
    let reached = REACHED.take().unwrap_or_default();
    if std::env::var_os("REACHED").is_some() {
        reached.iter().for_each(|(what, times)| eprintln!("{times:>9}  {what}"));
    }
    if run < cases {
        return;
    }
    for (what, per_hundred) in wanted {
        let times = reached.get(*what).copied().unwrap_or_default();
        let least = (per_hundred * u64::from(run) / 100).max(1);
        assert!(times >= least, "{what} was reached {times} times in {run} cases, of at least {least}");
    }
}
