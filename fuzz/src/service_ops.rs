//! One slot at the service and at two phones of its owner: what phones sign, what guests claim, what the lock proves;
//! late, repeated, contradicting and spoilt; with numbers near what is known and near the end of the line. The models
//! decide; the adapter of `tests/refinement` compares record, views, answers and evidence after each step.

mod choose;

use proptest_state_machine::{ReferenceStateMachine as _, StateMachineTest as _};
use sharekey_model::symbolic::Symbolic;

use crate::choices::Choices;
use sharekey_refinement::share::{Cloud, Machine};

/// A history is no longer than this.
const STEPS: usize = 120;

pub fn run(data: &[u8]) {
    let mut choices = Choices::new(data);
    let mut machine = Machine::new(true);
    let mut cloud = Cloud::<Symbolic>::init_test(&machine);
    for _ in 0..STEPS {
        if !choices.more() {
            break;
        }
        let step = choose::step(&mut choices, &machine);
        machine = Machine::apply(machine, &step);
        cloud = Cloud::apply(cloud, &machine, step);
    }
}
