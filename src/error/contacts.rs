use thiserror::Error;

use super::{Fault, KeyError, Retry};

/// Why a text is not an [`AccountId`](crate::id::AccountId) or a [`ContactName`](crate::id::ContactName).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Error)]
#[non_exhaustive]
pub enum IdError {
    /// No character at all.
    #[error("the name is empty")]
    Empty,
    /// More than 64 bytes of UTF-8.
    #[error("the name is longer than 64 bytes")]
    TooLong,
    /// A control character, such as a line break.
    #[error("the name holds a control character")]
    Control,
    /// Whitespace at the beginning or the end.
    #[error("the name begins or ends with whitespace")]
    Whitespace,
}

impl IdError {
    /// Whose fault it is: the owner's, who typed the name.
    #[must_use]
    pub const fn fault(self) -> Fault {
        Fault::Owner
    }

    /// What to do: have the name typed again.
    #[must_use]
    pub const fn retry(self) -> Retry {
        Retry::OtherInput
    }
}

/// Why a text is not a [`Fingerprint`](crate::contacts::Fingerprint).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Error)]
#[non_exhaustive]
pub enum FingerprintError {
    /// A character that is neither a decimal digit nor whitespace.
    #[error("a character that no fingerprint has")]
    NotADigit,
    /// Fewer than 30 digits.
    #[error("the fingerprint is too short")]
    TooShort,
    /// More than 30 digits.
    #[error("the fingerprint is too long")]
    TooLong,
}

impl FingerprintError {
    /// Whose fault it is: the owner's, who typed the fingerprint.
    #[must_use]
    pub const fn fault(self) -> Fault {
        Fault::Owner
    }

    /// What to do: have the fingerprint typed again.
    #[must_use]
    pub const fn retry(self) -> Retry {
        Retry::OtherInput
    }
}

/// Why the contact book refused. Nothing changed.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Error)]
#[non_exhaustive]
pub enum ContactError {
    /// The book has no such contact.
    #[error("no such contact")]
    NotFound,
    /// The book has a contact of this id already.
    #[error("the contact exists already")]
    Duplicate,
    /// The account key is not a good key.
    #[error("account key: {0}")]
    Key(#[from] KeyError),
    /// Another key than the pinned one is said to be the contact's.
    #[error("the contact's key has changed")]
    KeyChanged,
    /// The key to accept is the pinned one.
    #[error("the contact's key has not changed")]
    KeyNotChanged,
    /// The fingerprint that was compared is not the pinned key's.
    #[error("the fingerprint is not that of the contact's key")]
    FingerprintMismatch,
    /// The key that was scanned is not the pinned one.
    #[error("the scanned key is not the contact's key")]
    ScannedKeyMismatch,
}

impl ContactError {
    /// Whose fault it is. A key that does not match is the transport's: the contact has a new phone,
    /// or somebody answers in the contact's name.
    #[must_use]
    pub const fn fault(self) -> Fault {
        match self {
            Self::NotFound | Self::Duplicate | Self::KeyNotChanged => Fault::Owner,
            Self::Key(_) => Fault::Guest,
            Self::KeyChanged | Self::FingerprintMismatch | Self::ScannedKeyMismatch => Fault::Transport,
        }
    }

    /// What to do.
    #[must_use]
    pub const fn retry(self) -> Retry {
        match self {
            Self::NotFound | Self::Duplicate | Self::Key(_) | Self::FingerprintMismatch | Self::ScannedKeyMismatch => {
                Retry::OtherInput
            }
            Self::KeyChanged => Retry::AfterOwnerActs,
            Self::KeyNotChanged => Retry::Never,
        }
    }
}
