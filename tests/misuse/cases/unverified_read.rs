//! Compiled, what a forged grant says would be believed.

use sharekey::crypto::PublicKey;
use sharekey::message::Grant;
use sharekey::wire::Unverified;

fn unverified_read(grant: &Unverified<'_, Grant>) -> PublicKey {
    grant.subject //~ E0609 subject
}

fn main() {}
