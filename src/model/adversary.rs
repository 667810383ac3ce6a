//! What an attacker can make from the keys that it holds: any message, signed or under a MAC by hand, and
//! any bundle out of parts that it saw.
//!
//! Nothing here decides: which keys the attacker holds and which messages it knows, the harness says.

use alloc::vec::Vec;

use super::symbolic::Symbolic;
use crate::crypto::{Signature, Signer, Tag};
use crate::error::SealError;
use crate::message::Bundle;
use crate::secret::Seed;
use crate::wire::{self, Message};

/// The message, signed with the key that `seed` stands for.
///
/// # Errors
/// [`SealError`], where the message has no encoding.
pub fn signed<T: Message<Auth = Signature>>(body: &T, seed: &Seed) -> Result<Vec<u8>, SealError> {
    let signer = Signer::from_seed(&Symbolic, seed)?;
    wire::seal(&Symbolic, &signer, body).map(|message| Vec::from(message.as_bytes()))
}

/// The message, under a MAC with `key`.
///
/// # Errors
/// [`SealError`], where the message has no encoding.
pub fn tagged<T: Message<Auth = Tag>>(body: &T, key: &[u8]) -> Result<Vec<u8>, SealError> {
    wire::seal_mac(&Symbolic, key, body).map(|(message, _)| Vec::from(message.as_bytes()))
}

/// Four messages as one bundle, whether they belong together or not.
///
/// # Errors
/// [`SealError`], where a part is too long for any message.
pub fn bundle(grant: &[u8], claim: &[u8], install: &[u8], release: &[u8]) -> Result<Vec<u8>, SealError> {
    Bundle { grant, claim, install, release }.encode().map(|bundle| Vec::from(bundle.as_slice()))
}
