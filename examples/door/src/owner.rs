//! The owner's phone.

mod at_lock;
mod contact;
mod share;
mod status;

pub use self::at_lock::AtLock;

use std::path::PathBuf;

use anyhow::Context as _;
use sharekey::contacts::ContactBook;
use sharekey::crypto::Ring;
use sharekey::owner::{OwnedLock, Owner};

use crate::cli::OwnerCommand;
use crate::files::{self, Held};
use crate::home::{CRYPTO, Home, Name};
use crate::json;

/// What one owner has: a key, a contact list, and what it knows of the lock.
pub struct Phone<'h> {
    home: &'h Home,
    name: Name,
    folder: PathBuf,
    owner: Owner<Ring>,
    _held: Held,
}

impl<'h> Phone<'h> {
    pub fn open(home: &'h Home, name: &Name) -> anyhow::Result<Self> {
        let folder = home.make_owner(name)?;
        let held = files::hold(&folder)?;
        let owner = Owner::new(CRYPTO, &home.seed(&folder.join("seed"))?)?;
        Ok(Self { home, name: name.clone(), folder, owner, _held: held })
    }

    fn who(&self) -> &str {
        self.name.as_str()
    }

    /// How refusals by this phone begin.
    fn voice(&self) -> String {
        format!("{}'s phone", self.name)
    }

    fn stored_view(&self) -> anyhow::Result<Option<OwnedLock>> {
        files::read_json(&self.folder.join("view.json"))
    }

    fn view(&self) -> anyhow::Result<OwnedLock> {
        let view = self.stored_view()?;
        view.with_context(|| format!("{} owns no lock yet; \"owner provision\" makes one theirs", self.name))
    }

    fn save(&self, view: &OwnedLock) -> anyhow::Result<()> {
        files::write_json(&self.folder.join("view.json"), view)
    }

    /// Unless the lock said that it has none.
    fn knows_a_clock(&self) -> bool {
        !self.folder.join("no-clock").exists()
    }

    fn contacts(&self) -> anyhow::Result<ContactBook> {
        Ok(files::read_json(&self.folder.join("contacts.json"))?.unwrap_or_default())
    }

    fn save_contacts(&self, contacts: &ContactBook) -> anyhow::Result<()> {
        files::write_json(&self.folder.join("contacts.json"), contacts)
    }
}

pub fn run(home: &Home, by: Option<Name>, command: OwnerCommand) -> anyhow::Result<()> {
    let name = by.map_or_else(|| home.current_owner(), Ok)?;
    let phone = Phone::open(home, &name)?;
    match command {
        OwnerCommand::Provision { card, radio } => phone.provision(&card, &radio),
        OwnerCommand::AtLock(command) => phone.at_lock(command),
        OwnerCommand::Contact { command } => phone.contact(command),
        OwnerCommand::Share(share) => phone.share(&share),
        OwnerCommand::Withdraw { slot } => phone.withdraw(slot),
        OwnerCommand::Status { slot, json: true } => json::print(&phone.synced_view()?, &phone.contacts()?, slot),
        OwnerCommand::Status { slot, json: false } => phone.status(slot),
    }
}
