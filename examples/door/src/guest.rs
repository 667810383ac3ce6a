//! A guest's phone.

mod account;
mod download;
mod open;

use std::collections::BTreeMap;
use std::path::PathBuf;

use anyhow::Context as _;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use sharekey::crypto::Ring;
use sharekey::guest::{Account, Claimed, GuestKey, Installing, Invitation};
use sharekey::id::SlotId;
use sharekey::secret::Seed;

use crate::cli::GuestCommand;
use crate::files::{self, Held};
use crate::home::{CRYPTO, Home, Name};
use crate::refusal::By as _;

/// What one guest has: an account, redeemed codes, grants, claims and keys.
pub struct Phone<'h> {
    home: &'h Home,
    name: Name,
    folder: PathBuf,
    _held: Held,
}

/// The one download that was tried last.
#[derive(Serialize, Deserialize)]
struct Attempt {
    installing: Installing,
    release: Option<Vec<u8>>,
}

/// The claims by the digest of their grant.
type Claims = BTreeMap<String, Claimed>;

impl<'h> Phone<'h> {
    pub fn open(home: &'h Home, name: &Name) -> anyhow::Result<Self> {
        let folder = home.make_guest(name)?;
        let held = files::hold(&folder)?;
        Ok(Self { home, name: name.clone(), folder, _held: held })
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
        for seed in self.load::<Vec<Seed>>("codes.json")? {
            accounts.push(Account::from_seed(&CRYPTO, &seed)?);
        }
        Ok(accounts)
    }

    /// The grants that came, the newest last.
    fn grants(&self) -> anyhow::Result<Vec<Vec<u8>>> {
        self.load("grants.json")
    }

    /// Keeps a grant; gives whether it is new.
    fn keep_grant(&self, grant: &[u8]) -> anyhow::Result<bool> {
        let mut grants = self.grants()?;
        if grants.iter().any(|known| known == grant) {
            return Ok(false);
        }
        grants.push(grant.to_vec());
        self.save("grants.json", &grants)?;
        Ok(true)
    }

    fn keys(&self) -> anyhow::Result<Vec<GuestKey>> {
        self.load("keys.json")
    }

    /// Keeps a key, in place of an earlier one from the same grant.
    fn keep_key(&self, key: GuestKey) -> anyhow::Result<()> {
        let mut keys = self.keys()?;
        keys.retain(|known| known.grant() != key.grant());
        keys.push(key);
        self.save("keys.json", &keys)
    }

    /// The newest key to a slot.
    fn key(&self, slot: SlotId) -> anyhow::Result<GuestKey> {
        let key = self.keys()?.into_iter().rfind(|key| key.slot() == slot);
        key.with_context(|| {
            format!("{} has no key to slot {slot}; \"guest {} download {slot}\" gets one", self.name, self.name)
        })
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
        GuestCommand::Download { slot, new_device, keep_receipt, release_with, rogue, radio } => {
            phone.download(slot, &download::Way { new_device, keep_receipt, release_with, rogue, radio })
        }
        GuestCommand::Open { slot, lock, radio } => phone.act(slot, lock, &radio),
        GuestCommand::Keys => phone.show_keys(),
    }
}
