//! Whose key is whose, as far as the folders of this home tell.

use std::collections::BTreeMap;

use sharekey::crypto::{PublicKey, Signer};
use sharekey::message::{Challenge, Claim};
use sharekey::secret::{Exposed, Seed};
use sharekey::wire::Unverified;

use crate::files;
use crate::home::{CRYPTO, Home, stored_seed};
use crate::show::short;

pub struct Names(BTreeMap<PublicKey, String>);

impl Names {
    pub fn gather(home: &Home) -> anyhow::Result<Self> {
        let mut names = Self(BTreeMap::new());
        names.of_the_wire(home)?;
        names.add(stored_seed(&home.service_folder().join("seed"))?, "the service")?;
        for name in home.owners()? {
            names.add(stored_seed(&home.owner_folder(&name).join("seed"))?, &owner_label(name.as_str()))?;
        }
        for name in home.guests()? {
            let folder = home.guest_folder(&name);
            names.add(stored_seed(&folder.join("seed"))?, &format!("account {name}"))?;
            for Exposed(seed) in files::read_json::<Vec<Exposed<Seed>>>(&folder.join("codes.json"))?.unwrap_or_default()
            {
                names.add(Some(seed), &format!("a code of {name}"))?;
            }
        }
        Ok(names)
    }

    /// Locks by their challenges, devices by their claims.
    fn of_the_wire(&mut self, home: &Home) -> anyhow::Result<()> {
        for entry in home.wire().list()? {
            let bytes = entry.read()?;
            if let Ok(claim) = Unverified::<Claim>::parse(&bytes) {
                self.0.entry(claim.claims().device).or_insert_with(|| format!("a device of {}", entry.from));
            } else if let Ok(challenge) = Unverified::<Challenge>::parse(&bytes) {
                self.0.insert(*challenge.claims().lock.key(), "lock".into());
            }
        }
        Ok(())
    }

    fn add(&mut self, seed: Option<Seed>, name: &str) -> anyhow::Result<()> {
        if let Some(seed) = seed {
            self.0.insert(*Signer::from_seed(&CRYPTO, &seed)?.public(), name.into());
        }
        Ok(())
    }

    /// Whose key it is, and its first digits.
    pub fn of(&self, key: &PublicKey) -> String {
        match self.0.get(key) {
            Some(name) => format!("{name} ({})", short(key)),
            None => format!("unknown ({})", short(key)),
        }
    }

    pub fn keys(&self) -> impl Iterator<Item = &PublicKey> {
        self.0.keys()
    }
}

fn owner_label(name: &str) -> String {
    if name == "owner" { "owner".into() } else { format!("owner {name}") }
}
