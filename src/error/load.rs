use thiserror::Error;

use super::{Fault, Retry};

/// Why a lock could not be loaded from its seed record.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Error)]
pub enum LoadError {
    /// There is no seed, or making the lock was interrupted: make the lock
    /// ([`Making::new`](crate::lock::Making::new)).
    #[error("the lock was never made, or not to the end")]
    NotMade,
    /// The seed record cannot be read. Try again; where that does not help, whoever services the lock
    /// may order it to be made anew, as another lock. Never do that unasked: it erases the owner's.
    #[error("the seed record is damaged")]
    SeedDamaged,
}

impl LoadError {
    /// Whose fault it is.
    #[must_use]
    pub const fn fault(self) -> Fault {
        Fault::Lock
    }

    /// What to do.
    #[must_use]
    pub const fn retry(self) -> Retry {
        match self {
            Self::NotMade => Retry::AfterMaking,
            Self::SeedDamaged => Retry::Later,
        }
    }
}
