use serde::{Deserialize, Serialize};

use crate::crypto::{Digest, Signature};
use crate::wire::{Kind, Message};

/// The service lets one install go ahead: proves that no withdrawal came first.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Release {
    /// The install.
    pub install: Digest,
}

impl Message for Release {
    const KIND: Kind = Kind::Release;
    const MAX_LEN: usize = 100;
    type Auth = Signature;
}
