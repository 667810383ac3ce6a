use crate::counter::{Epoch, Generation, Term};
use crate::crypto::{Digest, Signature};
use crate::id::{LockId, SlotId};
use crate::wire::message;

message! {
    /// The owner takes a grant back: a revocation or a reset, whichever the answer says.
    pub struct Withdraw: Withdraw, Signature {
        /// The lock.
        pub lock: LockId,
        /// The ownership in which the grant was signed.
        pub epoch: Epoch,
        /// Who signs.
        pub by: Term,
        /// The slot.
        pub slot: SlotId,
        /// The grant's number.
        pub generation: Generation,
        /// The grant.
        pub grant: Digest,
    }
}
