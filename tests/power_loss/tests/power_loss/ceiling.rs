//! The challenge that reaches the counter's ceiling in the middle of a run.

use sharekey_model::power::{Failure, Tear};
use sharekey_model::symbolic::Symbolic;
use sharekey_stage::ops::{For, Op};

use sharekey_power_loss::door::{Stop, Trap};
use sharekey_power_loss::drive::{Run, Seen, cost, torn};
use sharekey_power_loss::fates::Fate;
use sharekey_power_loss::script::LIFE;

const WORD: usize = 4;

/// A life half-way, whose next challenge is the first above the ceiling.
fn at_the_ceiling() -> Run<Symbolic> {
    let mut run = Run::new(WORD);
    assert!(run.go_to(LIFE.len() / 2));
    let Run { world, door } = &mut run;
    while door.next < world.facts().ceiling {
        let _ = door.challenge_quietly(world);
    }
    run
}

#[test]
fn a_cut_while_the_ceiling_is_raised_repeats_no_number() {
    let mut run = at_the_ceiling();
    run.door.trap = Some(Trap::Cut(run.door.moments));
    let given = run.door.challenge(&mut run.world, For::Operate);
    assert_eq!(given.err(), Some(Stop::Cut));
    let caught = run.door.caught.take().unwrap();
    assert_eq!(caught.intent.name, Op::Lease.name());
    let (mut seen, mut cuts, mut lives) = (Seen::default(), 0, 0);
    for tear in Tear::ALL {
        for words in 0..=cost(&run.door.flash, &caught) {
            let mut cut = run.dark_at(torn(&run.door.flash, &caught, tear, words));
            cut.door.flash.boot(None).unwrap();
            cut.judge(&caught);
            cuts += 1;
            if seen.is_new(&cut.door.flash) {
                lives += 1;
                cut.live_on(None);
            }
        }
    }
    println!("ceiling: {cuts} cuts, {lives} lives");
    assert!(cuts > 60 && lives >= 2, "{cuts} {lives}");
}

#[test]
fn a_failed_write_of_the_ceiling_repeats_no_number() {
    for fate in
        [Fate::Fails(Failure::Before), Fate::Fails(Failure::After), Fate::Lost { written: true }, Fate::Detached]
    {
        let mut run = at_the_ceiling();
        run.door.trap = Some(Trap::Fate(run.door.moments, fate));
        let given = run.door.challenge(&mut run.world, For::Operate);
        assert_eq!(given.is_ok(), fate == Fate::Detached);
        assert!(run.go());
        run.end();
    }
}
