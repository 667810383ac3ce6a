use serde::{Deserialize, Serialize};

use crate::crypto::{Nonce, PublicKey, Tag};
use crate::wire::{Kind, Message};

/// Whoever holds the activation card makes a factory-fresh lock theirs. Under the card's secret.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Provision {
    /// The lock's nonce.
    pub lock_nonce: Nonce,
    /// The owner's nonce, fresh: makes the digest, and so the answer, unique.
    pub owner_nonce: Nonce,
    /// The owner's key.
    pub owner: PublicKey,
    /// The service's key.
    pub service: PublicKey,
}

impl Message for Provision {
    const KIND: Kind = Kind::Provision;
    const MAX_LEN: usize = 116;
    type Auth = Tag;
}
