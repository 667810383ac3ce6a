//! Writes that go wrong while the power stays: every moment of the life meets every fate.

use std::collections::BTreeMap;

use sharekey_model::power::Failure;
use sharekey_model::symbolic::Symbolic;

use crate::cuts::{every_operation, moments};
use sharekey_power_loss::door::Trap;
use sharekey_power_loss::drive::{Run, cost};
use sharekey_power_loss::fates::Fate;

const WORD: usize = 8;

/// Nothing, everything, and some of the words between: around the mark that makes the copy count, too.
fn failures(whole: u64) -> Vec<Failure> {
    let step = usize::try_from(whole / 6).unwrap().max(1);
    let partway = (0..=whole).step_by(step).map(Failure::Partway);
    [Failure::Before, Failure::After].into_iter().chain(partway).collect()
}

fn fates(whole: u64) -> Vec<Fate> {
    let failures = failures(whole);
    let fails = failures.iter().copied().map(Fate::Fails);
    let cancelled = failures.iter().copied().map(Fate::Cancelled);
    let both = [false, true];
    let lost = both.map(|written| Fate::Lost { written });
    let late = both.map(|written| Fate::Late { written });
    let after = both.map(|written| Fate::AfterBoot { written });
    let rest = [Fate::Dropped, Fate::Detached, Fate::Abandoned];
    fails.chain(cancelled).chain(lost).chain(late).chain(after).chain(rest).collect()
}

#[test]
fn a_write_that_fails_is_cancelled_or_is_reported_late_leaves_before_or_after() {
    let mut met: BTreeMap<&str, usize> = BTreeMap::new();
    for moment in 0..moments::<Symbolic>(WORD) {
        let mut stopped = Run::<Symbolic>::new(WORD);
        let caught = stopped.stop_at(moment);
        for fate in fates(cost(&stopped.door.flash, &caught)) {
            let mut run = Run::<Symbolic>::new(WORD);
            run.door.trap = Some(Trap::Fate(moment, fate));
            assert!(run.go());
            assert_eq!(run.door.trap, None, "{moment} was not met");
            run.end();
            *met.entry(caught.intent.name).or_default() += 1;
        }
    }
    println!("fates met: {met:?}");
    assert!(every_operation().all(|operation| met.get(operation).is_some_and(|met| *met >= 10)), "{met:?}");
    assert!(met.values().sum::<usize>() > 1_500, "{met:?}");
}
