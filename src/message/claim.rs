use serde::{Deserialize, Serialize};

use crate::crypto::{Digest, PublicKey, Signature};
use crate::wire::{Kind, Message};

/// The grant's subject names the one device that will hold the key: proves that the subject chose
/// this device. Signed with the subject's key.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Claim {
    /// The grant.
    pub grant: Digest,
    /// The device's key, drawn for this claim.
    pub device: PublicKey,
}

impl Message for Claim {
    const KIND: Kind = Kind::Claim;
    const MAX_LEN: usize = 132;
    type Auth = Signature;
}
