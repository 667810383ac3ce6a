//! A phone of an owner as the checker keeps it: its view and its pending commands, stored.

use std::collections::BTreeSet;
use std::sync::Arc;

use sharekey::counter::Generation;
use sharekey::crypto::{Digest, PublicKey};
use sharekey::error::OwnerError;
use sharekey::id::SlotId;
use sharekey::limits::{Limits, Rights};
use sharekey::message::{Completed, Done, Grant, Holding, Operation, Receipt};
use sharekey::owner::{Fact, Learned, Method, OwnedLock, Owner, PendingCommand, Seen};
use sharekey::slot::State;
use sharekey::wire::{Kind, Unverified};
use sharekey_model::invariant::{Event, Order as Meant, ViewFacts};
use sharekey_model::symbolic::Symbolic;
use sharekey_stage::desk::NOW;

use super::cast::{CLOUD, OLGA, OTTO, answer, entropy, key_of, never, owner};
use super::kept;
use super::net::{Msg, Report, digest};
use super::reach::{Milestone, Reached};
use super::scenario::{Order, operation};
use super::world::{Input, Step, World};

#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Phone {
    /// Which phone: two of one owner draw different entropy.
    pub name: u8,
    pub owner: u8,
    /// Its view; none before it owns the lock.
    pub view: Option<Vec<u8>>,
    pub pending: BTreeSet<Vec<u8>>,
    /// The grants that the lock said to be installed, in messages that this phone took in.
    pub told: BTreeSet<Digest>,
}

/// What a phone shows, for the ledger to judge.
#[derive(Debug)]
pub struct Facts {
    pub views: Vec<ViewFacts>,
}

pub fn read(view: &[u8]) -> OwnedLock {
    postcard::from_bytes(view).unwrap()
}

/// What a call leaves, beside the view.
#[derive(Default)]
struct Called {
    out: Vec<Msg>,
    events: Vec<Event>,
    reached: Reached,
}

impl Phone {
    pub fn view(&self) -> Option<OwnedLock> {
        self.view.as_deref().map(read)
    }

    fn facts(&self) -> Facts {
        let Some(view) = self.view() else { return Facts { views: Vec::new() } };
        let views = view.statuses().map(|status| self.facts_of(&view, &status)).collect();
        Facts { views }
    }

    fn facts_of(&self, view: &OwnedLock, status: &sharekey::owner::Status) -> ViewFacts {
        let keys = &status.may_open;
        let confirmed = keys
            .iter()
            .chain(&status.shared)
            .filter_map(|key| key.downloaded.map(|proof| (key.key.generation, key.key.grant, proof.device)));
        ViewFacts {
            place: sharekey_model::invariant::Place { lock: view.lock(), epoch: view.epoch(), slot: status.slot },
            as_of: status.as_of.map(|as_of| as_of.version),
            may_open: keys.iter().map(|key| key.key.grant).collect(),
            confirmed: confirmed.collect(),
            told: self.told.iter().copied().collect(),
        }
    }

    /// Notes what the lock says in a message that the view took in.
    fn note_told(&mut self, message: &[u8]) {
        let told = match Kind::of(message) {
            Ok(Kind::Receipt) => Some(Unverified::<Receipt>::parse(message).unwrap().claims().grant),
            Ok(Kind::Done) => match Unverified::<Done>::parse(message).unwrap().claims().completed {
                Completed::Inspect { left, .. } => match left.holding {
                    Holding::Installed { grant, .. } => Some(grant),
                    Holding::Inactive | Holding::Empty => None,
                },
                _ => None,
            },
            _ => None,
        };
        self.told.extend(told);
    }
}

impl World {
    pub fn facts(&self, phone: u32) -> Arc<Facts> {
        self.facts.get_or(phone, |_| Arc::new(self.phones.get(phone).facts()))
    }

    pub fn phone_step(&self, local: u32, input: Input) -> Option<Step> {
        let mut phone = Phone::clone(&self.phones.get(local));
        let owner = owner(phone.owner);
        let called = if let Input::Adopt(done) = input {
            self.adopt(&owner, &mut phone, done)
        } else {
            let mut view = phone.view()?;
            let called = self.call(&owner, &mut view, &mut phone, input);
            phone.view = Some(kept::stored(&view));
            called
        };
        let called = match called {
            Ok(called) => called,
            Err(error) => {
                let mut reached = Reached::default();
                reached.add_if(error == OwnerError::OlderReport, Milestone::OlderReportRefused);
                self.note(reached);
                return None;
            }
        };
        self.note(called.reached);
        Some(Step {
            next: self.phones.id(phone),
            out: called.out,
            events: self.happened(called.events),
            ..Step::default()
        })
    }

    fn call(
        &self,
        owner: &Owner<Symbolic>,
        view: &mut OwnedLock,
        phone: &mut Phone,
        input: Input,
    ) -> Result<Called, OwnerError> {
        match input {
            Input::Order { order, slot, challenge } => self.order(owner, view, phone, (order, slot, challenge)),
            Input::Finish(done) => self.finish(owner, view, phone, done),
            Input::Learn(message) => self.learn(owner, view, phone, message),
            Input::See(report) => {
                let report: Report = postcard::from_bytes(self.msgs.bytes(report)).unwrap();
                self.see(owner, view, phone, &report)
            }
            Input::ForgeReport { slot, version, message } => {
                let message = message.map(|message| self.msgs.bytes(message).to_vec());
                let messages = [self.msgs.ownership(view.epoch())].into_iter().chain(message).collect();
                let report = Report { slot, epoch: view.epoch(), version, state: State::NotShared, messages };
                let mut called = self.see(owner, view, phone, &report)?;
                called.reached.add(Milestone::ForgedReportTaken);
                Ok(called)
            }
            Input::Share { subject, slot } => self.share(owner, view, subject, slot),
            Input::Withdraw { slot, key } => self.withdraw(owner, view, slot, key),
            other => panic!("{other:?} is not for a phone"),
        }
    }

    fn order(
        &self,
        owner: &Owner<Symbolic>,
        view: &mut OwnedLock,
        phone: &mut Phone,
        (order, slot, challenge): (Order, u8, Msg),
    ) -> Result<Called, OwnerError> {
        let (slot, challenge) = (SlotId::new(slot), self.msgs.bytes(challenge));
        let rng = &mut entropy(&[b"phone", &[phone.name], challenge]);
        let (lock, epoch) = (view.lock(), view.epoch());
        let heir = key_of(if self.scenario.former_owner { OTTO } else { OLGA });
        let asked = |generation| operation(order, slot, generation, heir);
        let staged = owner.order(view, asked(Generation::ZERO).into(), challenge, rng)?;
        let Ok((command, pending)) = staged.commit(never);
        phone.pending.insert(postcard::to_allocvec(&pending).unwrap());
        let message = self.put(&command);
        let command = self.digest(message);
        let ordered = Event::Ordered { command, owner: *owner.key(), lock, epoch };
        // What was asked for, in which slot; of what was signed, only the number that it took.
        let number = match *pending.operation() {
            Operation::Activate { generation, .. } | Operation::Deactivate { generation, .. } => generation,
            _ => Generation::ZERO,
        };
        let events = vec![ordered, Event::Meant { command, order: Meant::of(&asked(number)) }];
        Ok(Called { out: vec![message], events, ..Called::default() })
    }

    fn finish(
        &self,
        owner: &Owner<Symbolic>,
        view: &mut OwnedLock,
        phone: &mut Phone,
        done: Msg,
    ) -> Result<Called, OwnerError> {
        let bytes = self.msgs.bytes(done);
        let mut last = OwnerError::OtherCommand;
        for stored in phone.pending.clone() {
            let pending: PendingCommand = postcard::from_bytes(&stored).unwrap();
            match pending.finish(owner, view, bytes) {
                Ok(staged) => {
                    let Ok(learned) = staged.commit(never);
                    phone.pending.remove(&stored);
                    phone.note_told(bytes);
                    return Ok(Called { reached: reach_learned(&learned), ..Called::default() });
                }
                Err(error) => last = error,
            }
        }
        Err(last)
    }

    fn learn(
        &self,
        owner: &Owner<Symbolic>,
        view: &mut OwnedLock,
        phone: &mut Phone,
        message: Msg,
    ) -> Result<Called, OwnerError> {
        let bytes = self.msgs.bytes(message);
        let Ok(learned) = owner.learn(view, bytes)?.commit(never);
        phone.note_told(bytes);
        let mut reached = reach_learned(&learned);
        reached.add_if(is_foreign(&learned), Milestone::LearnedOtherPhonesGrant);
        reached.add_if(downloaded(view), Milestone::SawDownload);
        Ok(Called { reached, ..Called::default() })
    }

    fn see(
        &self,
        owner: &Owner<Symbolic>,
        view: &mut OwnedLock,
        phone: &mut Phone,
        report: &Report,
    ) -> Result<Called, OwnerError> {
        // Whichever report it is, it may answer this request: how long an answer is under way is not told here.
        let slot = SlotId::new(report.slot);
        let (request, pending) = owner.ask(view, slot, NOW, &mut entropy(&[b"ask"]))?;
        let Ok(Seen { learned, .. }) = owner.see(view, pending, &answer(&request, report))?.commit(never);
        report.messages.iter().for_each(|message| phone.note_told(message));
        let mut reached = Reached::default();
        reached.add_if(learned.iter().any(|one| one.equivocation.is_some()), Milestone::Equivocated);
        reached.add_if(learned.iter().any(is_foreign), Milestone::LearnedOtherPhonesGrant);
        reached.add_if(downloaded(view), Milestone::SawDownload);
        Ok(Called { reached, ..Called::default() })
    }

    fn share(
        &self,
        owner: &Owner<Symbolic>,
        view: &mut OwnedLock,
        subject: u8,
        slot: u8,
    ) -> Result<Called, OwnerError> {
        let limits = Limits::new(None, None, None, self.scenario.uses).unwrap();
        let slot = SlotId::new(slot);
        let staged = owner.share(view, slot, key_of(subject), Method::Account, Rights::OPEN, limits)?;
        let Ok(grant) = staged.commit(never);
        Ok(Called { out: vec![self.put(&grant)], events: vec![granted(&grant, *owner.key())], ..Called::default() })
    }

    fn withdraw(&self, owner: &Owner<Symbolic>, view: &mut OwnedLock, slot: u8, key: u8) -> Result<Called, OwnerError> {
        let slot = SlotId::new(slot);
        let status = view.status(slot);
        let key = status.may_open.get(usize::from(key)).ok_or(OwnerError::NothingShared)?.key;
        let Ok(withdraw) = owner.withdraw_key(view, slot, key)?.commit(never);
        Ok(Called { out: vec![self.put(&withdraw)], ..Called::default() })
    }

    fn adopt(&self, owner: &Owner<Symbolic>, phone: &mut Phone, done: Msg) -> Result<Called, OwnerError> {
        let new = owner.adopt(self.cast.lock, &key_of(CLOUD), self.msgs.bytes(done))?;
        let held = phone.view();
        let Ok(view) = new.put_new(held.clone(), never);
        if held.is_some_and(|held| held == view) {
            return Err(OwnerError::OldEpoch);
        }
        (phone.view, phone.told) = (Some(kept::stored(&view)), BTreeSet::new());
        let mut reached = Reached::default();
        reached.add(Milestone::Adopted);
        Ok(Called { reached, ..Called::default() })
    }
}

/// Whether a view learned of a grant that it did not sign.
fn is_foreign(learned: &Learned) -> bool {
    matches!(learned.fact, Fact::Shared { .. }) && learned.news
}

/// That this owner signed a grant.
pub fn granted(grant: &[u8], owner: PublicKey) -> Event {
    let body = *Unverified::<Grant>::parse(grant).unwrap().claims();
    Event::Granted {
        grant: digest(grant),
        owner,
        place: sharekey_model::invariant::Place { lock: body.lock, epoch: body.epoch, slot: body.slot },
        generation: body.generation,
        uses: body.limits.max_uses(),
    }
}

fn downloaded(view: &OwnedLock) -> bool {
    view.statuses().any(|status| status.shared.is_some_and(|share| share.downloaded.is_some()))
}

fn reach_learned(learned: &Learned) -> Reached {
    let mut reached = Reached::default();
    reached.add_if(learned.equivocation.is_some(), Milestone::Equivocated);
    reached
}
