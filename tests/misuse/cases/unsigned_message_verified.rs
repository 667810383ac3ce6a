//! Compiled, a challenge, which nobody signs, would seem to be the lock's.

use sharekey::crypto::{PublicKey, Verify};
use sharekey::message::Challenge;
use sharekey::wire::Unverified;

fn unsigned_message_verified(challenge: Unverified<'_, Challenge>, crypto: &impl Verify, lock: &PublicKey) {
    let _ = challenge.verify(crypto, lock); //~ E0599 verify
}

fn main() {}
