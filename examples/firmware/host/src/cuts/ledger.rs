//! What the bolt did, by the log of the firmware: a line is written where a motor would start.

use std::collections::HashMap;

use crate::{Outcome, ensure};

/// Every key that was ever installed, and how often it opened.
#[derive(Default)]
pub struct Ledger {
    keys: HashMap<String, Entry>,
    /// How much of the log was read.
    read: usize,
    /// How often the bolt moved.
    pub moves: usize,
}

#[derive(Default)]
struct Entry {
    uses: Option<u32>,
    opened: u32,
    /// Openings that a cut came upon, of which nobody knows whether they were counted.
    cut: u32,
    live: bool,
}

impl Ledger {
    /// The device's key may be installed from here on.
    pub fn comes(&mut self, device: &str, uses: Option<u32>) {
        let entry = self.keys.entry(device.to_owned()).or_default();
        (entry.uses, entry.live) = (uses, true);
    }

    /// The device's key must never open again.
    pub fn goes(&mut self, device: &str) {
        self.keys.entry(device.to_owned()).or_default().live = false;
    }

    /// An opening begins, and will be cut.
    pub fn begins(&mut self, device: &str) {
        self.keys.entry(device.to_owned()).or_default().cut += 1;
    }

    /// Reads on in the log; gives how often the bolt has moved there.
    pub fn read(&mut self, log: &str) -> Outcome<usize> {
        let before = self.moves;
        for line in log[self.read..].lines().filter_map(|line| line.strip_prefix("bolt: ")) {
            self.moves += 1;
            self.judge(line)?;
        }
        self.read = log.len();
        Ok(self.moves - before)
    }

    fn judge(&mut self, line: &str) -> Outcome<()> {
        // A device is 64 digits; a cut may have torn its line, after the bolt has moved.
        let Some((_, device)) = line.rsplit_once(" device ").filter(|(_, device)| device.len() == 64) else {
            return Ok(());
        };
        let entry = self.keys.get_mut(device).ok_or_else(|| format!("moved by a key that never was: {line}"))?;
        ensure(entry.live, || format!("moved by a dead key: {line}"))?;
        entry.opened += u32::from(line.starts_with("open"));
        ensure(entry.uses.is_none_or(|uses| entry.opened <= uses), || format!("opened too often: {line}"))
    }

    /// The key's uses are spent, says the lock: each is either an opening or was lost to a cut.
    pub fn spent(&self, device: &str) -> Outcome<()> {
        let entry = self.keys.get(device).ok_or("no such key")?;
        let uses = entry.uses.ok_or("spent, without a limit")?;
        ensure(entry.opened <= uses && uses <= entry.opened + entry.cut, || {
            format!("{} of {uses} uses opened, {} openings were cut", entry.opened, entry.cut)
        })
    }
}
