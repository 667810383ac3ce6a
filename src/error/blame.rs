use super::{
    KeyError, LimitsError, MacMismatch, NonContributory, ProviderFailed, SealError, SignatureError, StoredSlotError,
    WireError,
};
#[cfg(feature = "alloc")]
use super::{StoredRecordError, StoredViewError};

/// Whose side has to change something.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[non_exhaustive]
pub enum Fault {
    /// The owner's app, or what the owner decided.
    Owner,
    /// The guest's app, or what the guest asked for.
    Guest,
    /// The service.
    Service,
    /// The lock or its firmware.
    Lock,
    /// Whatever carries the messages, or somebody who tampers with them.
    Transport,
    /// Whoever called: its own input, store or crypto provider.
    Caller,
}

/// What to do next.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[non_exhaustive]
pub enum Retry {
    /// The same request will never succeed.
    Never,
    /// Get the message again, unaltered.
    Resend,
    /// Ask the lock for a new challenge and answer that.
    NewChallenge,
    /// Once the lock's clock is set.
    WhenClockSet,
    /// Once the key's limits allow it.
    WithinLimits,
    /// Once the firmware has reloaded the cell, or the pending write is through.
    AfterReload,
    /// Once the lock was made anew.
    AfterMaking,
    /// Read the record again and decide again.
    AfterRefresh,
    /// Sign again with a higher number.
    HigherNumber,
    /// Once the owner has done something first (activate, transfer, withdraw, accept a changed key …).
    AfterOwnerActs,
    /// With another input: the one given is wrong.
    OtherInput,
    /// Later; nothing is wrong with the request.
    Later,
}

impl WireError {
    /// Whose fault it is: bytes that are no message look like damage on the way.
    #[must_use]
    pub const fn fault(self) -> Fault {
        Fault::Transport
    }

    /// What to do.
    #[must_use]
    pub const fn retry(self) -> Retry {
        match self {
            Self::Version(_) | Self::Value => Retry::Never,
            _ => Retry::Resend,
        }
    }
}

impl SealError {
    /// Whose fault it is.
    #[must_use]
    pub const fn fault(self) -> Fault {
        Fault::Caller
    }

    /// What to do.
    #[must_use]
    pub const fn retry(self) -> Retry {
        match self {
            Self::TooLong => Retry::Never,
            Self::Provider(_) => Retry::Later,
        }
    }
}

/// Errors whose every variant has the same cause and cure. Where one comes inside a role's error, that
/// one knows better whose fault it is.
macro_rules! alike {
    ($($name:ident: $fault:ident, $retry:ident;)*) => {$(
        impl $name {
            /// Whose fault it is.
            #[must_use]
            pub const fn fault(self) -> Fault {
                Fault::$fault
            }

            /// What to do.
            #[must_use]
            pub const fn retry(self) -> Retry {
                Retry::$retry
            }
        }
    )*};
}

alike! {
    KeyError: Transport, OtherInput;
    SignatureError: Transport, Never;
    MacMismatch: Transport, Never;
    NonContributory: Transport, NewChallenge;
    ProviderFailed: Caller, Later;
    LimitsError: Caller, OtherInput;
    StoredSlotError: Caller, Never;
}

#[cfg(feature = "alloc")]
alike! {
    StoredRecordError: Caller, Never;
    StoredViewError: Caller, Never;
}
