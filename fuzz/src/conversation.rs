//! An honest run of all roles, with one message altered, cut, lengthened or replaced by an earlier one. What was
//! altered is refused with an error that names that message, and an earlier one is refused or changes nothing that
//! matters: the same step, taken again, goes through, and so does the rest of the run.

mod air;
mod fault;
mod story;

pub fn run(data: &[u8]) {
    let _kept = story::World::new(air::Air::new(data)).live();
}

/// What the roles store in the course of an undisturbed run, each with the target that reads it.
pub fn kept() -> Vec<(&'static str, Vec<u8>)> {
    story::World::new(air::Air::new(&[])).live()
}
