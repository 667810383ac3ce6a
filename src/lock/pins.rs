//! The owner's and the service's key, made ready once an ownership: every install and every command
//! is checked with them.

use super::memory::Ownership;
use crate::crypto::{Pinned, Verify};

/// The keys of the ownership that they were asked for last, ready.
pub(super) struct Pins<V: Verify>(Option<Keys<V>>);

pub(super) struct Keys<V: Verify> {
    of: Ownership,
    pub(super) owner: Pinned<V>,
    pub(super) service: Pinned<V>,
}

impl<V: Verify> Pins<V> {
    pub(super) const fn none() -> Self {
        Self(None)
    }

    /// The keys of this ownership.
    #[inline(never)]
    pub(super) fn of(&mut self, crypto: &V, owned: &Ownership) -> &Keys<V> {
        self.0.take_if(|keys| keys.of != *owned);
        let pinned = |key| Pinned::new(crypto, key);
        self.0.get_or_insert_with(|| Keys { of: *owned, owner: pinned(owned.owner), service: pinned(owned.service) })
    }
}
