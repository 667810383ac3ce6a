use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::{Encoded, Message, Unverified};
use crate::error::WireError;

/// A message that is kept, and what it says: read once. Stored as its bytes alone.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Kept<T> {
    bytes: Encoded<T>,
    body: T,
}

impl<T: Message + Copy> Kept<T> {
    /// A message that came.
    pub(crate) fn of(message: &Unverified<'_, T>) -> Result<Self, WireError> {
        Ok(Self { bytes: Encoded::of(message)?, body: *message.claims() })
    }
}

impl<T> Kept<T> {
    /// A message that was made of `body`.
    #[cfg(feature = "alloc")]
    pub(crate) const fn made(bytes: Encoded<T>, body: T) -> Self {
        Self { bytes, body }
    }

    pub(crate) const fn bytes(&self) -> &Encoded<T> {
        &self.bytes
    }

    /// What it says: no more than its bytes do.
    pub(crate) const fn body(&self) -> &T {
        &self.body
    }
}

impl<T: Message> core::fmt::Debug for Kept<T> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        self.bytes.fmt(f)
    }
}

impl<T> Serialize for Kept<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.bytes.serialize(serializer)
    }
}

impl<'de, T: Message + Copy> Deserialize<'de> for Kept<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let bytes = Encoded::<T>::deserialize(deserializer)?;
        let body = *Unverified::parse(&bytes).map_err(serde::de::Error::custom)?.claims();
        Ok(Self { bytes, body })
    }
}
