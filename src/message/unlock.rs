use serde::{Deserialize, Serialize};

use crate::crypto::{Nonce, Tag};
use crate::id::SlotId;
use crate::limits::Action;
use crate::wire::{Kind, Message};

/// A guest asks an installed key's lock to act. Under the pairing key.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Unlock {
    /// The slot that holds the key.
    pub slot: SlotId,
    /// What to do.
    pub action: Action,
    /// The lock's nonce.
    pub lock_nonce: Nonce,
    /// The guest's nonce: MUST be fresh and unpredictable, for it makes the reply fresh.
    pub guest_nonce: Nonce,
}

impl Message for Unlock {
    const KIND: Kind = Kind::Unlock;
    const MAX_LEN: usize = 54;
    type Auth = Tag;
}
