use crate::crypto::{Digest, PublicKey, Signature};
use crate::wire::message;

message! {
    /// The grant's subject names the one device that will hold the key: proves that the subject chose
    /// this device. Signed with the subject's key.
    pub struct Claim: Claim, Signature {
        /// The grant.
        pub grant: Digest,
        /// The device's key, drawn for this claim.
        pub device: PublicKey,
    }
}
