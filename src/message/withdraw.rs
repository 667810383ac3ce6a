use serde::{Deserialize, Serialize};

use crate::counter::{Epoch, Generation};
use crate::crypto::{Digest, Signature};
use crate::id::{LockId, SlotId};
use crate::wire::{Kind, Message};

/// The owner takes a grant back: a revocation or a reset, whichever the answer says.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Withdraw {
    /// The lock.
    pub lock: LockId,
    /// The ownership in which the grant was signed.
    pub epoch: Epoch,
    /// The slot.
    pub slot: SlotId,
    /// The grant's number.
    pub generation: Generation,
    /// The grant.
    pub grant: Digest,
}

impl Message for Withdraw {
    const KIND: Kind = Kind::Withdraw;
    const MAX_LEN: usize = 141;
    type Auth = Signature;
}
