//! A grant as it came.

use serde::{Deserialize, Serialize};

use crate::counter::{Epoch, Generation};
use crate::crypto::PublicKey;
use crate::error::WireError;
use crate::id::{LockId, SlotId};
use crate::limits::{Limits, Rights};
use crate::message::Grant;
use crate::wire::{Encoded, Kept, Unverified};

/// A grant as it came, for a screen: which lock and slot it is for, and what its key would be allowed.
///
/// **Nothing of it is checked but its form.** It says what whoever made it says, and that may be anybody. Show it as an
/// invitation, then [claim](super::Account::claim) it: the claim checks whom it is for, and the lock, at the download,
/// that its owner signed it. From then on it is a [`GuestKey`](super::GuestKey).
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Invitation(Kept<Grant>);

impl Invitation {
    /// Reads a grant.
    ///
    /// # Errors
    /// [`WireError`], where the bytes are no grant.
    pub fn read(grant: &[u8]) -> Result<Self, WireError> {
        Self::of(&Unverified::parse(grant)?)
    }

    pub(super) fn of(grant: &Unverified<'_, Grant>) -> Result<Self, WireError> {
        Kept::of(grant).map(Self)
    }

    pub(super) const fn body(&self) -> &Grant {
        self.0.body()
    }

    /// The grant's bytes, to claim it by.
    #[must_use]
    pub const fn grant(&self) -> &Encoded<Grant> {
        self.0.bytes()
    }

    /// Whom it is for: the key of an account, or the one that a share code stands for.
    #[must_use]
    pub const fn subject(&self) -> &PublicKey {
        &self.body().subject
    }

    /// The lock.
    #[must_use]
    pub const fn lock(&self) -> LockId {
        self.body().lock
    }

    /// The ownership that it is of.
    #[must_use]
    pub const fn epoch(&self) -> Epoch {
        self.body().epoch
    }

    /// The slot.
    #[must_use]
    pub const fn slot(&self) -> SlotId {
        self.body().slot
    }

    /// Its number: of two for one slot, the higher one is the newer.
    #[must_use]
    pub const fn generation(&self) -> Generation {
        self.body().generation
    }

    /// What its key would be allowed.
    #[must_use]
    pub const fn rights(&self) -> Rights {
        self.body().rights
    }

    /// When, and how often.
    #[must_use]
    pub const fn limits(&self) -> &Limits {
        &self.body().limits
    }
}
