//! A store of records in memory, which can be told to fail.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::convert::Infallible;

use sharekey::lock::{Cell, Found, Record};

use crate::firmware::Flash;

/// The write failed: before or after it reached the flash.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct PowerCut;

/// Takes anything at once, and keeps nothing.
///
/// # Errors
/// Never; a store may.
pub fn stored<S>(_: &S) -> Result<(), Infallible> {
    Ok(())
}

/// A store that does so.
pub struct Accepts;

impl Flash for Accepts {
    type Error = Infallible;

    fn put(&mut self, record: &Record) -> Result<(), Infallible> {
        stored(record)
    }

    fn seed<T>(&self, look: impl FnOnce(Found<'_>) -> T) -> T {
        look(Found::Nothing)
    }

    fn read(&self, _: Cell) -> Option<Cow<'_, [u8]>> {
        None
    }
}

#[derive(Clone, Default, PartialEq, Eq, Debug)]
pub struct Store {
    records: BTreeMap<u16, Vec<u8>>,
    /// How many records were written.
    pub writes: usize,
}

impl Store {
    /// Takes every record.
    ///
    /// # Errors
    /// Never; a store may.
    pub fn put(&mut self, record: &Record) -> Result<(), PowerCut> {
        self.set(record.cell(), record.as_bytes().to_vec());
        self.writes += 1;
        Ok(())
    }

    pub fn get(&self, cell: Cell) -> Option<&[u8]> {
        self.records.get(&cell.key()).map(Vec::as_slice)
    }

    /// The cell of the seed, for which nothing there and unreadable are told apart.
    pub fn seed(&self) -> Found<'_> {
        self.get(Cell::Seed).map_or(Found::Nothing, Found::Bytes)
    }

    pub fn set(&mut self, cell: Cell, bytes: Vec<u8>) {
        self.records.insert(cell.key(), bytes);
    }

    /// Everything, by the key of its cell.
    pub fn into_records(self) -> BTreeMap<u16, Vec<u8>> {
        self.records
    }

    pub fn remove(&mut self, cell: Cell) {
        self.records.remove(&cell.key());
    }
}

impl Flash for Store {
    type Error = PowerCut;

    fn put(&mut self, record: &Record) -> Result<(), PowerCut> {
        Self::put(self, record)
    }

    fn seed<T>(&self, look: impl FnOnce(Found<'_>) -> T) -> T {
        look(Self::seed(self))
    }

    fn read(&self, cell: Cell) -> Option<Cow<'_, [u8]>> {
        self.get(cell).map(Cow::Borrowed)
    }
}
