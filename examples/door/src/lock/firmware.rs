//! What stands around the lock role: flash, clock, bolt, and the card's secret.

use std::path::PathBuf;

use anyhow::{Context as _, bail};
use serde::{Deserialize, Serialize};
use sharekey::error::LoadError;
use sharekey::id::LockId;
use sharekey::limits::{Action, Timestamp};
use sharekey::lock::{Clock, Now};

use super::any::{self, AnyLock, Dead, Effect, Size};
use super::flash::{Flash, Power};
use crate::args;
use crate::files::{self, Held};
use crate::home::{Home, hex};
use crate::moment::{self, Wait};
use crate::refusal::{By as _, PowerCut};

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

/// A lock that runs: from its boot to the end of this call.
pub struct Firmware<'h> {
    pub(super) home: &'h Home,
    pub(super) folder: PathBuf,
    pub(super) built: Build,
    pub(super) lock: Box<dyn AnyLock>,
    pub(super) flash: Flash,
    /// Since the boot.
    passed: Wait,
    _held: Held,
}

impl<'h> Firmware<'h> {
    /// Builds the hardware of this home's lock, with an empty flash: the first boot makes the lock.
    pub fn build(home: &'h Home, build: &Build, card: [u8; 16]) -> anyhow::Result<()> {
        let folder = home.lock_folder();
        let _held = files::hold(&folder)?;
        if folder.join("build.json").exists() {
            bail!("this home has a lock already; \"lock show\" shows it, \"lock reset\" makes it another one");
        }
        files::make_folder(&folder.join("flash"))?;
        files::write(&folder.join("card"), hex(&card).as_bytes())?;
        files::write_json(&folder.join("build.json"), build)
    }

    /// Boots the lock from what is on its flash; makes it first, where that was interrupted.
    pub fn boot(home: &'h Home, crash: Option<u64>) -> anyhow::Result<Self> {
        let folder = home.lock_folder();
        let build = files::read_json::<Build>(&folder.join("build.json"))?;
        let build = build.context("there is no lock here; \"lock new\" makes one")?;
        let held = files::hold(&folder)?;
        let card = read_card(&folder)?;
        let mut flash = Flash::new(folder.join("flash"), Power::new(crash));
        let lock = boot(home, &build, card, &mut flash)?;
        Ok(Self { home, folder, built: build, lock, flash, passed: Wait::default(), _held: held })
    }

    pub fn id(&self) -> LockId {
        self.lock.id()
    }

    pub fn bolt(&self) -> anyhow::Result<Bolt> {
        Ok(files::read_json(&self.folder.join("bolt.json"))?.unwrap_or_default())
    }

    /// What the clock shows.
    pub fn clock(&self) -> anyhow::Result<Clock> {
        if !self.built.clock {
            return Ok(Clock::Absent);
        }
        let Some(chip) = files::read_json::<ClockChip>(&self.folder.join("clock.json"))? else {
            return Ok(Clock::Unset);
        };
        let now = moment::later(self.home.now(), self.passed)?.unix_seconds();
        let shown = now.checked_sub(chip.at).and_then(|since| chip.to.checked_add(since));
        Ok(shown.map_or(Clock::Unset, |shown| Clock::At(Timestamp::from_unix_seconds(shown))))
    }

    pub(super) fn now(&self) -> anyhow::Result<Now> {
        Ok(Now { ticks: self.passed.0, clock: self.clock()? })
    }

    /// Time goes by.
    pub(super) fn wait(&mut self, wait: Wait) -> anyhow::Result<()> {
        self.passed = Wait(self.passed.0.checked_add(wait.0).context("too long a time")?);
        self.home.pass(self.passed)
    }

    /// Does what a decision leaves to the firmware. Its record is on flash by now.
    pub(super) fn act(&mut self, effect: Effect) -> anyhow::Result<()> {
        match effect {
            Effect::Nothing => Ok(()),
            Effect::Bolt(action) => {
                let Bolt { moves, .. } = self.bolt()?;
                let bolt = Bolt { open: action == Action::Open, moves: moves.saturating_add(1) };
                files::write_json(&self.folder.join("bolt.json"), &bolt)
            }
            Effect::Clock(to) => {
                let at = moment::later(self.home.now(), self.passed)?.unix_seconds();
                files::write_json(&self.folder.join("clock.json"), &ClockChip { at, to: to.unix_seconds() })
            }
            Effect::MakeAnew => {
                self.lose_power()?;
                let card = read_card(&self.folder)?;
                self.lock = boot(self.home, &self.built, card, &mut self.flash)?;
                Ok(())
            }
        }
    }

    /// Whatever is not on flash is gone: the open sessions (which end with this call anyhow), and the
    /// time, for the clock chip has no battery. Gives whether there was a time to lose.
    pub fn lose_power(&self) -> anyhow::Result<bool> {
        let chip = self.folder.join("clock.json");
        let had_time = chip.exists();
        if had_time {
            std::fs::remove_file(&chip).with_context(|| format!("cannot remove {}", chip.display()))?;
        }
        Ok(had_time)
    }

    /// What a failed write means: the power is gone, and the time with it.
    pub(super) fn failed(&self, error: anyhow::Error) -> anyhow::Error {
        if error.is::<PowerCut>()
            && let Err(other) = self.lose_power()
        {
            return other;
        }
        error
    }
}

fn size_of(build: &Build) -> anyhow::Result<Size> {
    any::size(build.slots).with_context(|| format!("no lock here has {} slots", build.slots))
}

fn boot(home: &Home, build: &Build, card: [u8; 16], flash: &mut Flash) -> anyhow::Result<Box<dyn AnyLock>> {
    let size = size_of(build)?;
    match (size.boot)(card, flash) {
        Ok(lock) => return Ok(lock),
        Err(Dead::Load(LoadError::NotMade)) => {}
        Err(Dead::Load(error)) => return Err(error).by("the lock"),
        Err(Dead::Provider(error)) => return Err(error.into()),
    }
    home.draw(|rng| (size.make)(card, flash, rng))?;
    match (size.boot)(card, flash) {
        Ok(lock) => Ok(lock),
        Err(Dead::Load(error)) => Err(error).by("the lock"),
        Err(Dead::Provider(error)) => Err(error.into()),
    }
}

fn read_card(folder: &std::path::Path) -> anyhow::Result<[u8; 16]> {
    let path = folder.join("card");
    let bytes = files::read(&path)?.context("the lock has no card's secret")?;
    let card = std::str::from_utf8(&bytes).ok().and_then(|text| args::bytes(text.trim()));
    card.with_context(|| format!("{} is damaged", path.display()))
}
