use serde::{Deserialize, Serialize};

use crate::counter::{Epoch, Generation};
use crate::crypto::{Digest, PublicKey, Signature};
use crate::id::{LockId, SlotId};
use crate::limits::{Action, Timestamp};
use crate::wire::{fields, message, tagged};

tagged! {
    /// What a slot holds at the lock.
    #[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
    pub enum Holding {
        /// The slot is closed.
        1 = Inactive,
        /// The slot is open, and no key is installed.
        2 = Empty,
        /// A key is installed.
        3 = Installed {
            /// The grant that it came from.
            grant: Digest,
            /// The device that holds it.
            device: PublicKey,
        },
    }
}

fields! {
    /// What the lock says of one slot.
    #[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
    pub struct SlotReport {
        /// The highest number that was installed, or taken by an activation or deactivation.
        pub floor: Generation,
        /// What it holds.
        pub holding: Holding,
    }
}

tagged! {
    /// An operation that the lock carried out, and what it left.
    #[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
    pub enum Completed {
        /// The slot was opened.
        1 = Activate {
            /// The slot.
            slot: SlotId,
            /// The number that it took.
            generation: Generation,
            /// The slot afterwards.
            left: SlotReport,
        },
        /// The slot was closed.
        2 = Deactivate {
            /// The slot.
            slot: SlotId,
            /// The number that it took.
            generation: Generation,
            /// The slot afterwards.
            left: SlotReport,
        },
        /// The lock has a new owner and service. The `Done` carries the new epoch.
        3 = Transfer {
            /// The new owner's key.
            owner: PublicKey,
            /// The new service's key.
            service: PublicKey,
        },
        /// The clock was set.
        4 = SetClock {
            /// To this time.
            to: Timestamp,
        },
        /// The bolt was told to act.
        5 = Act {
            /// Which way.
            action: Action,
        },
        /// The slot was looked at.
        6 = Inspect {
            /// The slot.
            slot: SlotId,
            /// What it holds.
            left: SlotReport,
        },
    }
}

message! {
    /// The lock's proof that it carried out one [`Command`](super::Command).
    pub struct Done: Done, Signature {
        /// The command that it answers.
        pub command: Digest,
        /// The lock, under whose key it is signed.
        pub lock: LockId,
        /// The ownership afterwards.
        pub epoch: Epoch,
        /// The operation and what it left.
        pub completed: Completed,
    }
}
