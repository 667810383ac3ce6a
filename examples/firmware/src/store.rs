//! The lock's records on NOR flash: one key of a log-structured map a cell.
//!
//! `sequential-storage` appends each record and finds the newest at reading, so a power cut during
//! [`Store::put`] leaves the record before or the record after.

use embassy_futures::block_on;
use embedded_storage_async::nor_flash::NorFlash;
use sequential_storage::cache::{Cache, Uncached};
use sequential_storage::map::{MapConfig, MapStorage};
use sharekey::lock::{Cell, MAX_RECORD, Record};
use zeroize::Zeroize as _;

/// The longest record, its key of two bytes, and room to round up to a word.
const BUFFER: usize = (MAX_RECORD + 2).next_multiple_of(32);

type Map<F> = MapStorage<u16, F, Cache<Uncached, Uncached, Uncached, u16>>;

/// A write that failed, or a cell that cannot be read.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct StoreFailed;

/// Drivers of some parts want the buffer on a word boundary.
#[repr(align(8))]
struct Buffer([u8; BUFFER]);

/// The store, in the pages that it is given.
pub struct Store<F: NorFlash> {
    map: Map<F>,
    buffer: Buffer,
}

impl<F: NorFlash> Store<F> {
    /// Refuses, when the firmware is compiled, words on which acknowledged writes were lost under
    /// power cuts (sequential-storage, issue 136).
    const WORDS: () = assert!(F::WRITE_SIZE >= 4, "sequential-storage needs words of at least 4 bytes");

    /// The store on whole pages of `flash`, at least two of them.
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
        let Buffer(buffer) = &mut self.buffer;
        let stored = block_on(self.map.store_item(buffer, &record.cell().key(), &record.as_bytes()));
        buffer.zeroize();
        stored.map_err(|_| StoreFailed)
    }

    /// Hands what the cell holds to `read`: `None` where it was never written.
    ///
    /// # Errors
    /// [`StoreFailed`] where it cannot be read. `read` is not called then.
    #[inline(never)]
    pub fn get<T>(&mut self, cell: Cell, read: impl FnOnce(Option<&[u8]>) -> T) -> Result<T, StoreFailed> {
        let Buffer(buffer) = &mut self.buffer;
        let found = block_on(self.map.fetch_item::<&[u8]>(buffer, &cell.key()));
        let read = found.map(read).map_err(|_| StoreFailed);
        buffer.zeroize();
        read
    }

    /// The driver, to ask what it has written.
    pub fn flash(&mut self) -> &mut F {
        self.map.flash()
    }
}
