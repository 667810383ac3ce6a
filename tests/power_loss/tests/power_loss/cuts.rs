//! The power goes once: after every word of every write, or between any two operations.

use std::collections::BTreeMap;

use sharekey_model::power::Tear;
use sharekey_model::symbolic::Symbolic;
use sharekey_stage::ops::Op;
use sharekey_stage::provider::Provider as Real;

use sharekey_power_loss::door::{Caught, Trap};
use sharekey_power_loss::drive::{Run, Seen, cost, torn};
use sharekey_power_loss::world::Provider;

/// What the life must contain, or the tests are vacuous: every operation, and what else is told apart.
pub fn every_operation() -> impl Iterator<Item = &'static str> {
    let forms = ["making", "install again", "install over another", "unlock, the last use", "lock"];
    Op::ALL.map(Op::name).into_iter().chain(forms)
}

/// How many moments an undisturbed life has.
pub fn moments<C: Provider>(word: usize) -> usize {
    let mut run = Run::<C>::new(word);
    assert!(run.go());
    let moments = run.door.moments;
    run.end();
    moments
}

/// What was tried.
#[derive(Default, Debug)]
pub struct Tally {
    pub cuts: usize,
    /// Lives that went on to their end.
    pub lives: usize,
    /// Cuts by operation, and how many of them came too late to undo it.
    pub by_operation: BTreeMap<&'static str, (usize, usize)>,
}

impl Tally {
    fn count(&mut self, caught: &Caught, arrived: bool) {
        let (cuts, after) = self.by_operation.entry(caught.intent.name).or_default();
        (*cuts, *after) = (*cuts + 1, *after + usize::from(arrived));
        self.cuts += 1;
    }
}

/// Cuts the power at every word of the write of one moment, and lives on from whatever that left.
fn cut_everywhere<C: Provider>(moment: usize, word: usize, tears: &[Tear], tally: &mut Tally) {
    let mut stopped = Run::<C>::new(word);
    let caught = stopped.stop_at(moment);
    let (whole, mut seen) = (cost(&stopped.door.flash, &caught), Seen::default());
    for tear in tears {
        for words in 0..=whole {
            let mut run = stopped.dark_at(torn(&stopped.door.flash, &caught, *tear, words));
            run.door.flash.boot(None).unwrap();
            let arrived = run.judge(&caught);
            assert!(words > 0 || caught.record.is_none() || !arrived, "there before it was written");
            assert!(words < whole || caught.record.is_none() || arrived, "lost after it was written");
            tally.count(&caught, arrived);
            if seen.is_new(&run.door.flash) {
                tally.lives += 1;
                run.fork().probe();
                run.live_on(stopped.door.request.as_ref());
            }
        }
    }
}

fn cut_every_moment<C: Provider>(word: usize, tears: &[Tear]) -> Tally {
    let mut tally = Tally::default();
    for moment in 0..moments::<C>(word) {
        cut_everywhere::<C>(moment, word, tears, &mut tally);
    }
    for operation in every_operation() {
        assert!(tally.by_operation.contains_key(operation), "no {operation}");
    }
    println!("words of {word}: {} cuts, {} lives", tally.cuts, tally.lives);
    for (operation, (cuts, after)) in &tally.by_operation {
        println!("  {operation}: {cuts} cuts, {after} of them after");
    }
    tally
}

#[test]
fn a_cut_after_every_byte_of_every_write_leaves_before_or_after() {
    let tally = cut_every_moment::<Symbolic>(1, &Tear::ALL);
    assert!(tally.cuts > 19_000, "{}", tally.cuts);
}

#[test]
fn a_cut_after_every_word_leaves_before_or_after_with_real_keys() {
    let tally = cut_every_moment::<Real>(8, &[Tear::HalfTheBits]);
    assert!(tally.cuts > 900, "{}", tally.cuts);
}

#[test]
fn a_cut_between_any_two_operations_leaves_the_lock_as_it_was() {
    let all = moments::<Symbolic>(4);
    for moment in 0..all {
        let mut run = Run::<Symbolic>::new(4);
        run.door.trap = Some(Trap::Before(moment));
        assert!(run.go());
        run.end();
    }
    println!("between: {all} lives");
    assert!(all >= 100, "{all}");
}
