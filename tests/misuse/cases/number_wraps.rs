//! Compiled, the number after the last would be 0, and every key of the past newer than it.

use sharekey::counter::Generation;

fn number_wraps(last: Generation) -> Generation {
    core::ops::Add::<u32>::add(last, 1)
}

fn main() {}
