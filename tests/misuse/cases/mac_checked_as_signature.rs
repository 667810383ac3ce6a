//! Compiled, a tag would be taken for a signature, under a key that everybody knows.

use sharekey::crypto::{PublicKey, Verify};
use sharekey::message::Unlock;
use sharekey::wire::Unverified;

fn mac_checked_as_signature(unlock: Unverified<'_, Unlock>, crypto: &impl Verify, device: &PublicKey) {
    let _ = unlock.verify(crypto, device); //~ E0599 verify
}

fn main() {}
