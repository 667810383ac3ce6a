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
