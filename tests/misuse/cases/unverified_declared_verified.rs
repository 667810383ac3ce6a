//! Compiled, a signature would be a matter of trust.

use sharekey::message::Grant;
use sharekey::wire::{Unverified, Verified};

fn unverified_declared_verified(grant: Unverified<'_, Grant>) -> Verified<'_, Grant> {
    grant.verified() //~ E0624 verified
}

fn main() {}
