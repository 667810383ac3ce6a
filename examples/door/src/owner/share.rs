//! Sharing, taking back, and what the owner learns of both.

use sharekey::code::ShareCode;
use sharekey::error::{Fault, LimitsError, Retry};
use sharekey::id::SlotId;
use sharekey::limits::{Limits, NeverOpens, Rights};
use sharekey::message::{Completed, Done, WithdrawnOutcome};
use sharekey::owner::{Fact, Learned, OwnedLock, Standing};
use sharekey::wire::Unverified;

use super::Phone;
use crate::cli::{Only, Share};
use crate::home::Home;
use crate::lock::Firmware;
use crate::moment::When;
use crate::refusal::{By as _, Refusal};
use crate::schedule;
use crate::service::Cloud;
use crate::show::short;

impl Phone<'_> {
    pub fn share(&self, share: &Share) -> anyhow::Result<()> {
        let mut view = self.view()?;
        let slot = share.slot;
        let limits = limits(self.home, share)?;
        let rights = rights(share);
        limits.check(rights).by(&self.voice())?;
        if let (Some(why), false) = (limits.never_open(self.home.now(), self.knows_a_clock()), share.anyway) {
            let why = match why {
                NeverOpens::Over => "it is over already",
                NeverOpens::NoTime => "no time that its schedule allows is left between its dates",
                NeverOpens::NoClock => "the lock can never tell the time",
                _ => "its limits never hold",
            };
            let what = format!("this key would never open: {why}; with --anyway it is shared");
            return Err(Refusal::own(&self.voice(), &what, Fault::Owner, Retry::OtherInput).into());
        }
        match &share.to_id {
            Some(id) => {
                let contacts = self.contacts()?;
                let with = (&contacts, id);
                let grant = if share.unverified {
                    self.owner.share_with_unverified_contact(&mut view, slot, with, rights, limits)
                } else {
                    self.owner.share_with_verified_contact(&mut view, slot, with, rights, limits)
                };
                self.publish(&grant.by(&self.voice())?.commit(|next| self.save(next))?)?;
                println!("Slot {slot} is shared with {id}: revocable until they download it.");
            }
            None => {
                let code = self.home.draw(|rng| ShareCode::issue(rng));
                let shared = self.owner.share_by_code(&mut view, slot, code, rights, limits).by(&self.voice())?;
                let shared = shared.commit(|next| self.save(next))?;
                // First, for once the grant is out and nobody was shown the code, nobody can download.
                println!("The code is {}: send it to your guest.", shared.code().as_str());
                self.publish(&shared.shown())?;
                println!("Slot {slot} is shared by it.");
            }
        }
        Ok(())
    }

    fn publish(&self, grant: &[u8]) -> anyhow::Result<()> {
        Cloud::open(self.home)?.take(self.who(), grant).map(drop)
    }

    pub fn withdraw(&self, slot: SlotId) -> anyhow::Result<()> {
        let mut view = self.view()?;
        let withdraw = self.owner.withdraw(&mut view, slot).by(&self.voice())?.commit(|next| self.save(next))?;
        let answer = Cloud::open(self.home)?.take(self.who(), &withdraw)?;
        let learned = self.owner.learn(&mut view, &answer).by(&self.voice())?.commit(|next| self.save(next))?;
        let Fact::Withdrawn { outcome, .. } = learned.fact else { anyhow::bail!("no answer to a withdrawal") };
        match outcome {
            WithdrawnOutcome::NeverReleased => {
                println!("Revoked: nobody downloaded the key to slot {slot}, and now nobody can.");
            }
            WithdrawnOutcome::Released { install } => println!(
                "Reset: the key to slot {slot} had gone out before (install {}). It may open until the next guest's \
                 download overwrites it, or you deactivate the slot.",
                short(&install)
            ),
            WithdrawnOutcome::Settled => println!("Reset: the lock had proved the key to slot {slot} dead before."),
        }
        Ok(())
    }

    /// Takes in a message that somebody brings: the lock's, the service's, or another phone's.
    /// Gives what was learned; nothing where it gave a lock to somebody who had none.
    pub fn hear(&self, message: &[u8]) -> anyhow::Result<Option<Learned>> {
        if self.stored_view()?.is_none() && is_a_transfer(message) {
            self.adopt(Firmware::boot(self.home, None)?.id(), message)?;
            return Ok(None);
        }
        let mut view = self.view()?;
        self.owner.learn(&mut view, message).by(&self.voice())?.commit(|next| self.save(next)).map(Some)
    }

    /// The view, after what the service has for it.
    pub fn synced_view(&self) -> anyhow::Result<OwnedLock> {
        let mut view = self.view()?;
        let cloud = Cloud::open(self.home)?;
        if view.standing() == Standing::Transferred {
            return Ok(view);
        }
        let slots: Vec<SlotId> = view.statuses().map(|status| status.slot).collect();
        for slot in slots {
            let asked = self.home.draw(|rng| self.owner.ask(&view, slot, self.home.now(), rng));
            let (request, pending) = asked.by(&self.voice())?;
            let answer = cloud.report(self.who(), &request)?;
            let seen = self.owner.see(&mut view, pending, &answer).by(&self.voice())?;
            let _ = seen.commit(|next| self.save(next))?;
        }
        Ok(view)
    }
}

fn is_a_transfer(message: &[u8]) -> bool {
    let done = Unverified::<Done>::parse(message);
    done.is_ok_and(|done| matches!(done.claims().completed, Completed::Transfer { .. }))
}

fn rights(share: &Share) -> Rights {
    match share.only {
        None => Rights::OPEN_AND_LOCK,
        Some(Only::Open) => Rights::OPEN,
        Some(Only::Lock) => Rights::LOCK,
    }
}

fn limits(home: &Home, share: &Share) -> anyhow::Result<Limits> {
    let time = |when: Option<When>| when.map(|when| when.after(home.now())).transpose();
    let (from, until) = (time(share.from)?, time(share.until)?);
    let made: Result<Limits, LimitsError> = schedule::build(share.days, share.hours, share.offset)
        .and_then(|schedule| Limits::new(from, until, schedule, share.uses));
    made.by("the owner's phone")
}
