//! Who the guest is, and what was shared with them.

use sharekey::code::ShareCode;
use sharekey::contacts::Fingerprint;
use sharekey::error::{Fault, Retry};
use sharekey::guest::{Account, RingKey};
use sharekey::limits::KeyStanding;
use sharekey::secret::{Exposed, Seed};

use super::{Phone, invitation};
use crate::home::CRYPTO;
use crate::refusal::{By as _, Refusal};
use crate::service::Cloud;
use crate::show;

impl Phone<'_> {
    pub fn show_account(&self) -> anyhow::Result<()> {
        let key = *self.account()?.public_key();
        println!("account      {}", self.name);
        println!("key          {key}");
        println!("fingerprint  {}", Fingerprint::of(&CRYPTO, &key));
        println!("for an owner: door owner contact add {} {key}", self.name);
        Ok(())
    }

    /// Takes a code: asks the service for what is shared by it. The code itself is not kept.
    pub fn redeem(&self, code: &str) -> anyhow::Result<()> {
        let seed = ShareCode::parse(code).by(&self.voice())?.redeem(&CRYPTO);
        let account = Account::from_seed(&CRYPTO, &seed)?;
        let grants = self.ask(&Cloud::open(self.home)?, &account)?;
        let Some(grant) = grants.first() else {
            let what = "nothing is shared by this code, or not any more";
            return Err(Refusal::own("the service", what, Fault::Guest, Retry::AskOwner).into());
        };
        let (mut codes, seed): (Vec<Exposed<Seed>>, _) = (self.load("codes.json")?, Exposed(seed));
        if !codes.contains(&seed) {
            codes.push(seed);
            self.save("codes.json", &codes)?;
        }
        self.take(&mut self.ring()?, grant)?;
        println!("The code is good for {}.", describe(grant)?);
        Ok(())
    }

    /// What the service has for an account.
    fn ask(&self, cloud: &Cloud, account: &Account<sharekey::crypto::Ring>) -> anyhow::Result<Vec<Vec<u8>>> {
        let asked = self.home.draw(|rng| account.ask(&CRYPTO, &cloud.key(), self.home.now(), rng));
        cloud.find(self.who(), &asked.by(&self.voice())?)
    }

    pub fn receive(&self) -> anyhow::Result<()> {
        let (cloud, mut ring) = (Cloud::open(self.home)?, self.ring()?);
        self.tell(&mut ring, &cloud)?;
        let mut found = false;
        for account in self.accounts()? {
            for grant in self.ask(&cloud, &account)? {
                self.take(&mut ring, &grant)?;
                println!("There is {} for {}.", describe(&grant)?, self.name);
                found = true;
            }
        }
        if !found {
            println!("Nothing is shared with {}.", self.name);
        }
        Ok(())
    }

    pub fn show_keys(&self) -> anyhow::Result<()> {
        let ring = self.ring()?;
        let mut rows: Vec<Vec<String>> = ring.keys().map(|held| self.row(held)).collect();
        rows.sort();
        if rows.is_empty() {
            println!("{} has no keys.", self.name);
        } else {
            print!("{}", show::table(&["slot", "key", "limits", "stands", "lock", "epoch", "device"], &rows));
        }
        for receipt in ring.to_send() {
            println!("Receipt {} is still to be sent to the service.", show::short(&receipt.digest(&CRYPTO)));
        }
        Ok(())
    }

    fn row(&self, held: RingKey<'_>) -> Vec<String> {
        let key = held.key();
        let stands = match (held.standing(self.home.now()), held.uses_left()) {
            (KeyStanding::NotYet, _) => "not valid yet".into(),
            (KeyStanding::Over, _) => "over".into(),
            (KeyStanding::UsedUp, _) => "used up".into(),
            (KeyStanding::Valid, Some(left)) => format!("at most {left} left"),
            (KeyStanding::Valid, None) => "valid".into(),
        };
        vec![
            key.slot().to_string(),
            key.generation().to_string(),
            show::limits(key.rights(), key.limits()),
            stands,
            show::short(key.lock().key()),
            key.epoch().to_string(),
            show::short(&key.device()),
        ]
    }
}

/// What a grant gives, in a few words.
fn describe(grant: &[u8]) -> anyhow::Result<String> {
    let offered = invitation(grant)?;
    let limits = show::limits(offered.rights(), offered.limits());
    let (slot, generation, lock) = (offered.slot(), offered.generation(), show::short(offered.lock().key()));
    Ok(format!("key {generation} to slot {slot} of lock {lock} (limits: {limits})"))
}
