//! The service as the checker keeps it: the record of each slot in its store.

use sharekey::crypto::PublicKey;
use sharekey::error::{ServiceError, SlotError};
use sharekey::id::SlotId;
use sharekey::message::{Grant, Install, Withdrawn, WithdrawnOutcome};
use sharekey::service::{Changed, LockRecord, Request, Service, ShareRecord, place_of};
use sharekey::slot::{GrantRef, State};
use sharekey::wire::{Kind, Unverified};
use sharekey_model::invariant::{Event, Invariant, Violation, Withdrawal};
use sharekey_model::symbolic::Symbolic;
use sharekey_stage::rows::joined;

use super::cast::never;
use super::net::Msg;
use super::reach::{Milestone, Reached};
use super::world::{Step, World};

/// No scenario within its bounds brings a record so far, unless two requests undo each other for ever.
const MAX_VERSION: u64 = 64;

/// The records, each in its stored form: the lock's, and those of its slots, which follow it one by one.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Cloud {
    pub lock: Vec<u8>,
    pub records: Vec<Vec<u8>>,
}

impl Cloud {
    pub fn lock(&self) -> LockRecord {
        LockRecord::from_bytes(&self.lock).unwrap()
    }

    pub fn record(&self, slot: u8) -> ShareRecord {
        let lock = self.lock();
        joined((lock.lock(), SlotId::new(slot)), &lock, Some(self.records[usize::from(slot)].clone())).unwrap()
    }

    fn with(&self, slot: u8, record: &ShareRecord) -> Self {
        let mut next = self.clone();
        next.records[usize::from(slot)] = record.of_slot().to_bytes();
        next
    }

    /// What the store holds once it took the one record that was decided on in `read`, and is another in `decided`; `None`
    /// where that record is another by now.
    pub fn swapped(&self, slot: u8, read: &Self, decided: &Self) -> Option<Self> {
        let (at, mut next) = (usize::from(slot), self.clone());
        if read.lock != decided.lock {
            next.lock.clone_from(&decided.lock);
            return (self.lock == read.lock).then_some(next);
        }
        next.records[at].clone_from(&decided.records[at]);
        (self.records[at] == read.records[at]).then_some(next)
    }
}

/// What decides: all but the version, and which install and which withdrawal came last.
fn same_but_last(a: &ShareRecord, b: &ShareRecord) -> bool {
    let keys = |record: &ShareRecord| -> Vec<_> {
        record.slot().may_open().iter().map(|live| (live.key(), live.confirmation().copied())).collect()
    };
    let (x, y) = (a.slot(), b.slot());
    (x.state(), x.shared(), x.device(), x.highest()) == (y.state(), y.shared(), y.device(), y.highest())
        && (x.floor(), x.last_told(), keys(a)) == (y.floor(), y.last_told(), keys(b))
        && (a.epoch(), a.owner(), a.service()) == (b.epoch(), b.owner(), b.service())
}

impl World {
    fn service(&self) -> &Service<Symbolic> {
        &self.cast.service
    }

    pub fn report(&self, slot: u8, record: &ShareRecord) -> Msg {
        self.msgs.put_report(&self.cast.reported(slot, record).expect("the service has the lock"))
    }

    /// A message is given to the service for the record of a slot.
    pub fn serve(&self, local: u32, slot: u8, message: Msg) -> Option<Step> {
        self.serve_any(local, slot, Request::from(self.msgs.bytes(message)))
    }

    /// A claim and an install are given to the service, for the record whose grant was fetched.
    pub fn release(&self, local: u32, slot: u8, claim: Msg, install: Msg) -> Option<Step> {
        self.serve_any(local, slot, Request::from((self.msgs.bytes(claim), self.msgs.bytes(install))))
    }

    /// A statement of ownership is one write for every slot. Given again for a slot that does not follow it, that slot's
    /// record is brought along, as whoever asks for its report would have it.
    fn hear_ownership(&self, local: u32, slot: u8, statement: &[u8]) -> Option<Step> {
        let before = self.clouds.get(local);
        let (mut lock, mut record) = (before.lock(), before.record(slot));
        let taken = self.service().reopen(&mut lock, statement).ok()?.commit(never).unwrap();
        if taken.changed() != Changed::Nothing {
            let mut reached = Reached::default();
            reached.add(Milestone::Reopened);
            self.note(reached);
            let next = self.clouds.id(Cloud { lock: lock.to_bytes(), ..(*before).clone() });
            return Some(Step { next, ..Step::default() });
        }
        if record.is_stored() {
            return None;
        }
        let Ok(_) = self.service().bring_along(&mut record).unwrap().commit(never);
        let next = self.clouds.id(before.with(slot, &record));
        let out = self.cast.reported(slot, &record).map(|report| self.msgs.put_report(&report)).into_iter().collect();
        Some(Step { next, out, ..Step::default() })
    }

    fn serve_any(&self, local: u32, slot: u8, request: Request<'_>) -> Option<Step> {
        if let Request::Message(message) = request
            && matches!(place_of(message), Ok((_, None)))
        {
            return self.hear_ownership(local, slot, message);
        }
        let mut reached = Reached::default();
        let before = self.clouds.get(local);
        let present = before.record(slot);
        let mut record = present.clone();
        let taken = self.service().take(&mut record, request).map(|staged| staged.commit(never));
        let Ok(Ok(taken)) = taken.inspect_err(|error| reach_refusal(&mut reached, *error)) else {
            self.note(reached);
            return None;
        };
        let changed = taken.changed();
        let answer = taken.answer().unwrap_or_else(|error| {
            reach_refusal(&mut reached, error);
            Vec::new()
        });
        let event = match request {
            Request::Message(message) => {
                reach_change(&mut reached, Kind::of(message).unwrap(), changed);
                (!answer.is_empty()).then(|| withdrawn(&mut reached, &answer, present.slot().shared()))
            }
            Request::Report { .. } => panic!("reports are seen as they come to be"),
            Request::Release { install, .. } => {
                reached.add_if(present.slot().state() == State::Shared, Milestone::ReleasedAgain);
                // What was released is what the install names, whatever claim came with it.
                let (grant, device) = self.named_by(install);
                Some(Event::Released { grant, device, version: record.version() })
            }
        };
        self.note(reached);
        let mut out = Vec::new();
        if !answer.is_empty() {
            out.push(self.put(&answer));
        }
        let same = record == present;
        let repeated = same_but_last(&present, &record);
        let next = if same { local } else { self.clouds.id(before.with(slot, &record)) };
        if !same {
            // Whose record it is no more, is told nothing.
            out.extend(self.cast.reported(slot, &record).map(|report| self.msgs.put_report(&report)));
        }
        let endless = record.version() > MAX_VERSION;
        let fault = endless.then_some(Violation { invariant: Invariant::Progress, what: "a record that never rests" });
        let events = self.happened(event.into_iter().collect());
        Some(Step { next, out, events, repeated, fault, ..Step::default() })
    }

    /// The grant and the device that an install stands for, by the claim that it names.
    fn named_by(&self, install: &[u8]) -> (sharekey::crypto::Digest, PublicKey) {
        let named = Unverified::<Install>::parse(install).unwrap().claims().claim;
        let claim = self.msgs.bytes(self.msgs.find(named).unwrap());
        let claim = *Unverified::<sharekey::message::Claim>::parse(claim).unwrap().claims();
        (claim.grant, claim.device)
    }

    /// The grant that is shared in a record, as a message.
    pub fn shared(&self, record: &ShareRecord) -> Option<(Msg, Grant)> {
        let bytes = record.grant()?;
        Some((self.put(bytes), *Unverified::<Grant>::parse(bytes).unwrap().claims()))
    }
}

fn reach_change(reached: &mut Reached, kind: Kind, changed: Changed) {
    match (kind, changed) {
        (_, Changed::Published { .. }) => reached.add(Milestone::Published),
        (Kind::Receipt, Changed::Nothing) => reached.add(Milestone::ReceiptOld),
        (Kind::Receipt, _) => reached.add(Milestone::ReceiptTaken),
        (Kind::Done, Changed::Nothing) => reached.add(Milestone::DoneOld),
        (Kind::Done, _) => reached.add(Milestone::DoneTaken),
        _ => {}
    }
}

/// A withdrawal was answered; `shared` is what was shared before.
fn withdrawn(reached: &mut Reached, answer: &[u8], shared: Option<GrantRef>) -> Event {
    let body = *Unverified::<Withdrawn>::parse(answer).unwrap().claims();
    let grant = body.withdraw.grant;
    let outcome = match body.outcome {
        WithdrawnOutcome::NeverReleased => {
            let published = shared.is_some_and(|shared| shared.grant == grant);
            reached.add(if published { Milestone::Revoked } else { Milestone::WithdrawnBeforePublished });
            Withdrawal::NeverReleased
        }
        WithdrawnOutcome::Released { .. } => {
            reached.add(Milestone::WithdrawalLost);
            Withdrawal::Released
        }
        WithdrawnOutcome::Settled => {
            reached.add(Milestone::Settled);
            Withdrawal::Settled
        }
    };
    Event::Withdrawn { grant, outcome }
}

fn reach_refusal(reached: &mut Reached, error: ServiceError) {
    match error {
        ServiceError::Slot(SlotError::StaleNumber) => reached.add(Milestone::NumberCollided),
        ServiceError::Slot(SlotError::NotActive | SlotError::AlreadyShared) => reached.add(Milestone::PublishedTooLate),
        ServiceError::Slot(SlotError::ClaimedByOtherDevice) => reached.add(Milestone::SecondDeviceRefused),
        ServiceError::NothingShared => reached.add(Milestone::ReleaseAfterWithdrawRefused),
        _ => {}
    }
}
