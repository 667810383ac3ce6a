use crate::counter::{Epoch, Generation, Term};
use crate::crypto::{PublicKey, Signature};
use crate::id::{LockId, SlotId};
use crate::limits::{Limits, Rights};
use crate::wire::message;

message! {
    /// The owner lets a subject in: proves who may enter, by the owner's signature.
    pub struct Grant: Grant, Signature {
        /// The lock.
        pub lock: LockId,
        /// The ownership in which it was signed.
        pub epoch: Epoch,
        /// Who signs.
        pub by: Term,
        /// The slot that it fills.
        pub slot: SlotId,
        /// Its number on the slot's line.
        pub generation: Generation,
        /// Who may claim it: a contact's account key, or the key derived from a share code.
        pub subject: PublicKey,
        /// What the key may do.
        pub rights: Rights,
        /// When, and how often.
        pub limits: Limits,
    }
}
