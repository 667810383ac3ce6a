use serde::{Deserialize, Serialize};

use crate::crypto::{AgreementKey, Digest, Nonce, Signature};
use crate::wire::{Kind, Message};

/// The claimed device asks to be installed now, at the lock that gave the nonce: proves that the
/// device takes part in this very install. Signed with the device's key.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Install {
    /// The claim.
    pub claim: Digest,
    /// The lock's nonce.
    pub nonce: Nonce,
    /// The device's X25519 key for the pairing key.
    pub agreement: AgreementKey,
}

impl Message for Install {
    const KIND: Kind = Kind::Install;
    const MAX_LEN: usize = 148;
    type Auth = Signature;
}
