use crate::counter::Generation;
use crate::crypto::{Digest, PublicKey};
use serde::{Deserialize, Serialize};

/// One grant on a slot's number line: its number and its digest. Two grants may carry one number
/// (two phones of one owner); at most one of them is ever published.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
pub struct GrantRef {
    /// The grant's number.
    pub generation: Generation,
    /// The digest of the whole grant.
    pub grant: Digest,
}

/// Which of the four states a slot is in.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub enum State {
    /// The slot is closed.
    Inactive,
    /// The slot is open, and nothing is shared in it.
    NotShared,
    /// A grant is published and was not released: it can be revoked.
    Sharing,
    /// The grant was released to one device: it can only be reset.
    Shared,
}

impl State {
    /// Every state.
    pub const ALL: [Self; 4] = [Self::Inactive, Self::NotShared, Self::Sharing, Self::Shared];
}

/// The slot is closed: nothing can be shared in it.
#[derive(Debug)]
pub struct Inactive(pub(super) ());

/// The slot is open, and nothing is shared in it.
#[derive(Debug)]
pub struct NotShared(pub(super) ());

/// A grant is published and was not released.
#[derive(Debug)]
pub struct Sharing {
    pub(super) key: GrantRef,
}

/// The grant was released to one device.
#[derive(Debug)]
pub struct Shared {
    pub(super) key: GrantRef,
    pub(super) device: PublicKey,
}

/// What [`Sharing`] and [`Shared`] have in common, for the guards.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Share {
    pub(super) key: GrantRef,
    pub(super) device: Option<PublicKey>,
}
