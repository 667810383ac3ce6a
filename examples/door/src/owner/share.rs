//! Sharing, taking back, and what the owner learns of both.

use anyhow::Context as _;
use sharekey::code::ShareCode;
use sharekey::error::{Fault, LimitsError, Retry};
use sharekey::id::SlotId;
use sharekey::limits::{Limits, NeverOpens, Rights};
use sharekey::message::{Completed, Done, WithdrawnOutcome};
use sharekey::owner::{KeyStatus, Learned, OwnedLock};
use sharekey::slot::GrantRef;
use sharekey::wire::Unverified;

use super::Phone;
use crate::cli::{Only, Share};
use crate::home::Home;
use crate::lock::Firmware;
use crate::moment::When;
use crate::refusal::{By as _, Refusal};
use crate::schedule;
use crate::service::Unreachable;
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
        self.before_signing(&mut view, slot)?;
        match &share.to_id {
            Some(id) => {
                let contacts = self.contacts()?;
                let with = (&contacts, id);
                let grant = if share.unverified {
                    self.owner.share_with_unverified_contact(&mut view, slot, with, rights, limits)
                } else {
                    self.owner.share_with_verified_contact(&mut view, slot, with, rights, limits)
                };
                let grant = grant.by(&self.voice())?.commit(|next| self.save(next))?;
                self.send_if_reached(&mut view)?.check(&grant)?;
                println!("Slot {slot} is shared with {id}: revocable until they download it.");
            }
            None => {
                let code = self.home.draw(|rng| ShareCode::issue(rng));
                let code = self.owner.share_by_code(&mut view, slot, code, rights, limits).by(&self.voice())?;
                let code = code.commit(|next| self.save(next))?;
                // First, for once the grant is out and nobody was shown the code, nobody can download.
                println!("The code is {}: send it to your guest.", code.as_str());
                let grant = self.owner.code_shown(&mut view, slot).by(&self.voice())?;
                let grant = grant.commit(|next| self.save(next))?;
                self.send_if_reached(&mut view)?.check(&grant)?;
                println!("Slot {slot} is shared by it.");
            }
        }
        Ok(())
    }

    /// What the service knows, this phone is to know before it signs: which keys are proved dead, and what another phone
    /// of the owner did. Where it cannot be reached, what is known has to do.
    fn before_signing(&self, view: &mut OwnedLock, slot: SlotId) -> anyhow::Result<()> {
        let is_there = view.every_slot().any(|known| known == slot);
        let ask = |view: &mut OwnedLock| if is_there { self.see(view, slot) } else { Ok(()) };
        match self.send(view).and_then(|_| ask(view)) {
            Err(error) if error.is::<Unreachable>() => Ok(()),
            done => done,
        }
    }

    pub fn withdraw(&self, slot: SlotId) -> anyhow::Result<()> {
        let mut view = self.view()?;
        // A withdrawal does not wait for a report; where there is one, it is of what is shared now.
        let _ = self.before_signing(&mut view, slot);
        let shared = view.status(slot).shared.map(|key| key.key);
        let withdraw = self.owner.withdraw(&mut view, slot).by(&self.voice())?.commit(|next| self.save(next))?;
        let key = shared.context("a withdrawal is of a share")?;
        let mut sent = self.send_if_reached(&mut view)?;
        sent.check(&withdraw)?;
        // What is said is of this key; of the slot, what a report knows of it.
        let _ = self.see(&mut view, slot);
        let others: Vec<KeyStatus> = view.status(slot).may_open.into_iter().filter(|other| other.key != key).collect();
        let twice = others.iter().any(|other| other.key.generation == key.generation);
        let named = |key: GrantRef| {
            let GrantRef { generation, grant } = key;
            if twice { format!("key {generation} (grant {})", short(&grant)) } else { format!("key {generation}") }
        };
        let this = named(key);
        match sent.answer(slot, key) {
            None => println!("Until the service has answered, {this} of slot {slot} can still be downloaded."),
            Some(WithdrawnOutcome::NeverReleased) => {
                println!("Revoked: nobody downloaded {this} of slot {slot}, and now nobody can.");
            }
            Some(WithdrawnOutcome::Released { install }) => println!(
                "Reset: {this} of slot {slot} had gone out before (install {}). It may open until the next guest's \
                 download overwrites it, or you deactivate the slot.",
                short(&install)
            ),
            Some(WithdrawnOutcome::Settled) => {
                println!("Reset: the lock had proved {this} of slot {slot} dead before.");
            }
        }
        if !others.is_empty() {
            let keys: Vec<String> = others.iter().map(|other| named(other.key)).collect();
            println!("Slot {slot} may still be opened by {}.", keys.join(", "));
        }
        Ok(())
    }

    /// Takes in a message that somebody brings: the lock's, the service's, or another phone's.
    /// Gives what was learned; nothing where it gave a lock to somebody who had none.
    pub fn hear(&self, message: &[u8]) -> anyhow::Result<Option<Learned>> {
        if self.stored_view()?.is_none() && is_a_transfer(message) {
            let _ = self.adopt(Firmware::boot(self.home, None)?.id(), message)?;
            return Ok(None);
        }
        let mut view = self.view()?;
        self.owner.learn(&mut view, message).by(&self.voice())?.commit(|next| self.save(next)).map(Some)
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
