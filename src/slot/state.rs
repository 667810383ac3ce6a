use serde::{Deserialize, Serialize};

use crate::counter::Generation;
use crate::crypto::Digest;

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
    /// The slot is closed: nothing can be shared in it.
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

impl core::fmt::Display for State {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(match self {
            Self::Inactive => "inactive",
            Self::NotShared => "not shared",
            Self::Sharing => "sharing",
            Self::Shared => "shared",
        })
    }
}

pub(super) mod sealed {
    /// Nobody else keeps a slot.
    pub trait Sealed {}
}

/// Who keeps the state, and so what it can know: [`Recorder`](super::Recorder) or [`Observer`](super::Observer).
pub trait Witness: sealed::Sealed + Clone + Eq {
    /// Whether a grant counts among the keys that may open from the moment it is signed, not only once it is
    /// released.
    const SIGNED_MAY_OPEN: bool;
}
