//! The life of a lock on simulated flash, whose power goes again and again: in the middle of a write, before one, in
//! the recovery after a cut; and whose writes fail while it stays. Words, tears and moments are the fuzzer's. After
//! each cut the flash is as before or as after, and every honest party then gets to the end of the life.

use sharekey_model::power::{Failure, Keeping, Stopped, Tear};
use sharekey_model::symbolic::Symbolic;

use crate::choices::Choices;
use sharekey_power_loss::door::{Caught, Door, Entropy, Stop, Trap};
use sharekey_power_loss::drive::{Run, cost, torn};
use sharekey_power_loss::fates::Fate;

type Life = Run<Symbolic>;

/// A life has no more cuts than this.
const CUTS: usize = 12;

pub fn run(data: &[u8]) {
    let mut choices = Choices::new(data);
    let mut life = Life::on(Keeping::TwoPages, choices.pick(&[8, 4, 1, 2, 16]));
    life.door.entropy = entropy(&mut choices);
    for _ in 0..CUTS {
        if !choices.more() {
            break;
        }
        life.door.trap = Some(trap(&mut choices));
        let Some(caught) = stop(&mut life) else { break };
        life = after(&life, &caught, &mut choices);
    }
    life.door.trap = None;
    assert!(stop(&mut life).is_none(), "there is no trap");
    life.end();
}

fn entropy(choices: &mut Choices<'_>) -> Entropy {
    let sound = sharekey_power_loss::door::entropy(sharekey_stage::rng(choices.any()));
    if choices.any() { Entropy::Broken } else { sound }
}

/// Moments count from the last cut on.
fn trap(choices: &mut Choices<'_>) -> Trap {
    let moment = usize::from(choices.any::<u8>() % 160);
    match choices.any::<u8>() {
        0..=191 => Trap::Cut(moment),
        192..=207 => Trap::Before(moment),
        _ => Trap::Fate(moment, fate(choices)),
    }
}

fn fate(choices: &mut Choices<'_>) -> Fate {
    let failure = match choices.below(3) {
        0 => Failure::Before,
        1 => Failure::After,
        _ => Failure::Partway(choices.any::<u8>().into()),
    };
    let written = choices.any();
    match choices.below(8) {
        0 => Fate::Fails(failure),
        1 => Fate::Cancelled(failure),
        2 => Fate::Lost { written },
        3 => Fate::Late { written },
        4 => Fate::AfterBoot { written },
        5 => Fate::Dropped,
        6 => Fate::Detached,
        _ => Fate::Abandoned,
    }
}

/// Lives on to where the power goes; nothing where the life ends before.
fn stop(life: &mut Life) -> Option<Caught> {
    if life.door.lock.is_none() {
        match life.door.boot(&mut life.world) {
            Err(Stop::Cut) => return life.door.caught.take(),
            Ok(()) => {}
            Err(other) => panic!("{other:?}"),
        }
    }
    if life.go() { None } else { life.door.caught.take() }
}

/// What the cut leaves, after a boot that may be cut some times itself.
fn after(life: &Life, caught: &Caught, choices: &mut Choices<'_>) -> Life {
    let Run { door: Door { flash, .. }, .. } = life;
    let whole = cost(flash, caught);
    let words = u64::from(choices.any::<u16>()) % (whole + 1);
    let mut flash = torn(flash, caught, choices.pick(&Tear::ALL), words);
    for _ in 0..choices.any::<u8>() / 64 {
        let mut booted = flash.clone();
        booted.boot(None).unwrap();
        let whole = booted.spent() - flash.spent();
        if whole == 0 {
            break;
        }
        let fuel = u64::from(choices.any::<u8>()) % whole;
        assert_eq!(flash.boot(Some(fuel)), Err(Stopped::PowerCut));
    }
    flash.boot(None).unwrap();
    let mut next = life.dark_at(flash);
    let arrived = next.judge(caught);
    assert!(words > 0 || caught.record.is_none() || !arrived, "there before it was written");
    assert!(words < whole || caught.record.is_none() || arrived, "lost after it was written");
    next
}
