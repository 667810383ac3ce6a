use serde::{Deserialize, Serialize};

use super::{Battery, Completed, LockTime};
use crate::counter::{Epoch, Generation};
use crate::crypto::{Digest, PublicKey, Signature};
use crate::id::LockId;
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

message! {
    /// The lock's proof that it carried out one [`Command`](super::Command).
    pub struct Done: Done, Signature {
        /// The command that it answers.
        pub command: Digest,
        /// The lock, under whose key it is signed.
        pub lock: LockId,
        /// The ownership afterwards.
        pub epoch: Epoch,
        /// The lock's time at that moment: of a SetClock, the time that it sets; of a Transfer, none.
        pub time: LockTime,
        /// Its battery at that moment.
        pub battery: Battery,
        /// The operation and what it left.
        pub completed: Completed,
    }
}
