use serde::{Deserialize, Serialize};

use crate::crypto::Nonce;
use crate::id::LockId;
use crate::wire::{Bare, Kind, Message};

/// The lock's fresh nonce for one attempt. Proves nothing by itself.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Challenge {
    /// The lock that says it is there.
    pub lock: LockId,
    /// Its nonce; never repeats.
    pub nonce: Nonce,
}

impl Message for Challenge {
    const KIND: Kind = Kind::Challenge;
    const MAX_LEN: usize = 52;
    type Auth = Bare;
}
