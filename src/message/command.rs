use serde::{Deserialize, Serialize};

use crate::counter::{Epoch, Generation};
use crate::crypto::{Nonce, PublicKey, Signature};
use crate::id::{LockId, SlotId};
use crate::limits::{Action, Timestamp};
use crate::wire::{message, tagged};

tagged! {
    /// What the owner orders at the lock.
    #[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
    pub enum Operation {
        /// Open a slot for sharing; wipes what is installed there.
        1 = Activate {
            /// The slot.
            slot: SlotId,
            /// A number above the slot's floor; becomes the floor.
            generation: Generation,
        },
        /// Close a slot; wipes what is installed there.
        2 = Deactivate {
            /// The slot.
            slot: SlotId,
            /// A number above the slot's floor; becomes the floor.
            generation: Generation,
        },
        /// Hand the lock to an owner and a service: ends the epoch.
        3 = Transfer {
            /// The new owner's key.
            owner: PublicKey,
            /// The new service's key.
            service: PublicKey,
        },
        /// Set the lock's clock.
        4 = SetClock {
            /// The time now.
            to: Timestamp,
        },
        /// Move the bolt.
        5 = Act {
            /// Which way.
            action: Action,
        },
        /// State what a slot holds.
        6 = Inspect {
            /// The slot.
            slot: SlotId,
        },
    }
}

message! {
    /// An order of the owner, for one attempt at one lock.
    pub struct Command: Command, Signature {
        /// The lock.
        pub lock: LockId,
        /// The ownership.
        pub epoch: Epoch,
        /// The lock's nonce.
        pub lock_nonce: Nonce,
        /// The owner's nonce, fresh: makes the command's digest, and so the answer, unique.
        pub owner_nonce: Nonce,
        /// What to do.
        pub operation: Operation,
    }
}
