use serde::{Deserialize, Serialize};

use crate::crypto::{Nonce, Tag};
use crate::id::LockId;
use crate::wire::{Kind, Message};

/// Whoever holds the card, and stands at the lock, makes it factory-fresh. Under the card's secret.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct FactoryReset {
    /// The lock.
    pub lock: LockId,
    /// Its nonce.
    pub nonce: Nonce,
}

impl Message for FactoryReset {
    const KIND: Kind = Kind::FactoryReset;
    const MAX_LEN: usize = 68;
    type Auth = Tag;
}
