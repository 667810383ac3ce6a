//! Compiled, a grant could have limits that no lock accepts, and the guest find out at the door.

use sharekey::limits::Limits;

fn limits_by_hand(mut limits: Limits) -> Limits {
    limits.uses = Some(0); //~ E0616 uses
    limits
}

fn main() {}
