//! Compiled, the number after the last would be 0, and every key of the past newer than it.

use sharekey::counter::Generation;

fn number_wraps(last: Generation) -> Generation {
    last + 1 //~ E0369
}

fn main() {}
