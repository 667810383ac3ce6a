//! A store of records in memory, which can be told to fail.

use std::collections::BTreeMap;

use sharekey::lock::{Cell, Found, Record};

/// The write failed: before or after it reached the flash.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct PowerCut;

#[derive(Clone, Default, PartialEq, Eq, Debug)]
pub struct Store {
    records: BTreeMap<u16, Vec<u8>>,
    /// How many records were written.
    pub writes: usize,
}

impl Store {
    pub fn put(&mut self, record: &Record) -> Result<(), PowerCut> {
        self.records.insert(record.cell().key(), record.as_bytes().to_vec());
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

    pub fn remove(&mut self, cell: Cell) {
        self.records.remove(&cell.key());
    }
}
