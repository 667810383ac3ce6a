//! Operations on a lock by owners, guests, services, whoever holds the card, and an attacker who replays, mixes and
//! spoils; with power cuts by fuel. The reference model decides what must come of each step; the adapter of
//! `tests/refinement` compares results, answers, records and everything that the lock says of itself, and the ledger
//! judges the invariants.

mod choose;
mod send;

use proptest_state_machine::{ReferenceStateMachine as _, StateMachineTest as _};
use sharekey::lock::COUNTER_LEASE;
use sharekey_model::state::{Ending, Verdict};
use sharekey_model::symbolic::Symbolic;

use crate::choices::Choices;
use sharekey_refinement::lock::machine::Start;
use sharekey_refinement::lock::steps::Step;
use sharekey_refinement::lock::{Door, Machine};

/// A history is no longer than this.
const STEPS: usize = 120;

pub fn run(data: &[u8]) {
    let mut choices = Choices::new(data);
    let mut machine = Machine::new(start(&mut choices), true);
    let mut door = Door::<Symbolic>::init_test(&machine);
    let mut power = Power::new(&mut choices);
    for _ in 0..STEPS {
        if !choices.more() {
            break;
        }
        let step = power.around(choose::step(&mut choices, &machine));
        if !Machine::preconditions(&machine, &step) {
            continue;
        }
        machine = Machine::apply(machine, &step);
        power.spend(&machine, &step, &mut choices);
        door = Door::apply(door, &machine, step);
    }
}

fn start(choices: &mut Choices<'_>) -> Start {
    let edges = [
        (Some(1), 0),
        (None, 0),
        (Some(u32::MAX - 1), COUNTER_LEASE * 1_000),
        (Some(u32::MAX), u64::MAX - COUNTER_LEASE),
        (Some(1), u64::MAX - 3 * COUNTER_LEASE),
        (Some(1), u64::MAX),
    ];
    let (owned, ceiling) = edges[usize::from(choices.any::<u8>() / 32).saturating_sub(2)];
    Start { owned, ceiling }
}

/// After so many writes the power goes, before or after the record is stored.
struct Power {
    writes: u8,
    stored: bool,
    dark: bool,
}

impl Power {
    fn new(choices: &mut Choices<'_>) -> Self {
        let (writes, stored) = choices.any();
        Self { writes, stored, dark: false }
    }

    /// The step that really happens: a boot after the power went; one whose write fails when it goes.
    fn around(&self, step: Step) -> Step {
        let failing = Ending::Fail { written: self.stored };
        match step {
            _ if self.dark => Step::Boot { reads: std::collections::BTreeMap::new() },
            Step::Challenge { purpose, .. } if self.writes == 0 => Step::Challenge { purpose, ending: failing },
            Step::Send { session, sent, .. } if self.writes == 0 => Step::Send { session, sent, ending: failing },
            other => other,
        }
    }

    fn spend(&mut self, machine: &Machine, step: &Step, choices: &mut Choices<'_>) {
        self.dark = false;
        let wrote = matches!(machine.verdict, Some(Verdict::Accepted { record: Some(_), .. }));
        if !wrote || !matches!(step, Step::Challenge { .. } | Step::Send { .. }) {
            return;
        }
        if self.writes == 0 {
            *self = Self { dark: true, ..Self::new(choices) };
        } else {
            self.writes -= 1;
        }
    }
}
