//! A guest's phone.

mod account;
mod download;
mod open;

use std::path::PathBuf;

use serde::Serialize;
use serde::de::DeserializeOwned;
use sharekey::crypto::Ring;
use sharekey::error::GuestError;
use sharekey::guest::{Account, Invitation, Keyring, RingChange, Taken};
use sharekey::secret::{Exposed, Seed};

use crate::cli::GuestCommand;
use crate::files::{self, Held};
use crate::home::{CRYPTO, Home, Name};
use crate::refusal::{By as _, Refusal};
use crate::service::Cloud;

/// What one guest has: an account, redeemed codes, and a ring of claims and keys.
pub struct Phone<'h> {
    home: &'h Home,
    name: Name,
    folder: PathBuf,
    /// The file of the device's ring.
    stored: &'static str,
    _held: Held,
}

impl<'h> Phone<'h> {
    pub fn open(home: &'h Home, name: &Name) -> anyhow::Result<Self> {
        let folder = home.make_guest(name)?;
        let held = files::hold(&folder)?;
        Ok(Self { home, name: name.clone(), folder, stored: "ring.json", _held: held })
    }

    fn who(&self) -> &str {
        self.name.as_str()
    }

    fn voice(&self) -> String {
        format!("{}'s phone", self.name)
    }

    fn load<T: DeserializeOwned + Default>(&self, file: &str) -> anyhow::Result<T> {
        Ok(files::read_json(&self.folder.join(file))?.unwrap_or_default())
    }

    fn save(&self, file: &str, value: &impl Serialize) -> anyhow::Result<()> {
        files::write_json(&self.folder.join(file), value)
    }

    fn account(&self) -> anyhow::Result<Account<Ring>> {
        Ok(Account::from_seed(&CRYPTO, &self.home.seed(&self.folder.join("seed"))?)?)
    }

    /// The account and the accounts that codes stand for.
    fn accounts(&self) -> anyhow::Result<Vec<Account<Ring>>> {
        let mut accounts = vec![self.account()?];
        for Exposed(seed) in self.load::<Vec<Exposed<Seed>>>("codes.json")? {
            accounts.push(Account::from_seed(&CRYPTO, &seed)?);
        }
        Ok(accounts)
    }

    /// Keys lie open in files here; an app seals them.
    fn ring(&self) -> anyhow::Result<Keyring> {
        let stored: Option<Exposed<Keyring>> = files::read_json(&self.folder.join(self.stored))?;
        Ok(stored.map(|Exposed(ring)| ring).unwrap_or_default())
    }

    /// One step of the ring, stored.
    fn step<T>(&self, change: RingChange<'_, T>) -> anyhow::Result<T> {
        change.by(&self.voice())?.commit(|next| self.keep(next))
    }

    fn keep(&self, ring: &Keyring) -> anyhow::Result<()> {
        self.save(self.stored, &Exposed(ring))
    }

    /// Takes a grant in, for whichever of the accounts it is.
    fn take(&self, ring: &mut Keyring, grant: &[u8]) -> anyhow::Result<Taken> {
        let subject = *invitation(grant)?.subject();
        let account = self.accounts()?.into_iter().find(|account| *account.public_key() == subject);
        let account = account.ok_or(GuestError::NotTheSubject).by(&self.voice())?;
        self.step(self.home.draw(|rng| ring.take(&CRYPTO, &account, grant, None, rng)))
    }

    /// Sends the service what it has not got yet, at every contact.
    fn tell(&self, ring: &mut Keyring, cloud: &Cloud) -> anyhow::Result<()> {
        for receipt in ring.to_send().to_vec() {
            match cloud.take(self.who(), &receipt) {
                // It is of an ownership that is over, say.
                Err(error) if !error.is::<Refusal>() => return Err(error),
                _ => self.step(ring.sent(&receipt))?,
            }
        }
        Ok(())
    }
}

fn invitation(grant: &[u8]) -> anyhow::Result<Invitation> {
    Invitation::read(grant).by("the guest's phone")
}

pub fn run(home: &Home, name: &Name, command: GuestCommand) -> anyhow::Result<()> {
    let phone = Phone::open(home, name)?;
    match command {
        GuestCommand::Account => phone.show_account(),
        GuestCommand::Redeem { code } => phone.redeem(&code),
        GuestCommand::Receive => phone.receive(),
        GuestCommand::Download { slot, again, new_device, keep_receipt, release_with, rogue, radio } => {
            phone.download(slot, &download::Way { again, new_device, keep_receipt, release_with, rogue, radio })
        }
        GuestCommand::Open { slot, lock, radio } => phone.act(slot, lock, &radio),
        GuestCommand::Keys => phone.show_keys(),
    }
}
