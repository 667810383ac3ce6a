//! The seed's record, by which a lock is this lock and no other.

use super::{Cell, SeedRecord, decode_content, holds};
use crate::crypto::{Crypto, Hash};
use crate::error::{LoadError, SealError};
use crate::lock::keys;
use crate::secret::Seed;

/// What the store has in a cell. The three are told apart because they have opposite consequences where it is the
/// seed's: a lock is made where nothing is, and must not be made, which erases it, where something is that could not
/// be read.
#[derive(Clone, Copy)]
pub enum Found<'a> {
    /// The cell was never written.
    Nothing,
    /// The cell was written, and could not be read.
    Unreadable,
    /// What the cell holds.
    Bytes(&'a [u8]),
}

impl core::fmt::Debug for Found<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(match self {
            Self::Nothing => "Nothing",
            Self::Unreadable => "Unreadable",
            Self::Bytes(_) => "Bytes([redacted])",
        })
    }
}

impl SeedRecord {
    /// The record in these bytes; `None` where they are damaged.
    fn decode(crypto: &impl Crypto, bytes: &[u8]) -> Result<Option<Self>, SealError> {
        let Some((covered, tag)) = bytes.split_last_chunk() else { return Ok(None) };
        let Some(record) = decode_content::<Self>(Cell::Seed, covered) else { return Ok(None) };
        //= spec/protocol.md#records
        //# REC-4. The MAC of the seed's record MUST be under the record key of the seed in it.
        let key = keys::record_key(crypto, &record.seed)?;
        if holds(crypto, &key, covered, tag) { Ok(Some(record)) } else { Ok(None) }
    }
}

/// What goes into the seed of a lock that is made where `found` was: of all that is there, be it damaged, its digest.
pub(crate) fn seed_before(crypto: &impl Hash, found: Found<'_>) -> Seed {
    //= spec/protocol.md#making
    //# LCK-9. At making, what was before MUST be the SHA-256 of the bytes found in the seed's cell, or 32 zero bytes where there are none.
    Seed::from_bytes(match found {
        Found::Bytes(bytes) => crypto.sha256(&[bytes]),
        Found::Nothing | Found::Unreadable => [0; 32],
    })
}

/// A lock's seed as it was read from the store.
#[derive(Debug)]
pub struct StoredSeed(Seed);

impl StoredSeed {
    /// Reads what the store holds in [`Cell::Seed`].
    ///
    /// # Errors
    /// [`LoadError::NotMade`] where the store holds nothing there, or a lock that was not made to
    /// the end; [`LoadError::SeedDamaged`] where the cell cannot be read or what it holds is not what a lock wrote, in
    /// one bit or more; [`LoadError::Seal`] where that cannot be told.
    pub fn read(crypto: &impl Crypto, found: Found<'_>) -> Result<Self, LoadError> {
        let record = match found {
            //= spec/protocol.md#making
            //# LCK-4. A boot that finds no seed record, or one with `initialised` false, MUST make the lock again, from the first step.
            Found::Nothing => return Err(LoadError::NotMade),
            //= spec/protocol.md#making
            //# LCK-5. A boot that finds a damaged seed record MUST NOT take it for a missing one without an order from whoever services the lock.
            Found::Unreadable => None,
            Found::Bytes(bytes) => SeedRecord::decode(crypto, bytes)?,
        };
        //= spec/protocol.md#making
        //# LCK-5. A boot that finds a damaged seed record MUST NOT take it for a missing one without an order from whoever services the lock.
        let record = record.ok_or(LoadError::SeedDamaged)?;
        //= spec/protocol.md#making
        //# LCK-4. A boot that finds no seed record, or one with `initialised` false, MUST make the lock again, from the first step.
        if record.initialised { Ok(Self(record.seed)) } else { Err(LoadError::NotMade) }
    }

    pub(crate) const fn seed(&self) -> &Seed {
        &self.0
    }
}
