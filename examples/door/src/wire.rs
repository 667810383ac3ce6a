//! The wire: every message that crossed between roles, kept as an attacker would.

mod explain;
pub mod names;
mod replay;
mod show;

use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use sharekey::wire::Kind;

use crate::cli::WireCommand;
use crate::files;
use crate::home::Home;
use crate::show::table;

/// The recorder's folder: one file a message, `NNNN-kind-from-to.bin`.
#[derive(Debug)]
pub struct Wire(PathBuf);

/// One recorded message.
#[derive(Clone, Debug)]
pub struct Entry {
    pub number: u32,
    pub kind: String,
    pub from: String,
    pub to: String,
    path: PathBuf,
}

impl Wire {
    pub const fn new(folder: PathBuf) -> Self {
        Self(folder)
    }

    /// Keeps a message that goes from one role to another.
    pub fn record(&self, from: &str, to: &str, bytes: &[u8]) -> anyhow::Result<u32> {
        let _held = files::hold(&self.0)?;
        let number = self.list()?.last().map_or(0, |entry| entry.number).checked_add(1).context("the wire is full")?;
        let kind = kind_name(bytes);
        files::write(&self.0.join(format!("{number:04}-{kind}-{from}-{to}.bin")), bytes)?;
        Ok(number)
    }

    /// [`record`](Self::record), unless the very same message went the very same way before: what is
    /// only looked up again is not news.
    pub fn record_once(&self, from: &str, to: &str, bytes: &[u8]) -> anyhow::Result<()> {
        for entry in self.list()?.iter().filter(|entry| entry.from == from && entry.to == to) {
            if entry.read()? == bytes {
                return Ok(());
            }
        }
        self.record(from, to, bytes).map(|_| ())
    }

    pub fn list(&self) -> anyhow::Result<Vec<Entry>> {
        let mut entries: Vec<Entry> = files::list(&self.0)?.iter().filter_map(|path| Entry::at(path)).collect();
        entries.sort_by_key(|entry| entry.number);
        Ok(entries)
    }

    pub fn entry(&self, number: u32) -> anyhow::Result<Entry> {
        match self.list()?.into_iter().find(|entry| entry.number == number) {
            Some(entry) => Ok(entry),
            None => bail!("there is no message {number} on the wire; \"wire list\" shows what there is"),
        }
    }

    pub fn read(&self, number: u32) -> anyhow::Result<Vec<u8>> {
        self.entry(number)?.read()
    }
}

impl Entry {
    fn at(path: &Path) -> Option<Self> {
        let name = path.file_name()?.to_str()?.strip_suffix(".bin")?;
        let mut parts = name.splitn(4, '-');
        let (number, kind, from, to) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
        let number = number.parse().ok()?;
        Some(Self { number, kind: kind.into(), from: from.into(), to: to.into(), path: path.into() })
    }

    pub fn read(&self) -> anyhow::Result<Vec<u8>> {
        files::read(&self.path)?.with_context(|| format!("message {} is gone", self.number))
    }
}

fn kind_name(bytes: &[u8]) -> String {
    Kind::of(bytes).map_or_else(|_| "unknown".into(), |kind| format!("{kind:?}").to_lowercase())
}

pub fn run(home: &Home, command: WireCommand) -> anyhow::Result<()> {
    match command {
        WireCommand::List => list(home),
        WireCommand::Show { number } => show::show(home, number),
        WireCommand::Replay { number, to, button } => replay::replay(home, number, to, button),
    }
}

fn list(home: &Home) -> anyhow::Result<()> {
    let mut rows = Vec::new();
    for entry in home.wire().list()? {
        let length = entry.read()?.len().to_string();
        rows.push(vec![entry.number.to_string(), entry.kind, entry.from, entry.to, length]);
    }
    if rows.is_empty() {
        println!("Nothing crossed the wire yet.");
    } else {
        print!("{}", table(&["no.", "kind", "from", "to", "bytes"], &rows));
    }
    Ok(())
}
