use super::Operation;
use crate::counter::{Epoch, Term};
use crate::crypto::{Nonce, Signature};
use crate::id::LockId;
use crate::wire::message;

message! {
    /// An order of the owner, for one attempt at one lock.
    pub struct Command: Command, Signature {
        /// The lock.
        pub lock: LockId,
        /// The ownership.
        pub epoch: Epoch,
        /// Who signs.
        pub by: Term,
        /// The lock's nonce.
        pub lock_nonce: Nonce,
        /// The owner's nonce, fresh: makes the command's digest, and so the answer, unique.
        pub owner_nonce: Nonce,
        /// What to do.
        pub operation: Operation,
    }
}
