//! The power of the running firmware is cut in the middle of operations: QEMU is killed, and started
//! again on the same flash.
//!
//! After each cut the lock itself says what it holds ([`World::examine`]): the state before the
//! operation or the one after it, and after it where the answer had come. Then keys that are dead try
//! to open, keys that live try to lock, and what was accepted before is sent again.

use std::collections::BTreeMap;
use std::time::Duration;

use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::{Rng, SeedableRng as _};

use super::machine::{Firmware, Moment};
use super::{Outcome, ensure};

mod ledger;
mod operation;
mod tally;
mod world;

use self::operation::Operation;
pub use self::tally::Tally;
use self::world::World;

/// A run of cuts.
#[derive(Clone, Copy, Debug)]
pub struct Plan {
    /// How many.
    pub cuts: usize,
    /// Of the moments and the operations. Which instruction a cut falls on is up to the host's clock.
    pub seed: u64,
}

/// Cuts the power as planned.
///
/// # Errors
/// The first thing that does not hold.
pub fn run(firmware: Firmware, plan: Plan) -> Outcome<Tally> {
    let mut dice = Dice { rng: ChaCha20Rng::seed_from_u64(plan.seed), typical: BTreeMap::new() };
    let mut world = World::new(firmware)?;
    let mut tally = Tally::default();
    for number in 1..=plan.cuts {
        let operation = Operation::draw(&mut dice, &world);
        one_cut(&mut world, &mut dice, operation, &mut tally)
            .map_err(|error| format!("cut {number} of seed {}, {operation:?}: {error}", plan.seed))?;
        if number % 25 == 0 {
            println!("    {number} cuts: {tally}");
        }
    }
    world.use_up()?;
    tally.finish(&world);
    ensure(tally.cuts == plan.cuts, || "not every cut was made".into())?;
    Ok(tally)
}

fn one_cut(world: &mut World, dice: &mut Dice, operation: Operation, tally: &mut Tally) -> Outcome<()> {
    let moment = dice.moment(operation, world);
    let cut = world.interrupt(operation, moment)?;
    if cut.answer.is_some() {
        dice.typical.insert(operation.name(), cut.took);
    }
    if dice.one_in(4) {
        // And once more while it boots, or makes a lock.
        world.machine.boot_and_cut(dice.time(Duration::from_millis(200)))?;
        tally.at_boot += 1;
    }
    world.machine.break_entropy(dice.one_in(4))?;
    world.machine.boot()?;
    let after = world.examine(operation, &cut)?;
    tally.count(operation, &cut, after);
    // The rest of the world's life needs good keys.
    world.machine.break_entropy(false)?;
    Ok(())
}

/// What is random of a run.
struct Dice {
    rng: ChaCha20Rng,
    /// How long an operation took when it was last answered.
    typical: BTreeMap<&'static str, Duration>,
}

impl Dice {
    pub fn below(&mut self, bound: u64) -> u64 {
        self.rng.next_u64() % bound
    }

    pub fn one_in(&mut self, chances: u64) -> bool {
        self.below(chances) == 0
    }

    fn time(&mut self, below: Duration) -> Duration {
        Duration::from_micros(self.below(u64::try_from(below.as_micros()).unwrap_or(u64::MAX)))
    }

    /// A third of the cuts fall anywhere in the operation, the others into its writes, where it has any.
    fn moment(&mut self, operation: Operation, world: &World) -> Moment {
        match operation.words(world) {
            Some(words) if !self.one_in(3) => Moment::Words(1 + self.below(words) as usize),
            _ => {
                let typical = self.typical.get(operation.name()).copied();
                Moment::After(self.time(typical.unwrap_or(Duration::from_millis(30))))
            }
        }
    }
}
