use serde::{Deserialize, Serialize};

use super::Battery;
use crate::crypto::Tag;
use crate::error::RefuseReason;
use crate::wire::{message, tagged};

tagged! {
    /// What the lock did about an unlock.
    #[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
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

message! {
    /// The lock's answer to one [`Unlock`](super::Unlock). Under the pairing key.
    pub struct Reply: Reply, Tag {
        /// What the lock did.
        pub outcome: Outcome,
        /// The MAC of the unlock that it answers.
        pub unlock: Tag,
        /// The lock's battery at that moment.
        pub battery: Battery,
    }
}
