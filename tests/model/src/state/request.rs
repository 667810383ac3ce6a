//! What is sent in a session: the checks in the order of the spec, and what an accepted request does.

use super::cell::{Content, CounterModel, HeaderModel, Holds, KeyModel, SlotModel};
use super::facts::{BundleFacts, CommandFacts, ProvisionFacts, Request, ResetFacts, UnlockFacts};
use super::limits::check_time;
use super::lock::{Decision, LockModel, Open, Ownership, is_set};
use super::op::{Answer, Effect};
use sharekey::counter::{Epoch, Generation, Term};
use sharekey::error::{LockError, RefuseReason};
use sharekey::id::{SlotCount, SlotId};
use sharekey::limits::{Action, Timestamp};
use sharekey::lock::{Cell, Clock, Now};
use sharekey::message::{Completed, LockTime, Operation};

/// Refused before or after the sender authenticated.
enum Denied {
    Stranger(LockError),
    Known(LockError),
}

impl From<LockError> for Denied {
    fn from(why: LockError) -> Self {
        Self::Stranger(why)
    }
}

/// The reason that stands for it (spec: the table of "Errors of the lock"). Of any other error nobody who has
/// authenticated hears.
const fn reason(why: LockError) -> Option<RefuseReason> {
    Some(match why {
        LockError::StaleGeneration => RefuseReason::StaleGeneration,
        LockError::NoClock => RefuseReason::NoClock,
        LockError::ClockUnset => RefuseReason::ClockUnset,
        LockError::NotYetValid => RefuseReason::NotYetValid,
        LockError::Expired => RefuseReason::Expired,
        LockError::OutsideSchedule => RefuseReason::OutsideSchedule,
        LockError::UsesSpent => RefuseReason::UsesSpent,
        LockError::ActionNotAllowed => RefuseReason::ActionNotAllowed,
        LockError::StaleNumber => RefuseReason::StaleNumber,
        LockError::NoSuchSlot => RefuseReason::NoSuchSlot,
        LockError::SlotDamaged => RefuseReason::SlotDamaged,
        LockError::OwnerKey(_) | LockError::ServiceKey(_) => RefuseReason::BadKey,
        LockError::AlreadyProvisioned => RefuseReason::AlreadyProvisioned,
        LockError::Exhausted => RefuseReason::Exhausted,
        LockError::NonContributory => RefuseReason::NonContributory,
        LockError::SlotInactive => RefuseReason::SlotInactive,
        LockError::WrongEpoch => RefuseReason::WrongEpoch,
        LockError::Busy | LockError::Seal(_) => RefuseReason::Busy,
        _ => return None,
    })
}

impl LockModel {
    /// Judges a request; its session is spent, whatever comes of it.
    pub(super) fn judge(&mut self, session: u64, request: &Request, now: Now) -> Result<Decision, (LockError, Answer)> {
        let spent = self.spend(request.purpose(), session, now.ticks);
        let (decided, answer): (_, fn(RefuseReason) -> Answer) = match request {
            Request::Malformed(_, error) => (Err(Denied::Stranger(LockError::Wire(*error))), Answer::Signed),
            Request::Bundle(facts) => (self.install(spent, facts, now), Answer::Signed),
            Request::Unlock(facts) => (self.unlock(spent, facts, now), Answer::Reply),
            Request::Command(facts) => (self.command(spent, facts, now), Answer::Signed),
            Request::Provision(facts) => (self.provision(spent, facts), Answer::Signed),
            Request::Reset(facts) => (self.reset(spent, facts).map_err(Denied::Stranger), Answer::Signed),
        };
        decided.map_err(|denied| match denied {
            Denied::Stranger(why) => (why, Answer::Opaque),
            Denied::Known(why) => (why, reason(why).map_or(Answer::Opaque, answer)),
        })
    }

    /// A session that a lock which could not count gave serves a factory reset only.
    fn counted(&self, spent: Result<Open, LockError>) -> Result<Open, LockError> {
        let open = spent?;
        if open.rescue {
            return Err(self.sound().err().unwrap_or(LockError::SessionSuperseded));
        }
        Ok(open)
    }

    fn install(&mut self, spent: Result<Open, LockError>, facts: &BundleFacts, now: Now) -> Result<Decision, Denied> {
        let open = self.counted(spent)?;
        let owned = self.ownership()?;
        if !facts.for_this_lock {
            return Err(LockError::WrongLock.into());
        }
        check_chain(facts, &owned, open)?;
        let slot = self.slot_for(facts, &owned).map_err(Denied::Known)?;
        let used = may_install(facts, &slot, now.clock).map_err(Denied::Known)?;
        let pairing = self.pairings;
        self.pairings = pairing.saturating_add(1);
        let BundleFacts { grant, device, rights, limits, generation, .. } = *facts;
        let key = KeyModel { grant, device, pairing, rights, limits, used: used.unwrap_or(0) };
        let content = SlotModel { epoch: owned.epoch, floor: generation, holds: Holds::Installed(key) };
        let again = used.is_some();
        Ok(Decision {
            effect: Effect::Installed { slot: facts.slot, generation, grant, device, pairing, again },
            held: Cell::Slot(facts.slot),
            record: Some(Content::Slot(facts.slot, content)),
            opened: None,
        })
    }

    /// The slot of a grant that four good signatures came with.
    fn slot_for(&self, facts: &BundleFacts, owned: &Ownership) -> Result<SlotModel, LockError> {
        if facts.epoch != owned.epoch {
            return Err(LockError::WrongEpoch);
        }
        let slot = self.slot(facts.slot, owned.epoch)?;
        if slot.holds == Holds::Inactive { Err(LockError::SlotInactive) } else { Ok(slot) }
    }

    fn unlock(&self, spent: Result<Open, LockError>, facts: &UnlockFacts, now: Now) -> Result<Decision, Denied> {
        let open = self.counted(spent)?;
        let epoch = self.ownership()?.epoch;
        let slot = self.slot(facts.slot, epoch)?;
        let Holds::Installed(key) = slot.holds else { return Err(LockError::NotInstalled.into()) };
        if facts.nonce != Some(open.id) {
            return Err(LockError::WrongNonce.into());
        }
        if facts.tagged != Some(key.pairing) {
            return Err(LockError::UnlockMac.into());
        }
        let counted = self.may_open(&key, facts.action, now).map_err(Denied::Known)?;
        let record = counted.map(|used| {
            Content::Slot(facts.slot, SlotModel { holds: Holds::Installed(KeyModel { used, ..key }), ..slot })
        });
        let (action, generation, device) = (facts.action, slot.floor, key.device);
        let effect = Effect::Unlocked { action, slot: facts.slot, generation, device };
        Ok(Decision { effect, held: Cell::Slot(facts.slot), record, opened: None })
    }

    /// The clock, as far as the lock believes it.
    fn believed(&self, now: Now) -> Result<Clock, LockError> {
        let (header, counter) = self.sound()?;
        Ok(match now.clock {
            Clock::At(_) if !is_set(header, counter) => Clock::Unset,
            Clock::At(time) if time < counter.latest => Clock::Unset,
            clock => clock,
        })
    }

    /// How many slots there are.
    fn slot_count(&self) -> SlotCount {
        u8::try_from(self.slots.len()).ok().and_then(SlotCount::new).unwrap_or(SlotCount::MAX)
    }

    /// Dates, schedule, uses and rights. Gives the count of openings to store, where there is one.
    fn may_open(&self, key: &KeyModel, action: Action, now: Now) -> Result<Option<u32>, LockError> {
        check_time(&key.limits, self.believed(now)?)?;
        let counted = match (action, key.limits.max_uses()) {
            (Action::Open, Some(uses)) if key.used >= uses => return Err(LockError::UsesSpent),
            (Action::Open, Some(_)) => key.used.checked_add(1),
            _ => None,
        };
        let rights = u8::from(key.rights);
        let needed = match action {
            Action::Open => 1,
            Action::Lock => 2,
        };
        if rights & needed == 0 {
            return Err(LockError::ActionNotAllowed);
        }
        Ok(counted)
    }

    fn command(&self, spent: Result<Open, LockError>, facts: &CommandFacts, now: Now) -> Result<Decision, Denied> {
        let open = self.counted(spent)?;
        let owned = self.ownership()?;
        if !facts.for_this_lock {
            return Err(LockError::WrongLock.into());
        }
        if facts.nonce != Some(open.id) {
            return Err(LockError::WrongNonce.into());
        }
        if facts.by != Term::OWNER {
            return Err(LockError::UnknownSigner.into());
        }
        facts.signed.check(&owned.owner).map_err(LockError::CommandSignature)?;
        if facts.epoch != owned.epoch {
            return Err(Denied::Known(LockError::WrongEpoch));
        }
        self.obey(facts, &owned, now).map_err(Denied::Known)
    }

    fn obey(&self, facts: &CommandFacts, owned: &Ownership, now: Now) -> Result<Decision, LockError> {
        let epoch = owned.epoch;
        let time = match (facts.order, self.believed(now)?) {
            (Operation::SetClock { to }, _) => LockTime::at(to),
            (Operation::Transfer { .. }, _) | (_, Clock::Absent | Clock::Unset) => LockTime::UNKNOWN,
            (_, Clock::At(time)) => LockTime::at(time),
        };
        let done = |epoch, completed, held, record| Decision {
            effect: Effect::Done { epoch, time, completed },
            held,
            record,
            opened: None,
        };
        match facts.order {
            Operation::Activate { slot, generation } => {
                let content = self.turn(slot, generation, Holds::Empty, epoch)?;
                let completed = Completed::Activate { slot, generation, left: content.report() };
                Ok(done(epoch, completed, Cell::Slot(slot), Some(Content::Slot(slot, content))))
            }
            Operation::Deactivate { slot, generation } => {
                let content = self.turn(slot, generation, Holds::Inactive, epoch)?;
                let completed = Completed::Deactivate { slot, generation, left: content.report() };
                Ok(done(epoch, completed, Cell::Slot(slot), Some(Content::Slot(slot, content))))
            }
            Operation::Transfer { owner, service } => {
                let [bad_owner, bad_service] = facts.flaws;
                bad_owner.map_or(Ok(()), |flaw| Err(LockError::OwnerKey(flaw)))?;
                bad_service.map_or(Ok(()), |flaw| Err(LockError::ServiceKey(flaw)))?;
                self.all_idle()?;
                let epoch = self.shown.value().checked_add(1).map(Epoch::new).ok_or(LockError::Exhausted)?;
                let header = Content::Header(HeaderModel::Owned { epoch, owner, service });
                Ok(done(
                    epoch,
                    Completed::Transfer { owner, service, slots: self.slot_count() },
                    Cell::Header,
                    Some(header),
                ))
            }
            Operation::SetClock { to } => {
                let counter = self.set_clock(to, epoch, now)?;
                Ok(done(epoch, Completed::SetClock { to }, Cell::Counter, Some(Content::Counter(counter))))
            }
            Operation::Act { action } => Ok(done(epoch, Completed::Act { action }, Cell::Header, None)),
            Operation::Inspect { slot } => {
                let left = self.slot(slot, epoch)?.report();
                Ok(done(epoch, Completed::Inspect { slot, slots: self.slot_count(), left }, Cell::Slot(slot), None))
            }
        }
    }

    /// What an Activate or Deactivate leaves.
    fn turn(&self, slot: SlotId, number: Generation, holds: Holds, epoch: Epoch) -> Result<SlotModel, LockError> {
        let floor = self.slot(slot, epoch)?.floor;
        if floor.value() == u32::MAX {
            return Err(LockError::Exhausted);
        }
        if number.value() <= floor.value() {
            return Err(LockError::StaleNumber);
        }
        Ok(SlotModel { epoch, floor: number, holds })
    }

    fn set_clock(&self, to: Timestamp, set_in: Epoch, now: Now) -> Result<CounterModel, LockError> {
        if now.clock == Clock::Absent {
            return Err(LockError::NoClock);
        }
        let (_, counter) = self.sound()?;
        Ok(CounterModel { latest: to, set_in, ..counter })
    }

    fn provision(&self, spent: Result<Open, LockError>, facts: &ProvisionFacts) -> Result<Decision, Denied> {
        let open = self.counted(spent)?;
        let (header, _) = self.sound()?;
        if facts.nonce != Some(open.id) {
            return Err(LockError::WrongNonce.into());
        }
        if !facts.by_the_card {
            return Err(LockError::CardMac.into());
        }
        self.take_owner(header, facts).map_err(Denied::Known)
    }

    fn take_owner(&self, header: HeaderModel, facts: &ProvisionFacts) -> Result<Decision, LockError> {
        let (owner, service) = (facts.owner.key, facts.service.key);
        let new = HeaderModel::Owned { epoch: Epoch::new(1), owner, service };
        let again = header == new;
        if header != HeaderModel::Unprovisioned && !again {
            return Err(LockError::AlreadyProvisioned);
        }
        facts.owner.flaw.map_or(Ok(()), |flaw| Err(LockError::OwnerKey(flaw)))?;
        facts.service.flaw.map_or(Ok(()), |flaw| Err(LockError::ServiceKey(flaw)))?;
        if !again {
            self.all_idle()?;
            if self.shown > Epoch::ZERO {
                return Err(LockError::Damaged);
            }
        }
        Ok(Decision {
            effect: Effect::Provisioned { owner, service, again },
            held: Cell::Header,
            record: (!again).then_some(Content::Header(new)),
            opened: None,
        })
    }

    fn reset(&self, spent: Result<Open, LockError>, facts: &ResetFacts) -> Result<Decision, LockError> {
        let open = spent?;
        self.all_idle()?;
        if !facts.for_this_lock {
            return Err(LockError::WrongLock);
        }
        if facts.nonce != Some(open.id) {
            return Err(LockError::WrongNonce);
        }
        if !facts.by_the_card {
            return Err(LockError::CardMac);
        }
        // The seed of the next lock: the present one's records are foreign from there on.
        let record = Content::Seed { lock: self.locks, initialised: false };
        Ok(Decision { effect: Effect::Erased, held: Cell::Seed, record: Some(record), opened: None })
    }
}

/// Each message of the chain names the one before it, and is signed by whom it must be.
fn check_chain(facts: &BundleFacts, owned: &Ownership, open: Open) -> Result<(), LockError> {
    if facts.grant_by != Term::OWNER {
        return Err(LockError::UnknownSigner);
    }
    facts.grant_signed.check(&owned.owner).map_err(LockError::GrantSignature)?;
    if !facts.claim_names_grant {
        return Err(LockError::ClaimNamesOtherGrant);
    }
    facts.claim_signed.check(&facts.subject).map_err(LockError::ClaimSignature)?;
    if !facts.install_names_claim {
        return Err(LockError::InstallNamesOtherClaim);
    }
    if facts.nonce != Some(open.id) {
        return Err(LockError::WrongNonce);
    }
    facts.install_signed.check(&facts.device).map_err(LockError::InstallSignature)?;
    if !facts.release_names_install {
        return Err(LockError::ReleaseNamesOtherInstall);
    }
    facts.release_signed.check(&owned.service).map_err(LockError::ReleaseSignature)
}

/// Clock, generation rule and agreement. Gives the openings that count on, of a re-key.
fn may_install(facts: &BundleFacts, slot: &SlotModel, clock: Clock) -> Result<Option<u32>, LockError> {
    let limits = facts.limits;
    let dated = limits.valid_from().is_some() || limits.valid_until().is_some() || limits.schedule().is_some();
    if dated && clock == Clock::Absent {
        return Err(LockError::NoClock);
    }
    let used = if facts.generation.value() > slot.floor.value() {
        None
    } else {
        let same = |key: &KeyModel| key.grant == facts.grant && key.device == facts.device;
        match slot.holds {
            Holds::Installed(key) if facts.generation == slot.floor && same(&key) => Some(key.used),
            _ => return Err(LockError::StaleGeneration),
        }
    };
    if facts.contributes { Ok(used) } else { Err(LockError::NonContributory) }
}
