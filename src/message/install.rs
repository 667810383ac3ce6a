use crate::crypto::{AgreementKey, Digest, Nonce, Signature};
use crate::wire::message;

message! {
    /// The claimed device asks to be installed now, at the lock that gave the nonce: proves that the
    /// device takes part in this very install. Signed with the device's key.
    pub struct Install: Install, Signature {
        /// The claim.
        pub claim: Digest,
        /// The lock's nonce.
        pub nonce: Nonce,
        /// The device's X25519 key for the pairing key.
        pub agreement: AgreementKey,
    }
}
