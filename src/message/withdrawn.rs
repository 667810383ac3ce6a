use serde::{Deserialize, Serialize};

use super::Withdraw;
use crate::crypto::{Digest, Signature};
use crate::wire::{message, tagged};

tagged! {
    /// What a withdrawal found.
    #[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
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

message! {
    /// The service's answer to a [`Withdraw`]: proves which of release and withdrawal came first.
    pub struct Withdrawn: Withdrawn, Signature {
        /// The withdrawal that it answers, field by field.
        pub withdraw: Withdraw,
        /// The owner's signature of that withdrawal: nobody can answer one that no owner asked for.
        pub withdraw_signature: Signature,
        /// What the service's record said.
        pub outcome: WithdrawnOutcome,
    }
}
