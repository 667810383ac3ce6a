use core::fmt::{self, Debug, Display};

use super::{Blame, Fault, ProviderFailed, Retry, SealError};

/// Why there is no lock behind the door.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum BootError<E> {
    /// There is a seed, and it cannot be read, also not at a second try. To make a lock anew here would erase the
    /// owner's: that takes an order from whoever services the lock, [`Door::make_anew`](crate::lock::Door::make_anew).
    SeedUnreadable,
    /// The provider failed, so that keys or records could not be made.
    Seal(SealError),
    /// The board failed.
    Board(E),
}

impl<E> From<ProviderFailed> for BootError<E> {
    fn from(failed: ProviderFailed) -> Self {
        Self::Seal(failed.into())
    }
}

/// Why a frame has no answer: send nothing.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ServeError<E> {
    /// A record was not written, so it is not known whether the operation happened; or the clock could not be set, and
    /// it did not. The next frame reads the cell again first.
    Board(E),
    /// The lock that follows a factory reset could not be made; the next frame tries again first.
    Remake(SealError),
    /// The seed is not this lock's any more, and not one of a lock to be made either: what is there, a boot says.
    Boot,
}

impl<E> From<SealError> for BootError<E> {
    fn from(failed: SealError) -> Self {
        Self::Seal(failed)
    }
}

impl<E: Display> Display for BootError<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::SeedUnreadable => f.write_str("the seed of the lock cannot be read"),
            Self::Seal(cause) => Display::fmt(cause, f),
            Self::Board(cause) => write!(f, "the board failed: {cause}"),
        }
    }
}

impl<E: Display> Display for ServeError<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Board(cause) => write!(f, "the board failed: {cause}"),
            Self::Remake(cause) => write!(f, "the next lock could not be made: {cause}"),
            Self::Boot => f.write_str("the seed in the store is not this lock's: boot"),
        }
    }
}

impl<E: Debug + Display> core::error::Error for BootError<E> {}
impl<E: Debug + Display> core::error::Error for ServeError<E> {}

impl<E: Debug + Display> Blame for BootError<E> {
    fn name(&self) -> &'static str {
        match self {
            Self::SeedUnreadable => "Boot.SeedUnreadable",
            Self::Seal(cause) => SealError!(*cause, "Boot", ".", "Seal"),
            Self::Board(_) => "Boot.Board",
        }
    }

    fn fault(&self) -> Fault {
        match self {
            Self::SeedUnreadable => Fault::Lock,
            Self::Seal(_) | Self::Board(_) => Fault::Caller,
        }
    }

    fn retry(&self) -> Retry {
        match self {
            Self::SeedUnreadable => Retry::Reload,
            Self::Seal(cause) => cause.retry(),
            Self::Board(_) => Retry::Later,
        }
    }
}

impl<E: Debug + Display> Blame for ServeError<E> {
    fn name(&self) -> &'static str {
        match self {
            Self::Board(_) => "Serve.Board",
            Self::Remake(cause) => SealError!(*cause, "Serve", ".", "Remake"),
            Self::Boot => "Serve.Boot",
        }
    }

    fn fault(&self) -> Fault {
        match self {
            Self::Board(_) | Self::Remake(_) => Fault::Caller,
            Self::Boot => Fault::Lock,
        }
    }

    fn retry(&self) -> Retry {
        match self {
            Self::Board(_) => Retry::NewChallenge,
            Self::Remake(cause) => cause.retry(),
            Self::Boot => Retry::Make,
        }
    }
}
