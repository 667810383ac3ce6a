use serde::{Deserialize, Serialize};

use super::Withdraw;
use crate::crypto::{Digest, Signature};
use crate::wire::{Kind, Message, tagged};

tagged! {
    /// What a withdrawal found.
    #[derive(Clone, Copy, PartialEq, Eq, Debug)]
    pub enum WithdrawnOutcome {
        /// The grant was never released, and now never installs.
        1 = NeverReleased,
        /// The grant had been released: its key lives until it is overwritten or deactivated.
        2 = Released {
            /// The latest install that was released for it.
            install: Digest,
        },
        /// A `Done` or a receipt had already proved the grant dead.
        3 = Settled,
    }
}

/// The service's answer to a [`Withdraw`]: proves which of release and withdrawal came first.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Withdrawn {
    /// The withdrawal that it answers, field by field.
    pub withdraw: Withdraw,
    /// What the service's record said.
    pub outcome: WithdrawnOutcome,
}

impl Message for Withdrawn {
    const KIND: Kind = Kind::Withdrawn;
    const MAX_LEN: usize = 174;
    type Auth = Signature;
}
