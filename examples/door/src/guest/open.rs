//! Opening, offline: only the phone and the lock.

use sharekey::guest::GuestKey;
use sharekey::id::SlotId;
use sharekey::limits::Action;
use sharekey::message::Connect;

use super::Phone;
use crate::cli::Radio;
use crate::home::CRYPTO;
use crate::lock::Firmware;
use crate::refusal::By as _;

impl Phone<'_> {
    pub fn act(&self, slot: SlotId, lock: bool, radio: &Radio) -> anyhow::Result<()> {
        let key = self.key(slot)?;
        let action = if lock { Action::Lock } else { Action::Open };
        self.unlock(&key, action, radio)?;
        println!("{} {} the door.", self.name, if lock { "locks" } else { "opens" });
        Ok(())
    }

    /// What an attacker's message in the place of the lock's challenge or answer does to the newest
    /// key's next opening.
    pub fn try_to_open(&self, radio: &Radio) -> anyhow::Result<()> {
        let Some(key) = self.keys()?.pop() else { anyhow::bail!("{} has no key to try it with", self.name) };
        self.unlock(&key, Action::Open, radio)
    }

    fn unlock(&self, key: &GuestKey, action: Action, radio: &Radio) -> anyhow::Result<()> {
        let mut lock = Firmware::boot(self.home, radio.crash_after)?;
        let mut waiting = None;
        let heard = lock.exchange(self.who(), &Connect::OPERATE, radio, |challenge| {
            let made = self.home.draw(|rng| key.unlock(&CRYPTO, challenge, action, rng));
            let (unlock, awaiting) = made.by(&self.voice())?;
            waiting = Some(awaiting);
            Ok(unlock.to_vec())
        })?;
        let Some(awaiting) = waiting else { anyhow::bail!("nothing was asked of the lock") };
        let answer = heard.answer.clone();
        // This lock has no battery to tell of.
        heard.check(&self.voice(), key.check_reply(&CRYPTO, &awaiting, &answer)).map(drop)
    }
}
