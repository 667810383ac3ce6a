//! The power goes twice: during the recovery after a cut, and in the life after it.

use sharekey_model::power::{Flash, Stopped, Tear};
use sharekey_model::symbolic::Symbolic;

use crate::cuts::moments;
use sharekey_power_loss::door::{Caught, Stop, Trap};
use sharekey_power_loss::drive::{Run, Seen, cost, torn};

const WORD: usize = 8;
/// In so many moments after the first cut, the second comes at every word of every one.
const NEAR: usize = 6;
/// And later in every so many-th.
const STRIDE: usize = 17;

type Life = Run<Symbolic>;

/// Every torn state of a write, with what each recovery of it costs.
fn torn_states(stopped: &Life, caught: &Caught) -> impl Iterator<Item = Flash> {
    let whole = cost(&stopped.door.flash, caught);
    let cuts = Tear::ALL.into_iter().flat_map(move |tear| (0..=whole).map(move |words| (tear, words)));
    cuts.map(|(tear, words)| torn(&stopped.door.flash, caught, tear, words))
}

#[test]
fn a_cut_during_the_recovery_after_a_cut_leaves_before_or_after() {
    let (mut cuts, mut lives) = (0, 0);
    for moment in 0..moments::<Symbolic>(WORD) {
        let mut stopped = Life::new(WORD);
        let caught = stopped.stop_at(moment);
        let mut seen = Seen::default();
        for flash in torn_states(&stopped, &caught) {
            let (mut booted, before) = (flash.clone(), flash.spent());
            booted.boot(None).unwrap();
            for words in 0..booted.spent() - before {
                let mut run = stopped.dark_at(flash.clone());
                assert_eq!(run.door.flash.boot(Some(words)), Err(Stopped::PowerCut));
                run.door.flash.boot(None).unwrap();
                run.judge(&caught);
                cuts += 1;
                if seen.is_new(&run.door.flash) {
                    lives += 1;
                    run.live_on(None);
                }
            }
        }
    }
    println!("recovery: {cuts} cuts, {lives} lives");
    assert!(cuts > 15_000, "{cuts}");
    assert!(lives > 60, "{lives}");
}

/// Lives on from what a first cut left, up to a moment; `None` where the life ends before.
fn stop_again(stopped: &Life, caught: &Caught, flash: &Flash, moment: usize) -> Option<(Life, Caught)> {
    let mut run = stopped.dark_at(flash.clone());
    run.judge(caught);
    run.door.trap = Some(Trap::Cut(moment));
    let dark = match run.door.boot(&mut run.world) {
        Err(Stop::Cut) => true,
        Ok(()) => !run.go(),
        Err(other) => panic!("{other:?}"),
    };
    dark.then(|| {
        let caught = run.door.caught.take().unwrap();
        (run, caught)
    })
}

/// Cuts again at every word of that moment, and lives on.
fn cut_again(stopped: &Life, caught: &Caught, tally: &mut (usize, usize)) {
    let mut seen = Seen::default();
    for words in 0..=cost(&stopped.door.flash, caught) {
        let mut run = stopped.dark_at(torn(&stopped.door.flash, caught, Tear::HalfTheBits, words));
        run.door.flash.boot(None).unwrap();
        run.judge(caught);
        tally.0 += 1;
        if seen.is_new(&run.door.flash) {
            tally.1 += 1;
            run.live_on(None);
        }
    }
}

#[test]
fn a_second_cut_in_the_life_after_the_first_leaves_before_or_after() {
    let mut tally = (0, 0);
    for first in 0..moments::<Symbolic>(WORD) {
        let mut stopped = Life::new(WORD);
        let caught = stopped.stop_at(first);
        let mut seen = Seen::default();
        for mut flash in torn_states(&stopped, &caught) {
            flash.boot(None).unwrap();
            if !seen.is_new(&flash) {
                continue;
            }
            let far = (NEAR + first % STRIDE..).step_by(STRIDE);
            for second in (0..NEAR).chain(far) {
                let Some((again, caught)) = stop_again(&stopped, &caught, &flash, second) else { break };
                cut_again(&again, &caught, &mut tally);
            }
        }
    }
    println!("second cuts: {}, lives: {}", tally.0, tally.1);
    assert!(tally.0 > 10_000 && tally.1 > 1_000, "{tally:?}");
}
