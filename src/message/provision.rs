use crate::crypto::{Nonce, PublicKey, Tag};
use crate::wire::message;

message! {
    /// Whoever holds the activation card makes a factory-fresh lock theirs. Under the card's secret.
    pub struct Provision: Provision, Tag {
        /// The lock's nonce.
        pub lock_nonce: Nonce,
        /// The owner's nonce, fresh: makes the digest, and so the answer, unique.
        pub owner_nonce: Nonce,
        /// The owner's key.
        pub owner: PublicKey,
        /// The service's key.
        pub service: PublicKey,
    }
}
