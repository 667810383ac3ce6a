//! The owner: makes a lock theirs, orders at it, shares and takes back (spec: "Owner").
//!
//! An [`Owner`] is a key; what one phone knows of one lock is its [`OwnedLock`] view. Calls that
//! change the view give a [`Staged`]: the view is stored before the message leaves, so that the
//! number line survives a crash. Only a receipt, a Done or a Withdrawn changes what the view says of
//! a key; what the service says of a state does not.
//!
//! What the service must hear of is kept in the view as well, until a report shows that it did:
//! the [outbox](OwnedLock::outbox).
//!
//! The view never hides a key: whatever the owner signed counts among those that
//! [may open](Status::may_open) until the service denies ever having released it, or the lock proves
//! it dead.

mod command;
mod evidence;
mod learn;
mod new;
mod outbox;
mod provision;
mod report;
mod reported;
mod share;
mod status;
mod stored;
mod view;

pub use self::command::{Order, PendingCommand};
pub use self::learn::{Fact, Learned};
pub use self::new::NewView;
pub use self::outbox::{Delivery, Outgoing};
pub use self::provision::{PendingProvision, PendingTakeover};
pub use self::report::{AsOf, PendingReport, Seen};
pub use self::status::{KeyStatus, Status, Whom};
pub use self::view::{Equivocation, Method, OwnedLock, Standing};

use crate::crypto::{Crypto, Digest, PublicKey, Signer};
use crate::error::{OwnerError, ProviderFailed};
use crate::id::LockId;
use crate::message::{Refused, RefusedBody};
use crate::secret::Seed;
use crate::staged::Staged;
use crate::wire::Verified;

/// A change of a view, which waits for its store, and what comes of it then; or why there is none.
pub type ViewChange<'v, T> = Result<Staged<'v, OwnedLock, T>, OwnerError>;

/// One owner: the provider and the owner's key. Several phones of one owner hold the same key, each
/// with its own views.
#[derive(Debug)]
pub struct Owner<C: Crypto> {
    crypto: C,
    signer: Signer<C>,
}

impl<C: Crypto> Owner<C> {
    /// The owner whose key `seed` stands for.
    ///
    /// # Errors
    /// [`ProviderFailed`] when the provider cannot load the key.
    pub fn new(crypto: C, seed: &Seed) -> Result<Self, ProviderFailed> {
        let signer = Signer::from_seed(&crypto, seed)?;
        Ok(Self { crypto, signer })
    }

    /// The owner's key, which the lock stores.
    #[must_use]
    pub const fn key(&self) -> &PublicKey {
        self.signer.public()
    }

    /// Whether this owner may sign for the lock of this view, and decide on this copy of it.
    fn check_owns(&self, view: &OwnedLock) -> Result<(), OwnerError> {
        if view.hold.is_held() {
            return Err(OwnerError::Busy);
        }
        if view.owner() != self.key() {
            return Err(OwnerError::NotOwner);
        }
        match view.standing() {
            Standing::Owned => Ok(()),
            Standing::Transferred => Err(OwnerError::Transferred),
        }
    }

    /// What a refusal of `request` says, as the error that it is.
    fn refusal(&self, answer: &[u8], lock: &LockId, request: &Digest) -> OwnerError {
        match Refused::parse(answer) {
            Err(error) => OwnerError::Wire(error),
            //= spec/protocol.md#owner
            //# OWN-13. An opaque Refused MUST NOT be taken for a statement of the lock.
            Ok(Refused::Opaque) => OwnerError::RefusedOpaque,
            //= spec/protocol.md#owner
            //# OWN-6. The owner MUST check a Done, a Receipt and a signed Refused under the lock id.
            Ok(Refused::Signed(body)) => match body.verify(&self.crypto, lock.key()) {
                Err(error) => OwnerError::RefusalSignature(error),
                Ok(body) => signed_refusal(&body, request),
            },
        }
    }
}

fn signed_refusal(body: &Verified<'_, RefusedBody>, request: &Digest) -> OwnerError {
    if body.request == *request { OwnerError::Refused(body.reason) } else { OwnerError::RefusedOther }
}
