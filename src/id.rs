//! Who and what: [`LockId`], [`SlotId`], and (with `alloc`) `AccountId` and `ContactName`.

use serde::{Deserialize, Serialize};

use crate::crypto::PublicKey;
use crate::error::HexError;

#[cfg(feature = "alloc")]
mod name;

#[cfg(feature = "alloc")]
pub use self::name::{AccountId, ContactName};

/// A lock's identity: its Ed25519 public key, 32 bytes. Whoever names a lock can check what it
/// signs. A factory reset makes a new one.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
pub struct LockId(PublicKey);

impl LockId {
    /// The lock that signs with the private half of `key`.
    #[must_use]
    pub const fn new(key: PublicKey) -> Self {
        Self(key)
    }

    /// The key under which this lock's statements are checked.
    #[must_use]
    pub const fn key(&self) -> &PublicKey {
        &self.0
    }
}

impl core::fmt::Display for LockId {
    /// Lower-case hexadecimal.
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        self.0.fmt(f)
    }
}

impl core::str::FromStr for LockId {
    type Err = HexError;

    /// Reads hexadecimal, of either case.
    fn from_str(text: &str) -> Result<Self, HexError> {
        text.parse().map(Self)
    }
}

/// Which of a lock's slots ("locations" in the app), from 0. A lock has at most 255.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
pub struct SlotId(u8);

impl SlotId {
    /// The slot with this index, from 0.
    #[must_use]
    pub const fn new(index: u8) -> Self {
        Self(index)
    }

    /// The index, from 0.
    #[must_use]
    pub const fn index(self) -> u8 {
        self.0
    }
}

impl core::fmt::Display for SlotId {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        self.0.fmt(f)
    }
}
