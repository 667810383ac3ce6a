//! Compiled, a grant would say something else than what was signed.

use sharekey::limits::Limits;
use sharekey::message::Grant;
use sharekey::wire::Verified;

fn verified_altered(grant: &mut Verified<'_, Grant>) {
    grant.limits = Limits::NONE; //~ E0594
}

fn main() {}
