//! What the lock stands on: flash, clock and bolt.

use std::path::PathBuf;

use anyhow::Context as _;
use serde::{Deserialize, Serialize};
use sharekey::limits::{Action, Timestamp};
use sharekey::lock::{self, Battery, Cell, Clock, Found, Now, Record};

use super::flash::Flash;
use crate::files;
use crate::home::Home;
use crate::moment::{self, Wait};

/// What the maker built in.
#[derive(Serialize, Deserialize)]
pub struct Build {
    pub slots: usize,
    pub clock: bool,
}

/// The bolt, and how often it was told to move.
#[derive(Serialize, Deserialize, Default)]
pub struct Bolt {
    pub open: bool,
    pub moves: u64,
}

/// The clock chip: it was set to `to` when it was `at`. It loses its time with the power.
#[derive(Serialize, Deserialize, Clone, Copy)]
struct ClockChip {
    at: u64,
    to: u64,
}

pub struct Board<'h> {
    home: &'h Home,
    folder: PathBuf,
    pub built: Build,
    flash: Flash,
    /// Since the boot.
    passed: Wait,
}

impl<'h> Board<'h> {
    pub fn new(home: &'h Home, folder: PathBuf, built: Build, flash: Flash) -> Self {
        Self { home, folder, built, flash, passed: Wait::default() }
    }

    pub fn bolt(&self) -> anyhow::Result<Bolt> {
        Ok(files::read_json(&self.folder.join("bolt.json"))?.unwrap_or_default())
    }

    pub fn move_bolt(&self, action: Action) -> anyhow::Result<()> {
        let Bolt { moves, .. } = self.bolt()?;
        let bolt = Bolt { open: action == Action::Open, moves: moves.saturating_add(1) };
        files::write_json(&self.folder.join("bolt.json"), &bolt)
    }

    /// What the clock shows.
    pub fn clock(&self) -> anyhow::Result<Clock> {
        if !self.built.clock {
            return Ok(Clock::Absent);
        }
        let Some(chip) = files::read_json::<ClockChip>(&self.chip())? else {
            return Ok(Clock::Unset);
        };
        let shown = self.time()?.checked_sub(chip.at).and_then(|since| chip.to.checked_add(since));
        Ok(shown.map_or(Clock::Unset, |shown| Clock::At(Timestamp::from_unix_seconds(shown))))
    }

    pub fn now(&self) -> anyhow::Result<Now> {
        Ok(Now { ticks: self.passed.0, clock: self.clock()?, battery: Battery::UNKNOWN })
    }

    /// Time goes by.
    pub fn wait(&mut self, wait: Wait) -> anyhow::Result<()> {
        self.passed = Wait(self.passed.0.checked_add(wait.0).context("too long a time")?);
        self.home.pass(self.passed)
    }

    /// Whatever is not on flash is gone: the open sessions (which end with this call anyhow), and the
    /// time, for the clock chip has no battery. Gives whether there was a time to lose.
    pub fn lose_power(&self) -> anyhow::Result<bool> {
        let chip = self.chip();
        let had_time = chip.exists();
        if had_time {
            std::fs::remove_file(&chip).with_context(|| format!("cannot remove {}", chip.display()))?;
        }
        Ok(had_time)
    }

    fn chip(&self) -> PathBuf {
        self.folder.join("clock.json")
    }

    fn time(&self) -> anyhow::Result<u64> {
        Ok(moment::later(self.home.now(), self.passed)?.unix_seconds())
    }
}

impl lock::Store for Board<'_> {
    type Error = anyhow::Error;

    fn put(&mut self, record: &Record) -> anyhow::Result<()> {
        self.flash.put(record)
    }

    fn read<T>(&mut self, cell: Cell, look: impl FnOnce(Found<'_>) -> T) -> T {
        self.flash.read(cell, look)
    }
}

impl lock::Board for Board<'_> {
    fn set_clock(&mut self, to: Option<Timestamp>) -> anyhow::Result<()> {
        match to {
            Some(to) => files::write_json(&self.chip(), &ClockChip { at: self.time()?, to: to.unix_seconds() }),
            None => self.lose_power().map(drop),
        }
    }
}
