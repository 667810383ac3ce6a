use crate::crypto::{Nonce, Tag};
use crate::id::SlotId;
use crate::limits::Action;
use crate::wire::message;

message! {
    /// A guest asks an installed key's lock to act. Under the pairing key.
    pub struct Unlock: Unlock, Tag {
        /// The slot that holds the key.
        pub slot: SlotId,
        /// What to do.
        pub action: Action,
        /// The lock's nonce.
        pub lock_nonce: Nonce,
        /// The guest's nonce: MUST be fresh and unpredictable, for it makes the reply fresh.
        pub guest_nonce: Nonce,
    }
}
