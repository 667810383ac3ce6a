//! What a refused request gets: an opaque answer, or a reason once it has authenticated.

use arrayvec::ArrayVec;

use super::Role;
use super::plan::{Plan, Turned};
use crate::crypto::Crypto;
use crate::error::LockError;
use crate::message::RefusedBody;
use crate::wire::{self, Message};

/// A refused attempt: why, for the lock's log, and what to answer. Nothing changed but that the
/// session is spent.
#[derive(Debug)]
pub struct Refusal {
    error: LockError,
    answer: ArrayVec<u8, { RefusedBody::MAX_LEN }>,
}

impl core::error::Error for Refusal {}

impl core::fmt::Display for Refusal {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        self.error.fmt(f)
    }
}

impl Clone for Refusal {
    fn clone(&self) -> Self {
        Self { error: self.error, answer: wire::copied(&self.answer) }
    }
}

impl Refusal {
    pub(super) fn with(error: LockError, message: &[u8]) -> Self {
        let mut answer = wire::empty();
        // There is room for every refusal.
        let _ = answer.try_extend_from_slice(message);
        Self { error, answer }
    }

    /// Why.
    #[must_use]
    pub const fn error(&self) -> LockError {
        self.error
    }

    /// The answer to send: a [`Refused`](crate::message::Refused), or a [`Reply`](crate::message::Reply) to a guest that has
    /// authenticated.
    #[must_use]
    pub fn answer(&self) -> &[u8] {
        &self.answer
    }
}

/// How much the one who asked may be told.
pub(super) enum Denied {
    /// Nothing: the signatures or the MAC did not hold yet.
    Stranger(LockError),
    /// The reason: they held.
    Known(LockError),
}

impl From<LockError> for Denied {
    fn from(error: LockError) -> Self {
        //= spec/protocol.md#errors-and-refusals
        //# ERR-1. A lock MUST NOT tell a sender that has not authenticated why it refuses.
        Self::Stranger(error)
    }
}

impl<C: Crypto, const SLOTS: usize> Role<C, SLOTS> {
    /// The answer to a bundle, a command or a provision that is refused.
    pub(super) fn refuse(&self, request: &[u8], denied: Denied, plan: &mut Plan) -> Turned {
        match denied {
            //= spec/protocol.md#commands
            //# CMD-8. A refusal before the signature held MUST be the opaque Refused.
            //= spec/protocol.md#provisioning
            //# PRV-9. A refusal before the tag held MUST be the opaque Refused.
            Denied::Stranger(error) => error.into(),
            Denied::Known(error) => {
                //= spec/protocol.md#commands
                //# CMD-9. A refusal after the signature held MUST be a signed Refused with the reason.
                //= spec/protocol.md#provisioning
                //# PRV-10. A refusal after the tag held MUST be a signed Refused with the reason.
                let sealed = error.reason().map(|reason| {
                    let body = RefusedBody { request: wire::digest(&self.crypto, request), reason };
                    wire::seal_into(&self.crypto, &self.keys.signer, &body, &mut plan.answer)
                });
                Turned { error, told: matches!(sealed, Some(Ok(()))) }
            }
        }
    }
}
