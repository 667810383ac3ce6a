//! A store of records in memory, which can be told to fail.

use std::collections::BTreeMap;
use std::convert::Infallible;

use sharekey::limits::Timestamp;
use sharekey::lock::{self, Cell, Found, Record};

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

    /// What a lock finds in a cell, none of which is ever unreadable here.
    pub fn found(&self, cell: Cell) -> Found<'_> {
        match self.get(cell) {
            Some(bytes) => Found::Bytes(bytes),
            None => Found::Nothing,
        }
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

impl lock::Store for Store {
    type Error = PowerCut;

    fn put(&mut self, record: &Record) -> Result<(), PowerCut> {
        Self::put(self, record)
    }

    fn read<T>(&mut self, cell: Cell, look: impl FnOnce(Found<'_>) -> T) -> T {
        look(self.found(cell))
    }
}

/// The clock is whoever's who says what time it is.
impl lock::Board for Store {
    fn set_clock(&mut self, _to: Option<Timestamp>) -> Result<(), PowerCut> {
        Ok(())
    }
}

/// A store that is only looked at: writing to it fails.
impl lock::Store for &Store {
    type Error = PowerCut;

    fn put(&mut self, _record: &Record) -> Result<(), PowerCut> {
        Err(PowerCut)
    }

    fn read<T>(&mut self, cell: Cell, look: impl FnOnce(Found<'_>) -> T) -> T {
        look(self.found(cell))
    }
}
