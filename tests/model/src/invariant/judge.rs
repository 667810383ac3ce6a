//! Which event breaks which invariant.

use alloc::collections::BTreeSet;

use super::{
    Answered, Event, GrantFacts, Held, Invariant, Ledger, LockFacts, Order, Place, Service, SlotFacts, Violation,
    Withdrawal, must,
};
use sharekey::counter::{Epoch, Generation};
use sharekey::crypto::{Digest, PublicKey};
use sharekey::id::LockId;

type Judged = Result<(), Violation>;

const fn broken<T>(invariant: Invariant, what: &'static str) -> Result<T, Violation> {
    Err(Violation { invariant, what })
}

impl Ledger {
    /// Notes what happened.
    ///
    /// # Errors
    /// The first invariant that it breaks. The ledger is of no use after that.
    pub fn observe(&mut self, event: &Event) -> Judged {
        match *event {
            Event::Challenged { lock, nonce } => {
                let fresh = self.locks.entry(lock).or_default().given.insert(nonce);
                must(fresh, Invariant::Replay, "a nonce was given twice")
            }
            Event::Owned { lock, epoch, owner, answered, command } => self.own(lock, epoch, owner, answered, command),
            Event::Erased { lock, answered } => {
                let facts = self.answer(lock, answered)?;
                facts.erased = true;
                Ok(())
            }
            Event::Ordered { command, owner, lock, epoch } => {
                self.orders.insert(command, (owner, lock, epoch));
                Ok(())
            }
            Event::Meant { command, order } => {
                self.meant.insert(command, order);
                Ok(())
            }
            Event::Granted { grant, owner, place, generation, uses } => {
                self.grants.entry(grant).or_insert(GrantFacts {
                    owner,
                    place,
                    generation,
                    uses,
                    claimed: BTreeSet::new(),
                    released: None,
                    withdrawn: None,
                    installed: None,
                    opened: 0,
                });
                Ok(())
            }
            Event::Claimed { grant, device } => {
                self.granted(grant)?.claimed.insert(device);
                Ok(())
            }
            Event::Released { grant, device, version } => self.release(grant, device, version),
            Event::Withdrawn { grant, outcome } => self.withdraw(grant, outcome),
            Event::Installed { place, grant, generation, device, answered } => {
                self.install(place, Held { grant, device, generation }, answered)
            }
            Event::Acted { place, device, generation, answered, opened } => {
                self.act(place, device, generation, answered, opened)
            }
            Event::Obeyed { lock, epoch, command, answered } => {
                self.answer(lock, answered)?;
                self.current(lock, epoch)?;
                self.ordered(lock, epoch, command)?;
                self.just_that(command, Order::Other)
            }
            Event::Switched { place, active, generation, command, answered } => {
                self.answer(place.lock, answered)?;
                self.current(place.lock, place.epoch)?;
                self.ordered(place.lock, place.epoch, command)?;
                self.just_that(command, Order::Switch { slot: place.slot, active, generation })?;
                self.switch(place, active, generation)
            }
        }
    }

    /// The nonce was given by this lock, to be answered once and in time.
    fn answer(&mut self, lock: LockId, answered: Answered) -> Result<&mut LockFacts, Violation> {
        let Some(facts) = self.locks.get_mut(&lock) else {
            return broken(Invariant::Isolation, "accepted at a lock that gave no challenge");
        };
        must(!facts.erased, Invariant::Epoch, "accepted after the factory reset")?;
        must(facts.given.contains(&answered.nonce), Invariant::Isolation, "accepted for a nonce that it never gave")?;
        must(answered.in_time, Invariant::Replay, "accepted after the deadline")?;
        must(facts.answered.insert(answered.nonce), Invariant::Replay, "two messages accepted for one nonce")?;
        Ok(facts)
    }

    fn current(&self, lock: LockId, epoch: Epoch) -> Judged {
        let owned = self.owned(lock).map(|(current, _)| current);
        must(owned == Some(epoch), Invariant::Epoch, "accepted in an ownership that is not the lock's")
    }

    /// The command was signed by the lock's owner, for this lock and ownership.
    fn ordered(&self, lock: LockId, epoch: Epoch, command: Digest) -> Judged {
        let Some((by, for_lock, in_epoch)) = self.orders.get(&command) else {
            return broken(Invariant::Entry, "the lock obeyed what no owner signed");
        };
        must(*for_lock == lock, Invariant::Isolation, "the lock obeyed what was meant for another")?;
        must(*in_epoch == epoch, Invariant::Epoch, "the lock obeyed what was signed in another ownership")?;
        let owner = self.owned(lock).map(|(_, owner)| owner);
        must(owner == Some(*by), Invariant::Entry, "the lock obeyed somebody who does not own it")
    }

    /// Where it is known what the command orders, the lock did that and nothing else.
    fn just_that(&self, command: Digest, done: Order) -> Judged {
        let meant = self.meant.get(&command).is_none_or(|meant| *meant == done);
        must(meant, Invariant::Isolation, "the lock did something else than was ordered")
    }

    fn own(
        &mut self,
        lock: LockId,
        epoch: Epoch,
        owner: PublicKey,
        answered: Answered,
        command: Option<Digest>,
    ) -> Judged {
        self.answer(lock, answered)?;
        let before = self.owned(lock);
        match (before, command) {
            (None, None) => must(epoch.value() == 1, Invariant::Epoch, "provisioned into a later ownership")?,
            (None, Some(_)) => return broken(Invariant::Epoch, "transferred before it had an owner"),
            // Provisioning again in the first ownership says what is so.
            (Some(before), None) => {
                let same = before == (epoch, owner) && epoch.value() == 1;
                must(same, Invariant::Epoch, "provisioned over its owner")?;
            }
            (Some((before, _)), Some(command)) => {
                let risen = before.value().checked_add(1) == Some(epoch.value());
                must(risen, Invariant::Epoch, "the ownership did not rise by one")?;
                self.ordered(lock, before, command)?;
                self.just_that(command, Order::Transfer { owner })?;
            }
        }
        self.locks.entry(lock).or_default().owned = Some((epoch, owner));
        Ok(())
    }

    fn granted(&mut self, grant: Digest) -> Result<&mut GrantFacts, Violation> {
        match self.grants.get_mut(&grant) {
            Some(facts) => Ok(facts),
            None => broken(Invariant::Entry, "something was done for a grant that no owner signed"),
        }
    }

    fn release(&mut self, grant: Digest, device: PublicKey, version: u64) -> Judged {
        let facts = self.granted(grant)?;
        must(facts.withdrawn.is_none(), Invariant::Revocation, "released after its withdrawal was answered")?;
        must(
            facts.claimed.contains(&device),
            Invariant::Release,
            "released to a device that its subject did not name",
        )?;
        let (first, version) = facts.released.unwrap_or((device, version));
        must(first == device, Invariant::OneDevice, "released to a second device")?;
        facts.released = Some((device, version));
        Ok(())
    }

    fn withdraw(&mut self, grant: Digest, outcome: Withdrawal) -> Judged {
        let held = self.places.values().any(|slot| slot.held.is_some_and(|held| held.grant == grant));
        let facts = self.granted(grant)?;
        match outcome {
            Withdrawal::NeverReleased => {
                must(facts.released.is_none(), Invariant::Revocation, "said to be never released after its release")?;
                must(facts.installed.is_none(), Invariant::Revocation, "said to be never released, and installed")?;
            }
            Withdrawal::Released => {
                must(facts.released.is_some(), Invariant::Revocation, "said to be released, and was not")?;
            }
            Withdrawal::Settled => {
                must(!held, Invariant::HonestView, "said to be dead, and still installed")?;
            }
        }
        facts.withdrawn = Some(outcome);
        Ok(())
    }

    fn install(&mut self, place: Place, held: Held, answered: Answered) -> Judged {
        self.answer(place.lock, answered)?;
        self.current(place.lock, place.epoch)?;
        let owner = self.owned(place.lock).map(|(_, owner)| owner);
        let service = self.service;
        let facts = self.granted(held.grant)?;
        must(Some(facts.owner) == owner, Invariant::Entry, "installed a grant of somebody who does not own the lock")?;
        let meant = (facts.place, facts.generation) == (place, held.generation);
        must(meant, Invariant::Isolation, "installed where its grant does not say")?;
        let named = facts.claimed.contains(&held.device);
        must(named, Invariant::Takeover, "installed for a device that the subject did not name")?;
        let alone = facts.installed.is_none_or(|device| device == held.device);
        must(alone, Invariant::OneDevice, "installed for a second device")?;
        if service == Service::Honest {
            let released = facts.released.is_some_and(|(device, _)| device == held.device);
            must(released, Invariant::Release, "installed without a release to that device")?;
            let live = !matches!(facts.withdrawn, Some(Withdrawal::NeverReleased | Withdrawal::Settled));
            must(live, Invariant::Revocation, "installed after the withdrawal said it never would be")?;
        }
        facts.installed = Some(held.device);
        self.places.entry(place).or_default().take(held)
    }

    fn act(
        &mut self,
        place: Place,
        device: PublicKey,
        generation: Generation,
        answered: Answered,
        opened: bool,
    ) -> Judged {
        self.answer(place.lock, answered)?;
        self.current(place.lock, place.epoch)?;
        let slot = self.places.get(&place).copied().unwrap_or_default();
        let killed = slot.deactivated.is_some_and(|floor| generation <= floor);
        must(!killed, Invariant::Deactivation, "opened by a key that a deactivation had ended")?;
        must(generation >= slot.taken, Invariant::Overwrite, "opened by a key that was overwritten")?;
        let Some(held) = slot.held.filter(|held| (held.device, held.generation) == (device, generation)) else {
            return broken(Invariant::Entry, "the bolt moved for a key that is not installed");
        };
        let facts = self.granted(held.grant)?;
        if opened {
            facts.opened = facts.opened.saturating_add(1);
        }
        must(facts.uses.is_none_or(|uses| facts.opened <= uses), Invariant::Uses, "opened more often than granted")
    }

    fn switch(&mut self, place: Place, active: bool, generation: Generation) -> Judged {
        let slot = self.places.entry(place).or_default();
        must(generation > slot.taken, Invariant::Overwrite, "a switch took a number that is not above all others")?;
        slot.taken = generation;
        slot.active = active;
        slot.held = None;
        if !active {
            slot.deactivated = Some(generation);
        }
        Ok(())
    }
}

impl SlotFacts {
    fn take(&mut self, new: Held) -> Judged {
        must(self.active, Invariant::Deactivation, "installed in a slot that is not open")?;
        let again = self.held.is_some_and(|held| held == new);
        must(again || new.generation > self.taken, Invariant::Overwrite, "installed a number that was taken")?;
        self.taken = self.taken.max(new.generation);
        self.held = Some(new);
        Ok(())
    }
}
