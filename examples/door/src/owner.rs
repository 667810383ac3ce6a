//! The owner's phone.

mod at_lock;
mod contact;
mod outbox;
mod share;
pub mod status;

pub use self::at_lock::AtLock;

use std::path::PathBuf;

use anyhow::Context as _;
use sharekey::contacts::ContactBook;
use sharekey::crypto::Ring;
use sharekey::owner::{NewView, OwnedLock, Owner};

use crate::cli::OwnerCommand;
use crate::files::{self, Held};
use crate::home::{CRYPTO, Home, Name};

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
        view.with_context(|| {
            format!(
                "{} owns no lock yet; \"owner provision\" makes a new one theirs, by its card; \"owner adopt\" asks the service \
                 for the lock's word, where it is theirs already; and \"owner take-over\" takes over one that was handed to \
                 them, where that word was lost",
                self.name
            )
        })
    }

    /// Stores a view, in place of the version that it was made from and of no other.
    fn save(&self, view: &OwnedLock) -> anyhow::Result<()> {
        anyhow::ensure!(view.follows(self.stored_view()?.as_ref()), "the view changed meanwhile: try again");
        files::write_json(&self.folder.join("view.json"), view)
    }

    /// Unless the lock said that it has none.
    fn knows_a_clock(&self) -> bool {
        !self.folder.join("no-clock").exists()
    }

    /// Begins with a view; one that is there, and knows more, stays.
    fn begin(&self, new: NewView) -> anyhow::Result<OwnedLock> {
        new.put_new(self.stored_view()?, |view| self.save(view))
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
        OwnerCommand::TakeOver { epoch, radio } => phone.take_over(epoch, &radio),
        OwnerCommand::Adopt => phone.begin_anew(),
        OwnerCommand::Contact { command } => phone.contact(command),
        OwnerCommand::Share(share) => phone.share(&share),
        OwnerCommand::Withdraw { slot } => phone.withdraw(slot),
        OwnerCommand::Status { slot, json: true } => phone.print(slot),
        OwnerCommand::Status { slot, json: false } => phone.status(slot),
    }
}
