//! Who and what: [`LockId`], [`SlotId`], [`SlotCount`], and (with `alloc`) `AccountId` and `ContactName`.

use core::num::NonZeroU8;

use serde::{Deserialize, Serialize};

use crate::crypto::PublicKey;
use crate::error::{HexError, WireError};

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

/// How many slots a lock has: 1 to 255. It never goes down in a lock's life.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(try_from = "u8", into = "u8")]
pub struct SlotCount(NonZeroU8);

impl SlotCount {
    /// The most that a lock can have.
    pub const MAX: Self = Self(NonZeroU8::MAX);

    /// So many; `None` for 0.
    #[must_use]
    pub const fn new(count: u8) -> Option<Self> {
        match NonZeroU8::new(count) {
            Some(count) => Some(Self(count)),
            None => None,
        }
    }

    /// The number.
    #[must_use]
    pub const fn value(self) -> u8 {
        self.0.get()
    }

    /// The slots that a lock with so many has.
    pub fn slots(self) -> impl Iterator<Item = SlotId> {
        (0..self.value()).map(SlotId::new)
    }
}

impl From<SlotCount> for u8 {
    fn from(count: SlotCount) -> Self {
        count.value()
    }
}

impl TryFrom<u8> for SlotCount {
    type Error = WireError;

    fn try_from(count: u8) -> Result<Self, WireError> {
        //= spec/protocol.md#encoding
        //# MSG-7. A decoder MUST refuse a number outside the range given for its field.
        Self::new(count).ok_or(WireError::Value)
    }
}

impl core::fmt::Display for SlotCount {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        self.0.fmt(f)
    }
}
