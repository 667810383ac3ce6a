use crate::crypto::Nonce;
use crate::id::LockId;
use crate::wire::{Bare, message};

message! {
    /// The lock's fresh nonce for one attempt. Proves nothing by itself.
    pub struct Challenge: Challenge, Bare {
        /// The lock that says it is there.
        pub lock: LockId,
        /// Its nonce; never repeats.
        pub nonce: Nonce,
    }
}
