//! The service as the checker keeps it: the record of each slot in its store.

use sharekey::crypto::PublicKey;
use sharekey::error::{ServiceError, SlotError};
use sharekey::message::{Grant, Install, Withdrawn, WithdrawnOutcome};
use sharekey::service::{Service, ShareRecord};
use sharekey::slot::State;
use sharekey::wire::{Kind, Unverified};
use sharekey_model::invariant::{Event, Invariant, Violation, Withdrawal};
use sharekey_model::symbolic::Symbolic;

use super::cast::never;
use super::net::{Msg, Report};
use super::reach::{Milestone, Reached};
use super::world::{Step, World};

/// No scenario within its bounds brings a record so far, unless two requests undo each other for ever.
const MAX_VERSION: u64 = 64;

/// The records, each in its stored form.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Cloud {
    pub records: Vec<Vec<u8>>,
}

pub fn read(record: &[u8]) -> ShareRecord {
    postcard::from_bytes(record).unwrap()
}

pub fn stored(record: &ShareRecord) -> Vec<u8> {
    postcard::to_allocvec(record).unwrap()
}

/// What an operation leaves: the record, and what it sends and what happened by it.
struct Served {
    record: ShareRecord,
    out: Vec<Vec<u8>>,
    events: Vec<Event>,
}

/// One operation on a record, committed.
macro_rules! commit {
    ($staged:expr) => {{
        let Ok(done) = $staged?.commit(never);
        done
    }};
}

impl Cloud {
    pub fn record(&self, slot: u8) -> ShareRecord {
        read(&self.records[usize::from(slot)])
    }

    fn with(&self, slot: u8, record: &ShareRecord) -> Self {
        let mut next = self.clone();
        next.records[usize::from(slot)] = stored(record);
        next
    }

    /// Whether the store takes `next`, which was decided on a record read earlier, in place of what it holds.
    pub fn takes(&self, slot: u8, next: &Self) -> bool {
        self.record(slot).version() + 1 == next.record(slot).version()
    }
}

/// What a record says, but for its version.
fn same_but_version(a: &ShareRecord, b: &ShareRecord) -> bool {
    (a.slot(), a.report().evidence, a.grant()) == (b.slot(), b.report().evidence, b.grant())
        && (a.epoch(), a.owner(), a.service(), a.standing()) == (b.epoch(), b.owner(), b.service(), b.standing())
}

/// What decides: all but the version, and which install and which withdrawal came last.
fn same_but_last(a: &ShareRecord, b: &ShareRecord) -> bool {
    let keys = |record: &ShareRecord| -> Vec<_> {
        record.slot().may_open().iter().map(|live| (live.key(), live.confirmation().copied())).collect()
    };
    let (x, y) = (a.slot(), b.slot());
    (x.state(), x.shared(), x.device(), x.highest()) == (y.state(), y.shared(), y.device(), y.highest())
        && (x.floor(), x.last_done(), keys(a)) == (y.floor(), y.last_done(), keys(b))
        && (a.epoch(), a.owner(), a.service(), a.standing()) == (b.epoch(), b.owner(), b.service(), b.standing())
}

impl World {
    fn service(&self) -> &Service<Symbolic> {
        &self.cast.service
    }

    pub fn report(&self, slot: u8, record: &ShareRecord) -> Msg {
        let messages = self.service().messages(record).unwrap();
        self.msgs.put_report(&Report { slot, version: record.version(), messages })
    }

    /// A message is given to the service for the record of a slot.
    pub fn serve(&self, local: u32, slot: u8, message: Msg) -> Option<Step> {
        let bytes = self.msgs.bytes(message);
        let record = self.clouds.get(local).record(slot);
        let mut reached = Reached::default();
        let served = match Kind::of(bytes).unwrap() {
            Kind::Grant => self.serve_grant(record, bytes, &mut reached),
            Kind::Withdraw => self.serve_withdraw(record, bytes, &mut reached),
            Kind::Receipt => self.serve_receipt(record, bytes, &mut reached),
            Kind::Done | Kind::Provisioned => self.serve_done(record, bytes, &mut reached),
            other => panic!("{other:?} is not for the service"),
        };
        self.served(local, slot, served, reached)
    }

    fn served(&self, local: u32, slot: u8, served: Result<Served, ServiceError>, mut reached: Reached) -> Option<Step> {
        let before = self.clouds.get(local);
        let Ok(Served { record, out, events }) = served.inspect_err(|error| reach_refusal(&mut reached, *error)) else {
            self.note(reached);
            return None;
        };
        self.note(reached);
        let mut out: Vec<Msg> = out.iter().map(|message| self.put(message)).collect();
        // Where nothing but the version changed, the record is taken to be as before: its report is, too.
        let present = before.record(slot);
        let same = same_but_version(&present, &record);
        let repeated = same_but_last(&present, &record);
        let next = if same { local } else { self.clouds.id(before.with(slot, &record)) };
        if !same {
            out.push(self.report(slot, &record));
        }
        let endless = record.version() > MAX_VERSION;
        let fault = endless.then_some(Violation { invariant: Invariant::Progress, what: "a record that never rests" });
        Some(Step { next, out, events: self.happened(events), repeated, fault, ..Step::default() })
    }

    fn serve_grant(
        &self,
        mut record: ShareRecord,
        grant: &[u8],
        reached: &mut Reached,
    ) -> Result<Served, ServiceError> {
        let published = commit!(self.service().publish(&mut record, grant));
        match published {
            Ok(()) => reached.add(Milestone::Published),
            Err(error) => reach_refusal(reached, error),
        }
        Ok(Served { record, out: Vec::new(), events: Vec::new() })
    }

    fn serve_withdraw(
        &self,
        mut record: ShareRecord,
        withdraw: &[u8],
        reached: &mut Reached,
    ) -> Result<Served, ServiceError> {
        let shared = record.slot().shared();
        let answer = commit!(self.service().withdraw(&mut record, withdraw));
        let body = *Unverified::<Withdrawn>::parse(&answer).unwrap().claims();
        let published = shared.is_some_and(|shared| shared.grant == body.withdraw.grant);
        let outcome = match body.outcome {
            WithdrawnOutcome::NeverReleased => {
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
        let event = Event::Withdrawn { grant: body.withdraw.grant, outcome };
        Ok(Served { record, out: vec![answer.to_vec()], events: vec![event] })
    }

    fn serve_receipt(
        &self,
        mut record: ShareRecord,
        receipt: &[u8],
        reached: &mut Reached,
    ) -> Result<Served, ServiceError> {
        let before = record.clone();
        commit!(self.service().confirm(&mut record, receipt));
        let same = before.slot() == record.slot();
        reached.add(if same { Milestone::ReceiptOld } else { Milestone::ReceiptTaken });
        Ok(Served { record, out: Vec::new(), events: Vec::new() })
    }

    fn serve_done(&self, mut record: ShareRecord, done: &[u8], reached: &mut Reached) -> Result<Served, ServiceError> {
        let before = record.clone();
        match self.service().done(&mut record, done).map(|staged| staged.commit(never)) {
            Ok(Ok(_)) => {
                let same = before.slot() == record.slot();
                reached.add(if same { Milestone::DoneOld } else { Milestone::DoneTaken });
            }
            Err(ServiceError::NotOfASlot | ServiceError::Wire(_)) => {
                commit!(self.service().reopen(&mut record, done));
                reached.add_if(record.epoch() > before.epoch(), Milestone::Reopened);
            }
            Err(error) => return Err(error),
        }
        Ok(Served { record, out: Vec::new(), events: Vec::new() })
    }

    /// A claim and an install are given to the service, for the record whose grant was fetched.
    pub fn release(&self, local: u32, slot: u8, claim: Msg, install: Msg) -> Option<Step> {
        let mut reached = Reached::default();
        let record = self.clouds.get(local).record(slot);
        let served = self.releasing(record, claim, install, &mut reached);
        self.served(local, slot, served, reached)
    }

    fn releasing(
        &self,
        mut record: ShareRecord,
        claim: Msg,
        install: Msg,
        reached: &mut Reached,
    ) -> Result<Served, ServiceError> {
        let before = record.slot().state();
        let (claim, install) = (self.msgs.bytes(claim), self.msgs.bytes(install));
        let release = commit!(self.service().release(&mut record, claim, install));
        reached.add_if(before == State::Shared, Milestone::ReleasedAgain);
        // What was released is what the install names, whatever claim came with it.
        let (grant, device) = self.named_by(install);
        let event = Event::Released { grant, device, version: record.version() };
        Ok(Served { record, out: vec![release.to_vec()], events: vec![event] })
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

fn reach_refusal(reached: &mut Reached, error: ServiceError) {
    match error {
        ServiceError::Slot(SlotError::StaleNumber) => reached.add(Milestone::NumberCollided),
        ServiceError::Slot(SlotError::NotActive | SlotError::AlreadyShared) => reached.add(Milestone::PublishedTooLate),
        ServiceError::Slot(SlotError::ClaimedByOtherDevice) => reached.add(Milestone::SecondDeviceRefused),
        ServiceError::NothingShared => reached.add(Milestone::ReleaseAfterWithdrawRefused),
        _ => {}
    }
}
