use serde::{Deserialize, Serialize};

use crate::crypto::Tag;
use crate::error::RefuseReason;
use crate::wire::{Kind, Message, tagged};

tagged! {
    /// What the lock did about an unlock.
    #[derive(Clone, Copy, PartialEq, Eq, Debug)]
    pub enum Outcome {
        /// The bolt was told to act.
        1 = Accepted,
        /// It was not.
        2 = Refused {
            /// Why.
            reason: RefuseReason,
        },
    }
}

/// The lock's answer to one [`Unlock`](super::Unlock). Under the pairing key.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Reply {
    /// What the lock did.
    pub outcome: Outcome,
    /// The MAC of the unlock that it answers.
    pub unlock: Tag,
}

impl Message for Reply {
    const KIND: Kind = Kind::Reply;
    const MAX_LEN: usize = 38;
    type Auth = Tag;
}
