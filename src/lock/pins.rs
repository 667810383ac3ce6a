//! The owner's and the service's key, made ready once an ownership: every install and every command
//! is checked with them.

use super::Lock;
use super::state::Ownership;
use crate::crypto::{Crypto, Pinned, Verify};
use crate::error::LockError;

/// Whose the lock is, the keys ready.
pub(super) struct Pins<V: Verify> {
    pub(super) owned: Ownership,
    pub(super) owner: Pinned<V>,
    pub(super) service: Pinned<V>,
}

impl<C: Crypto, const SLOTS: usize> Lock<C, SLOTS> {
    /// Makes the keys ready, unless they are. Nothing that an attempt decides may change in between.
    pub(super) fn pin_keys(&mut self) {
        let Ok(owned) = self.core.ownership() else { return };
        if self.pins.as_ref().is_none_or(|pins| pins.owned != owned) {
            let pinned = |key| Pinned::new(&self.crypto, key);
            self.pins = Some(Pins { owned, owner: pinned(owned.owner), service: pinned(owned.service) });
        }
    }

    /// Whose the lock is, after [`pin_keys`](Self::pin_keys).
    pub(super) fn pinned(&self) -> Result<&Pins<C>, LockError> {
        let owned = self.core.ownership()?;
        self.pins.as_ref().filter(|pins| pins.owned == owned).ok_or(LockError::NotProvisioned)
    }
}
