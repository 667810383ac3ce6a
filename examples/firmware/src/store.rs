//! The lock's records on NOR flash: one key of a log-structured map a cell.
//!
//! `sequential-storage` appends each record and finds the newest at reading, so a power cut during
//! [`Records::put`] leaves the record before or the record after.
//!
//! What fails its checksum it passes over, which is right for a record that a cut has torn and wrong for
//! one that was stored and has decayed: the lock would get an older copy. So each record has a version,
//! and after it, a mark of that version is written under another key. A record older than its mark is
//! none. A cut between the two leaves a record newer than its mark, which is good.

use embassy_futures::block_on;
use embedded_storage_async::nor_flash::NorFlash;
use sequential_storage::cache::{Cache, Uncached};
use sequential_storage::map::{MapConfig, MapStorage, SerializationError, Value};
use sharekey::lock::{Cell, Found, MAX_RECORD, Record};
use zeroize::Zeroize as _;

const KEY: usize = 2;
const VERSION: usize = 4;

/// The longest record, what stands before it, and room to round up to a word.
const BUFFER: usize = (KEY + VERSION + MAX_RECORD).next_multiple_of(32);

/// Marks are under the key of their cell, and this.
const MARK: u16 = 1 << 15;

type Map<F> = MapStorage<u16, F, Cache<Uncached, Uncached, Uncached, u16>>;

/// A write that failed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct StoreFailed;

impl core::fmt::Display for StoreFailed {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("a write failed")
    }
}

/// Drivers of some parts want the buffer on a word boundary.
#[repr(align(8))]
struct Buffer([u8; BUFFER]);

/// The records, in the pages that they are given.
pub struct Records<F: NorFlash> {
    map: Map<F>,
    buffer: Buffer,
}

impl<F: NorFlash> Records<F> {
    /// Refuses, when the firmware is compiled, words on which acknowledged writes were lost under
    /// power cuts (sequential-storage, issue 136).
    const WORDS: () = assert!(F::WRITE_SIZE >= 4, "sequential-storage needs words of at least 4 bytes");

    /// Records on whole pages of `flash`, at least two of them.
    #[must_use]
    pub const fn new(flash: F, pages: MapConfig<F>) -> Self {
        let () = Self::WORDS;
        Self { map: MapStorage::new(flash, pages, Cache::new_uncached()), buffer: Buffer([0; BUFFER]) }
    }

    /// Stores a record; returns once it is durable.
    ///
    /// # Errors
    /// [`StoreFailed`]: it may have been stored or not. Nothing of it lingers: the call is over.
    #[inline(never)]
    pub fn put(&mut self, record: &Record) -> Result<(), StoreFailed> {
        let key = record.cell().key();
        // What cannot be read is no reason not to write.
        let newest = self.version(key).unwrap_or_default().max(self.version(key | MARK).unwrap_or_default());
        let version = newest.checked_add(1).ok_or(StoreFailed)?;
        self.store(key, &Versioned { version, record: record.as_bytes() })?;
        self.store(key | MARK, &Versioned { version, record: &[] })
    }

    /// Shows what the cell holds.
    pub fn read<T>(&mut self, cell: Cell, look: impl FnOnce(Found<'_>) -> T) -> T {
        let looked = look(self.find(cell));
        self.wipe();
        looked
    }

    #[inline(never)]
    fn find(&mut self, cell: Cell) -> Found<'_> {
        let mark = self.version(cell.key() | MARK);
        match (mark, self.fetch(cell.key())) {
            (Ok(mark), Ok(Some(Versioned { version, record }))) if version >= mark => Found::Bytes(record),
            (Ok(0), Ok(None)) => Found::Nothing,
            // It cannot be read, or it was stored and is gone.
            _ => Found::Unreadable,
        }
    }

    /// 0 where there is none.
    #[inline(never)]
    fn version(&mut self, key: u16) -> Result<u32, StoreFailed> {
        let version = self.fetch(key).map(|found| found.map_or(0, |found| found.version));
        self.wipe();
        version
    }

    /// What is there stands in the buffer, until that is wiped.
    #[inline(never)]
    fn fetch(&mut self, key: u16) -> Result<Option<Versioned<'_>>, StoreFailed> {
        let Buffer(buffer) = &mut self.buffer;
        block_on(self.map.fetch_item(buffer, &key)).map_err(|_| StoreFailed)
    }

    #[inline(never)]
    fn wipe(&mut self) {
        let Buffer(buffer) = &mut self.buffer;
        buffer.zeroize();
    }

    fn store(&mut self, key: u16, value: &Versioned<'_>) -> Result<(), StoreFailed> {
        let Buffer(buffer) = &mut self.buffer;
        let stored = block_on(self.map.store_item(buffer, &key, value)).map_err(|_| StoreFailed);
        self.wipe();
        stored
    }

    /// The driver, to ask what it has written.
    pub fn flash(&mut self) -> &mut F {
        self.map.flash()
    }
}

/// A record, or nothing in the place of one, and how many there were of its cell.
struct Versioned<'a> {
    version: u32,
    record: &'a [u8],
}

impl<'a> Value<'a> for Versioned<'a> {
    fn serialize_into(&self, buffer: &mut [u8]) -> Result<usize, SerializationError> {
        let (version, record) = buffer.split_first_chunk_mut().ok_or(SerializationError::BufferTooSmall)?;
        *version = self.version.to_le_bytes();
        let record = record.get_mut(..self.record.len()).ok_or(SerializationError::BufferTooSmall)?;
        record.iter_mut().zip(self.record).for_each(|(to, from)| *to = *from);
        Ok(VERSION.saturating_add(self.record.len()))
    }

    fn deserialize_from(buffer: &'a [u8]) -> Result<(Self, usize), SerializationError> {
        let (version, record) = buffer.split_first_chunk().ok_or(SerializationError::BufferTooSmall)?;
        Ok((Self { version: u32::from_le_bytes(*version), record }, buffer.len()))
    }
}
