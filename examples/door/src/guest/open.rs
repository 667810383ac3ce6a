//! Opening, offline: only the phone and the lock.

use anyhow::Context as _;
use sharekey::error::GuestError;
use sharekey::guest::Keyring;
use sharekey::id::SlotId;
use sharekey::limits::Action;
use sharekey::message::Connect;
use sharekey::service::Place;

use super::Phone;
use crate::cli::Radio;
use crate::home::CRYPTO;
use crate::lock::Firmware;
use crate::refusal::By as _;

impl Phone<'_> {
    pub fn act(&self, slot: SlotId, lock: bool, radio: &Radio) -> anyhow::Result<()> {
        let action = if lock { Action::Lock } else { Action::Open };
        let mut door = Firmware::boot(self.home, radio.crash_after)?;
        let place = (door.id(), slot);
        self.unlock(&mut door, self.ring()?, place, action, radio)?;
        println!("{} {} the door.", self.name, if lock { "locks" } else { "opens" });
        Ok(())
    }

    /// What an attacker's message in the place of the lock's challenge or answer does to the newest
    /// key's next opening.
    pub fn try_to_open(&self, radio: &Radio) -> anyhow::Result<()> {
        let ring = self.ring()?;
        let last = ring.keys().last().with_context(|| format!("{} has no key to try it with", self.name))?;
        let place = (last.key().lock(), last.key().slot());
        self.unlock(&mut Firmware::boot(self.home, radio.crash_after)?, ring, place, Action::Open, radio)
    }

    fn unlock(
        &self,
        door: &mut Firmware<'_>,
        mut ring: Keyring,
        (lock, slot): Place,
        action: Action,
        radio: &Radio,
    ) -> anyhow::Result<()> {
        let key = ring.key(lock, slot).with_context(|| {
            let how = format!("\"guest {} download {slot}\" gets one", self.name);
            format!("{} has no key to slot {slot} of this lock; {how}", self.name)
        })?;
        let mut waiting = None;
        let heard = door.exchange(self.who(), &Connect::OPERATE, radio, |challenge| {
            let made = self.home.draw(|rng| key.key().unlock(&CRYPTO, challenge, action, rng));
            let (unlock, awaiting) = made.by(&self.voice())?;
            waiting = Some(awaiting);
            Ok(unlock.to_vec())
        })?;
        let Some(awaiting) = waiting else { anyhow::bail!("nothing was asked of the lock") };
        let told = match ring.reply(&CRYPTO, &awaiting, &heard.answer) {
            Ok(staged) => staged.commit(|next| self.keep(next))?.map_err(GuestError::Refused),
            Err(error) => Err(error),
        };
        // This lock has no battery to tell of.
        heard.check(&self.voice(), told).map(drop)
    }
}
