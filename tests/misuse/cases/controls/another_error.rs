//! The lock's field is private, which is another reason than the marked one.

use sharekey::limits::Limits;

fn another_error(mut limits: Limits) {
    limits.uses = None; //~ E0599 uses
}

fn main() {}
