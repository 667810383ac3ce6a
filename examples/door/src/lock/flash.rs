//! The lock's flash: one file a record, written so that a power cut leaves the old one or the new.

use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use sharekey::lock::{Cell, Found, Record};

use crate::files;
use crate::refusal::PowerCut;

pub struct Flash {
    folder: PathBuf,
    power: Power,
}

/// How many bytes are written before the power is cut. Without a limit it never is.
pub struct Power {
    limit: Option<u64>,
    written: u64,
}

impl Power {
    pub const fn new(limit: Option<u64>) -> Self {
        Self { limit, written: 0 }
    }

    /// How many of `bytes` are written before the power is gone; all, where there is enough.
    fn spend(&mut self, bytes: usize) -> usize {
        let wanted = u64::try_from(bytes).unwrap_or(u64::MAX);
        let left = self.limit.map_or(u64::MAX, |limit| limit.saturating_sub(self.written));
        let spent = wanted.min(left);
        self.written = self.written.saturating_add(spent);
        usize::try_from(spent).unwrap_or(bytes)
    }

    fn check(&self) -> Result<(), PowerCut> {
        match self.limit {
            Some(after) if self.written >= after => Err(PowerCut { after }),
            _ => Ok(()),
        }
    }
}

impl Flash {
    pub const fn new(folder: PathBuf, power: Power) -> Self {
        Self { folder, power }
    }

    /// Returns once the record is durable. The power may be gone before, half-way and after.
    pub fn put(&mut self, record: &Record) -> anyhow::Result<()> {
        self.power.check()?;
        let path = self.path(record.cell());
        let temporary = files::temporary(&path);
        self.write(&temporary, record.as_bytes())?;
        // The renaming counts as one byte, so that a cut can come between it and the writing.
        self.power.check()?;
        files::rename(&temporary, &path).with_context(|| format!("cannot write {}", path.display()))?;
        self.power.spend(1);
        Ok(self.power.check()?)
    }

    fn write(&mut self, path: &Path, bytes: &[u8]) -> anyhow::Result<()> {
        let told = || format!("cannot write {}", path.display());
        let part = bytes.get(..self.power.spend(bytes.len())).unwrap_or(bytes);
        let mut file = File::create(path).with_context(told)?;
        file.write_all(part).and_then(|()| file.sync_all()).with_context(told)
    }

    /// Shows what the cell holds.
    pub fn read<T>(&self, cell: Cell, look: impl FnOnce(Found<'_>) -> T) -> T {
        match files::read(&self.path(cell)) {
            Ok(Some(bytes)) => look(Found::Bytes(&bytes)),
            Ok(None) => look(Found::Nothing),
            Err(_) => look(Found::Unreadable),
        }
    }

    fn path(&self, cell: Cell) -> PathBuf {
        let name = match cell {
            Cell::Seed => "seed".into(),
            Cell::Header => "header".into(),
            Cell::Counter => "counter".into(),
            Cell::Slot(slot) => format!("slot-{slot}"),
        };
        self.folder.join(name).with_extension("rec")
    }
}
