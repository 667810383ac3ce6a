use arrayvec::ArrayVec;
use serde::{Deserialize, Serialize};

use super::state::GrantRef;
use crate::counter::Generation;
use crate::crypto::{Digest, PublicKey};
use crate::error::SlotError;

/// How many unproven keys of one slot may be live; publishing more is refused until something is
/// proved dead.
//= spec/protocol.md#number-line
//# SLO-13. MAX_LIVE MUST be 16.
pub const MAX_LIVE: usize = 16;

/// Beside the unproven keys there is room for the one that the lock confirmed, whoever released it:
/// what the lock says is never turned away.
const ROOM: usize = MAX_LIVE + 1;

/// The lock's word that a key is installed.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Confirmation {
    /// The device that holds the key.
    pub device: PublicKey,
    /// The digest of the receipt, or of the `Done(Inspect)`, that proves it.
    pub proof: Digest,
}

/// A key that may open: released, or (to an owner) at least signed, and not proved dead.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct LiveKey {
    pub(super) key: GrantRef,
    pub(super) install: Option<Digest>,
    pub(super) confirmation: Option<Confirmation>,
    /// An owner learned that the grant was withdrawn after its release: it is not shared any more.
    pub(super) withdrawn: bool,
}

impl LiveKey {
    /// The grant that the key comes from.
    #[must_use]
    pub const fn key(&self) -> GrantRef {
        self.key
    }

    /// The latest install that is known to have been released for it.
    #[must_use]
    pub const fn install(&self) -> Option<Digest> {
        self.install
    }

    /// The lock's word that it is installed, if it gave it.
    #[must_use]
    pub const fn confirmation(&self) -> Option<&Confirmation> {
        self.confirmation.as_ref()
    }
}

/// The keys that may open, in rising order of number and digest.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub(super) struct Live(ArrayVec<LiveKey, ROOM>);

impl Live {
    pub(super) fn as_slice(&self) -> &[LiveKey] {
        &self.0
    }

    pub(super) fn is_full(&self) -> bool {
        self.0.len() >= MAX_LIVE
    }

    pub(super) fn find(&self, key: GrantRef) -> Option<&LiveKey> {
        self.0.iter().find(|live| live.key == key)
    }

    /// Notes that `key` may open, and the latest install that was released for it.
    pub(super) fn note(&mut self, key: GrantRef, install: Option<Digest>) -> Result<(), SlotError> {
        if let Some(live) = self.0.iter_mut().find(|live| live.key == key) {
            live.install = install.or(live.install);
            return Ok(());
        }
        //= spec/protocol.md#owner
        //# OWN-25. A grant MUST NOT become live in a view, other than by the lock's proof, while MAX_LIVE grants are live there that the lock did not confirm.
        if self.unproven() >= MAX_LIVE {
            return Err(SlotError::LiveFull);
        }
        self.insert(LiveKey { key, install, confirmation: None, withdrawn: false })
    }

    /// The lock confirmed `key`: everything below it is dead, and so is any other of its number.
    pub(super) fn confirm(&mut self, key: GrantRef, install: Option<Digest>, confirmation: Confirmation) {
        // A late receipt is of an earlier install than the one that was released last.
        let install = self.find(key).and_then(LiveKey::install).or(install);
        let withdrawn = self.find(key).is_some_and(|live| live.withdrawn);
        //= spec/protocol.md#done-and-receipt
        //# SLO-26. A receipt above the proven floor MUST take all lower generations out of live.
        //= spec/protocol.md#done-and-receipt
        //# SLO-43. A receipt above the proven floor MUST take every other grant of its own generation out of live.
        self.forget_up_to(key.generation);
        // There is room: at most MAX_LIVE keys are unproven, and any that was confirmed is forgotten.
        //= spec/protocol.md#states
        //# SLO-2. A share MUST NOT become confirmed without the lock's signed statement, a Receipt or a Done of an Inspect, that the grant is installed.
        //= spec/protocol.md#done-and-receipt
        //# SLO-27. A receipt above the proven floor MUST make its own generation live, as confirmed with its device.
        let _ = self.insert(LiveKey { key, install, confirmation: Some(confirmation), withdrawn });
    }

    /// The record says that `key` was withdrawn, and may open all the same.
    pub(super) fn withdraw(&mut self, key: GrantRef) {
        self.0.iter_mut().filter(|live| live.key == key).for_each(|live| live.withdrawn = true);
    }

    /// Everything up to `number` was proved dead.
    pub(super) fn forget_up_to(&mut self, number: Generation) {
        self.0.retain(|live| live.key.generation > number);
    }

    /// The record says that `key` was never released. What it or the lock said otherwise before stays.
    pub(super) fn deny(&mut self, key: GrantRef) {
        //= spec/protocol.md#owner
        //# OWN-19. A Withdrawn of NeverReleased MUST NOT take a grant out of live that the lock proved installed or that a Withdrawn of Released named before.
        self.0.retain(|live| live.key != key || live.install.is_some() || live.confirmation.is_some());
    }

    /// How many keys the lock never spoke of.
    pub(super) fn unproven(&self) -> usize {
        self.0.iter().filter(|live| live.confirmation.is_none()).count()
    }

    fn insert(&mut self, new: LiveKey) -> Result<(), SlotError> {
        let at = self.0.partition_point(|live| live.key < new.key);
        self.0.try_insert(at, new).map_err(|_| SlotError::LiveFull)
    }
}
