//! What was wrong, whose fault it is, and what to do.
//!
//! Every check has its own variant, so that support can tell. Errors are `Copy` and hold no strings.
//! Each has [`fault`](LockError::fault) and [`retry`](LockError::retry).

mod blame;
mod code;
#[cfg(feature = "alloc")]
mod contacts;
mod guest;
mod load;
mod lock;
#[cfg(feature = "alloc")]
mod owner;
#[cfg(feature = "alloc")]
mod service;
mod slot;

pub use self::blame::{Fault, Retry};
pub use self::code::CodeError;
#[cfg(feature = "alloc")]
pub use self::contacts::{ContactError, FingerprintError, IdError};
pub use self::guest::GuestError;
pub use self::load::LoadError;
pub use self::lock::{LockError, RefuseReason};
#[cfg(feature = "alloc")]
pub use self::owner::{OwnerError, StoredViewError};
#[cfg(feature = "alloc")]
pub use self::service::{ServiceError, StoredRecordError};
pub use self::slot::{SlotError, StoredSlotError};

use crate::wire::Kind;
use thiserror::Error;

/// Why bytes are not a message of the kind that was expected.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Error)]
#[non_exhaustive]
pub enum WireError {
    /// The bytes end before the message does.
    #[error("the message is cut short")]
    Truncated,
    /// More bytes than the longest message of this kind.
    #[error("the message is longer than its kind allows")]
    TooLong,
    /// The message is complete, and bytes follow.
    #[error("bytes follow the message")]
    Trailing,
    /// The first two bytes are not `SK`.
    #[error("not a sharekey message")]
    Magic,
    /// A version that this library does not speak.
    #[error("the message has version {0}, which is not supported")]
    Version(u8),
    /// Another kind than was expected here.
    #[error("expected a {expected:?}, found kind {found}")]
    Kind {
        /// What was expected.
        expected: Kind,
        /// The kind byte that was found.
        found: u8,
    },
    /// An `Option` tag that is neither 0 nor 1, or a `bool` likewise.
    #[error("an option or boolean byte is neither 0 nor 1")]
    Option,
    /// A field holds an enumerator, a flag bit or a number that this version does not define.
    #[error("a field holds a value that this version does not define")]
    Value,
}

/// Why a public key is refused before any signature is computed.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Error)]
pub enum KeyError {
    /// The encoding of the point is not the one canonical encoding.
    #[error("the encoding is not canonical")]
    NotCanonical,
    /// The point is one of the eight of small order.
    #[error("the point has small order")]
    SmallOrder,
}

/// Why a signature is refused.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Error)]
pub enum SignatureError {
    /// The public key is not a good key.
    #[error("public key: {0}")]
    Key(KeyError),
    /// R, the first half of the signature, is not a good point.
    #[error("signature's R: {0}")]
    Commitment(KeyError),
    /// S, the second half, is not below the group order.
    #[error("signature's S is not reduced")]
    ScalarNotReduced,
    /// The signature is not this key's over these bytes.
    #[error("the signature does not match")]
    Mismatch,
}

/// A MAC is not this key's over these bytes.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Error)]
#[error("the MAC does not match")]
pub struct MacMismatch;

/// The crypto provider (a secure element, say) could not do its work now.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Error)]
#[error("the crypto provider failed")]
pub struct ProviderFailed;

/// The peer's X25519 key fixes the shared secret whatever ours is.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Error)]
#[error("the peer's X25519 key does not contribute")]
pub struct NonContributory;

/// Why a message could not be made.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Error)]
pub enum SealError {
    /// The message does not fit its kind's `MAX_LEN`. No message that this crate builds does that.
    #[error("the message is longer than its kind allows")]
    TooLong,
    /// The crypto provider could not sign now.
    #[error(transparent)]
    Provider(#[from] ProviderFailed),
}

/// Why limits cannot be built.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Error)]
pub enum LimitsError {
    /// The end is not after the start.
    #[error("the end is not after the start")]
    EmptyPeriod,
    /// A key with no openings at all.
    #[error("the number of uses is 0")]
    NoUses,
    /// No weekday is set, or a bit beyond the seven.
    #[error("the set of weekdays is empty or has an unknown bit")]
    Weekdays,
    /// A window that does not begin in 0..1440, end in 1..=1440, or that is empty.
    #[error("the window of minutes is empty or out of range")]
    Window,
    /// An offset from UTC outside −720..=840 minutes.
    #[error("the offset from UTC is out of range")]
    Offset,
    /// No right at all, or an unknown right.
    #[error("the set of rights is empty or has an unknown bit")]
    Rights,
    /// An unknown action.
    #[error("unknown action")]
    Action,
}
