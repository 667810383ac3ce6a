//! The marked line is right; what is refused is the one before.

use sharekey::limits::Limits;

fn another_line(mut limits: Limits) -> Limits {
    limits.uses = None;
    limits //~ E0616
}

fn main() {}
