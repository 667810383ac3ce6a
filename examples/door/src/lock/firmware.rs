//! The lock that runs: its door on its board, and the card's secret.

use anyhow::{Context as _, bail};
use sharekey::error::LoadError;
use sharekey::id::LockId;
use sharekey::lock::BootError;
use sharekey::secret::ActivationSecret;

use super::any::{self, AnyDoor};
use super::board::{Board, Build};
use super::flash::{Flash, Power};
use crate::args;
use crate::files::{self, Held};
use crate::home::{Home, hex};
use crate::refusal::{By as _, PowerCut};

/// A lock that runs: from its boot to the end of this call.
pub struct Firmware<'h> {
    pub(super) home: &'h Home,
    pub(super) door: Box<dyn AnyDoor<'h> + 'h>,
    /// Whether somebody presses the button inside.
    pub button: bool,
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
        let built = files::read_json::<Build>(&folder.join("build.json"))?;
        let built = built.context("there is no lock here; \"lock new\" makes one")?;
        let held = files::hold(&folder)?;
        let card = read_card(&folder)?;
        let boot = any::size(built.slots).with_context(|| format!("no lock here has {} slots", built.slots))?;
        let flash = Flash::new(folder.join("flash"), Power::new(crash));
        let door = home.draw(|rng| boot(card, Board::new(home, folder, built, flash), rng));
        let door = match door {
            Ok(door) => door,
            Err(BootError::SeedUnreadable) => return Err(LoadError::SeedDamaged).by("the lock"),
            Err(BootError::Seal(error)) => return Err(error).by("the lock"),
            Err(BootError::Board(error)) => return Err(error),
        };
        Ok(Self { home, door, button: false, _held: held })
    }

    pub fn id(&self) -> LockId {
        self.door.id()
    }

    pub(super) fn board(&mut self) -> &mut Board<'h> {
        self.door.board()
    }

    /// What a failed write means: the power is gone, and the time with it.
    pub(super) fn failed(&mut self, error: anyhow::Error) -> anyhow::Error {
        if error.is::<PowerCut>()
            && let Err(other) = self.board().lose_power()
        {
            return other;
        }
        error
    }
}

fn read_card(folder: &std::path::Path) -> anyhow::Result<ActivationSecret> {
    let path = folder.join("card");
    let bytes = files::read(&path)?.context("the lock has no card's secret")?;
    let card = std::str::from_utf8(&bytes).ok().and_then(|text| args::bytes(text.trim()));
    card.map(ActivationSecret::from_bytes).with_context(|| format!("{} is damaged", path.display()))
}
