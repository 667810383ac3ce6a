use crate::counter::{Epoch, Generation};
use crate::crypto::{AgreementKey, Digest, PublicKey, Signature};
use crate::id::{LockId, SlotId};
use crate::wire::message;

message! {
    /// The lock's proof of download: this grant's key is installed for this device.
    pub struct Receipt: Receipt, Signature {
        /// The install that it answers.
        pub install: Digest,
        /// The lock, under whose key the receipt is signed.
        pub lock: LockId,
        /// The ownership.
        pub epoch: Epoch,
        /// The slot.
        pub slot: SlotId,
        /// The grant's number, now the slot's floor.
        pub generation: Generation,
        /// The grant.
        pub grant: Digest,
        /// The device that holds the key.
        pub device: PublicKey,
        /// The lock's X25519 key for the pairing key.
        pub agreement: AgreementKey,
    }
}
