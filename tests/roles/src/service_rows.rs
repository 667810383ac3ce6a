//! The record of a lock and those of its slots: one write for all slots, and which comes first. By the front door.

use std::collections::BTreeMap;

use sharekey::counter::Epoch;
use sharekey::error::{ServiceError, SlotError, StoredRecordError};
use sharekey::id::SlotId;
use sharekey::message::{Provisioned, ReportAnswer, WithdrawnOutcome};
use sharekey::service::{Changed, Decided, Key, NewRecord, Put, Request, Service, ShareRecord, Taken, Write};
use sharekey::slot::State;
use sharekey_stage::desk::*;
use sharekey_stage::forge::signed;
use sharekey_stage::provider::Provider;
use sharekey_stage::store::stored;
use sharekey_stage::{poll_once, public, seed};

/// What a store has, and what was asked of it.
#[derive(Clone, Default, PartialEq, Debug)]
struct Rows {
    rows: BTreeMap<Key, Vec<u8>>,
    writes: Vec<Key>,
}

const SLOT_KEY: fn() -> Key = || (lock(), Some(SLOT));
const LOCK_KEY: fn() -> Key = || (lock(), None);

impl Rows {
    fn after(requests: &[Request<'_>]) -> Self {
        let mut rows = Self::default();
        requests.iter().for_each(|request| drop(rows.serve(*request).unwrap()));
        rows
    }

    /// A lock whose slot was activated.
    fn active() -> Self {
        Self::after(&[Request::from(&provisioned_bytes()), Request::from(&by_lock(&activated(1)))])
    }

    fn load(&self, key: Key) -> Result<Option<Vec<u8>>, ServiceError> {
        Ok(self.rows.get(&key).cloned())
    }

    fn decide<'a>(&self, request: impl Into<Request<'a>>) -> Result<Decided, ServiceError> {
        service().serve(request, |key| self.load(key))
    }

    fn put(&mut self, write: &Write) -> Result<(), &'static str> {
        let (before, next) = match write.put() {
            Put::New(next) => (None, next),
            Put::InPlaceOf { before, next } => (Some(before), next),
        };
        if self.rows.get(&write.key()).map(Vec::as_slice) != before {
            return Err("another came first");
        }
        self.rows.insert(write.key(), next.to_vec());
        self.writes.push(write.key());
        Ok(())
    }

    fn taken<'a>(&mut self, request: impl Into<Request<'a>>) -> Result<Taken, ServiceError> {
        Ok(self.decide(request)?.commit(|write| self.put(write)).unwrap())
    }

    fn serve<'a>(&mut self, request: impl Into<Request<'a>>) -> Result<Vec<u8>, ServiceError> {
        self.taken(request)?.answer()
    }

    fn record(&self) -> ShareRecord {
        ShareRecord::load((lock(), SLOT), |key| self.load(key)).unwrap()
    }

    fn release(&mut self, n: u32, nonce: u8) -> Result<Vec<u8>, ServiceError> {
        self.serve(((lock(), SLOT), &claimed(n), &install(n, nonce)))
    }
}

fn provisioned_bytes() -> Vec<u8> {
    signed(&provisioned(), &lock_seed())
}

fn transferred(epoch: u32) -> Vec<u8> {
    by_lock(&transfer_to(public(&owner_seed()), public(&service_seed()), epoch))
}

fn moved(epoch: u32) -> Vec<u8> {
    by_lock(&transfer_to(public(&owner_seed()), public(&seed(50)), epoch))
}

#[test]
fn a_statement_of_ownership_is_one_write_for_every_slot() {
    let mut rows = Rows::default();
    let (again, epoch) = (provisioned_bytes(), Epoch::new(2));
    assert_eq!(rows.taken(&again).unwrap().changed(), Changed::Opened { epoch: EPOCH });
    assert_eq!(rows.taken(&again).unwrap().changed(), Changed::Nothing);
    assert_eq!(rows.writes, [LOCK_KEY()], "no slot's, and none the second time");
    rows.serve(&by_lock(&activated(1))).unwrap();
    rows.serve(&granted(2)).unwrap();
    assert_eq!(rows.writes[1..], [SLOT_KEY(), SLOT_KEY()]);
    assert_eq!(rows.taken(&transferred(2)).unwrap().changed(), Changed::Reopened { epoch });
    assert_eq!(
        rows.taken(&moved(3)).unwrap().changed(),
        Changed::Moved { epoch: Epoch::new(3), to: public(&seed(50)) }
    );
    assert_eq!(rows.writes[3..], [LOCK_KEY(), LOCK_KEY()]);
}

//= spec/protocol.md#service
//# SVC-27. A slot's record of an epoch below that of the lock's record MUST be taken for one that was opened just now, but for its version.
//= spec/protocol.md#service
//# SVC-30. A slot's record MUST name, whenever it is stored, the version of the lock's record that it was decided under.
#[test]
fn a_slots_record_is_brought_along_by_the_next_write_of_it() {
    let mut rows = Rows::active();
    rows.serve(&granted(2)).unwrap();
    let version = rows.record().version();
    let decided = rows.decide(&transferred(2)).unwrap();
    let write = decided.write().unwrap();
    assert_eq!((write.version(), write.state()), (2, None), "the lock's own record");
    assert!(decided.commit(|write| rows.put(write)).is_ok());
    let record = rows.record();
    assert_eq!((record.version(), record.follows(), record.is_stored()), (version, 1, false));
    assert_eq!((record.epoch(), record.slot().state(), record.grant()), (Epoch::new(2), State::Inactive, None));
    let done = sharekey::message::Done { epoch: Epoch::new(2), ..activated(1) };
    let decided = rows.decide(&by_lock(&done)).unwrap();
    let write = decided.write().unwrap();
    assert_eq!((write.subject_before(), write.subject()), (Some(public(&subject_seed())), None), "the index follows");
    assert_eq!((write.version(), write.state()), (version + 1, Some(State::NotShared)));
    assert!(decided.commit(|write| rows.put(write)).is_ok());
    let record = rows.record();
    assert_eq!((record.version(), record.follows(), record.is_stored()), (version + 1, 2, true));
}

//= spec/protocol.md#reports
//# RPT-19. A record that is not stored as it follows the lock's record MUST be stored before it is reported.
//= spec/protocol.md#reports
//# RPT-6. What a report holds MUST be a function of the slot's stored record and of the version of the lock's record that it follows.
#[test]
fn two_reports_of_one_version_hold_the_same_over_a_transfer() {
    let mut rows = Rows::active();
    let ask = |rows: &mut Rows| {
        let request = signed(&request_of(&rows.record()), &owner_seed());
        let answer = rows.serve((&request, NOW)).unwrap();
        let answer = ReportAnswer::parse(&answer).unwrap();
        let body = *sharekey::wire::Unverified::<sharekey::message::Report>::parse(answer.report).unwrap().claims();
        (body.version, body.epoch, answer.messages().map(Vec::from).collect::<Vec<_>>())
    };
    let before = ask(&mut rows);
    assert_eq!(before, ask(&mut rows));
    let writes = rows.writes.len();
    rows.serve(&transferred(2)).unwrap();
    let after = ask(&mut rows);
    assert_eq!((after.0, after.1), (before.0 + 1, Epoch::new(2)), "another content has another version");
    assert_eq!(after.2, [transferred(2)]);
    assert_eq!(after, ask(&mut rows));
    assert_eq!(rows.writes[writes..], [LOCK_KEY(), SLOT_KEY()], "it was stored before it was told, and once");
    // A slot that nobody told of anything has a record, once it is reported.
    let mut fresh = Rows::after(&[Request::from(&provisioned_bytes())]);
    assert_eq!(ask(&mut fresh), (1, EPOCH, vec![provisioned_bytes()]));
    assert_eq!(fresh.writes, [LOCK_KEY(), SLOT_KEY()]);
    // By hand, too, nothing is signed that is not stored.
    let unstored = Rows::after(&[Request::from(&provisioned_bytes())]).record();
    let request = signed(&request_of(&unstored), &owner_seed());
    assert_eq!(service().report(&unstored, &request, NOW), Err(ServiceError::Busy));
}

/// A release that read before a transfer, and is stored after somebody saw the slot in the later epoch.
#[test]
fn what_was_decided_under_an_older_record_of_the_lock_does_not_come_after_what_was_told_of_a_later_one() {
    let mut rows = Rows::active();
    rows.serve(&granted(2)).unwrap();
    let late = rows.decide(((lock(), SLOT), &claimed(2), &install(2, 1))).unwrap();
    rows.serve(&transferred(2)).unwrap();
    let request = signed(&request_of(&rows.record()), &owner_seed());
    rows.serve((&request, NOW)).unwrap();
    assert_eq!(late.commit(|write| rows.put(write)).map(drop), Err("another came first"));
    assert_eq!(rows.release(2, 1).map(drop), Err(ServiceError::NothingShared));
}

//= spec/protocol.md#the-service-s-store
//# SVS-4. A new record MUST be stored only where there is none under its key, in one step.
//= spec/protocol.md#the-service-s-store
//# SVS-5. A record MUST be replaced only in place of the very bytes that were decided on, or of their version and digest.
//= spec/protocol.md#service
//# SVC-31. The service MUST open a slot's record only where none is stored, and under the lock's record.
#[test]
fn a_record_is_put_as_new_or_in_place_of_the_one_that_was_decided_on() {
    let mut rows = Rows::active();
    rows.serve(&granted(2)).unwrap();
    let withdrawn = rows.serve(&withdraw(2)).unwrap();
    let before = rows.clone();
    // The whole attack: the first statement again, the Done again, the grant again.
    rows.serve(&provisioned_bytes()).unwrap();
    rows.serve(&by_lock(&activated(1))).unwrap();
    let stale = ServiceError::Slot(SlotError::StaleNumber);
    assert_eq!(rows.serve(&granted(2)).map(drop), Err(stale));
    assert_eq!(rows.release(2, 1).map(drop), Err(ServiceError::NothingShared));
    assert_eq!(rows, before);
    assert_eq!(rows.serve(&withdraw(2)), Ok(withdrawn));
    // A slot's first write says that it is the first.
    let fresh = Rows::after(&[Request::from(&provisioned_bytes())]);
    let decided = fresh.decide(&by_lock(&activated(1))).unwrap();
    assert!(matches!(decided.write().unwrap().put(), Put::New(_)));
    assert_eq!(decided.commit(|write| before.clone().put(write)).map(drop), Err("another came first"));
    let lost = Rows::default().decide(&provisioned_bytes()).unwrap();
    assert_eq!(lost.commit(|write| before.clone().put(write)).map(drop), Err("another came first"));
}

/// The lock went over to another service, and one of its slots was never used here.
#[test]
fn a_slot_that_was_never_opened_is_not_opened_for_a_former_owner() {
    let mut rows = Rows::active();
    rows.serve(&moved(2)).unwrap();
    let before = rows.clone();
    assert_eq!(rows.serve(&provisioned_bytes()).map(drop), Err(ServiceError::OldEpoch));
    let never_used = SlotId::new(7);
    let grant = sharekey::message::Grant { slot: never_used, ..grant(2) };
    let refused = rows.serve(&signed(&grant, &owner_seed())).map(drop);
    assert_eq!(refused, Err(ServiceError::WrongEpoch), "the former owner's");
    let grant = sharekey::message::Grant { epoch: Epoch::new(2), ..grant };
    assert_eq!(rows.serve(&signed(&grant, &owner_seed())).map(drop), Err(ServiceError::Moved));
    let done = sharekey::message::Done {
        completed: sharekey::message::Completed::Inspect {
            slot: never_used,
            slots: sharekey::id::SlotCount::MAX,
            left: sharekey::message::SlotReport { floor: generation(1), holding: sharekey::message::Holding::Empty },
        },
        ..activated(1)
    };
    assert_eq!(rows.serve(&by_lock(&done)).map(drop), Err(ServiceError::WrongEpoch));
    assert_eq!(rows, before);
}

//= spec/protocol.md#service-confirmation
//# SVC-16. The service MUST NOT publish, release or withdraw anything for a lock whose latest statement of ownership names another service.
#[test]
fn a_service_whose_key_is_not_the_records_serves_nothing() {
    let mut rows = Rows::active();
    rows.serve(&granted(2)).unwrap();
    // Its key was lost, and the store was put behind a new one.
    let other = Service::new(Provider, &seed(50)).unwrap();
    let request = signed(&request_of(&rows.record()), &owner_seed());
    let asked = [
        Request::from(&granted(2)),
        Request::from(&withdraw(2)),
        ((lock(), SLOT), &claimed(2), &install(2, 1)).into(),
        (&request, NOW).into(),
    ]
    .map(|asked| other.serve(asked, |key| rows.load(key)).map(drop));
    assert_eq!(asked, [Err(ServiceError::Moved); 4]);
    // Nor may it open another slot of that lock, or the lock anew.
    let new_slot = signed(&sharekey::message::Grant { slot: SlotId::new(7), ..grant(2) }, &owner_seed());
    assert_eq!(other.serve(&new_slot, |key| rows.load(key)).map(drop), Err(ServiceError::Moved));
    let opened = other.serve(&provisioned_bytes(), |_| Ok::<_, ServiceError>(None)).map(drop);
    assert_eq!(opened, Err(ServiceError::OtherService));
}

//= spec/protocol.md#service-confirmation
//# SVC-29. The service MUST NOT publish, release, withdraw or report anything of a lock whose record was restored from an older copy, until a statement of a later epoch.
#[test]
fn a_restored_store_permits_nothing_and_denies_nothing_until_the_owners_transfer() {
    let mut rows = Rows::active();
    rows.serve(&granted(2)).unwrap();
    let older = rows.clone();
    rows.release(2, 1).unwrap();
    // An older backup comes back, and the release is forgotten.
    rows = older;
    let mut marked = rows.record().of_lock().clone();
    let Ok(taken) = service().restored(&mut marked).unwrap().commit(stored);
    assert_eq!(taken.changed(), Changed::Restored);
    assert!(!service().restored(&mut marked).unwrap().writes(), "once");
    rows.rows.insert(LOCK_KEY(), marked.to_bytes());
    let before = rows.clone();
    let request = signed(&request_of(&rows.record()), &owner_seed());
    assert_eq!(rows.serve(&withdraw(2)).map(drop), Err(ServiceError::Restored), "it would deny the release");
    assert_eq!(rows.release(2, 1).map(drop), Err(ServiceError::Restored));
    assert_eq!(rows.serve(&granted(2)).map(drop), Err(ServiceError::Restored));
    assert_eq!(rows.serve((&request, NOW)).map(drop), Err(ServiceError::Restored));
    assert_eq!(rows, before);
    // What the lock says is taken in, the same statement again changes nothing, and a later one ends it.
    rows.serve(&receipt(2)).unwrap();
    rows.serve(&provisioned_bytes()).unwrap();
    assert_eq!(rows.serve(&withdraw(2)).map(drop), Err(ServiceError::Restored));
    rows.serve(&transferred(2)).unwrap();
    assert!(!rows.record().of_lock().is_restored());
    let request = signed(&request_of(&rows.record()), &owner_seed());
    rows.serve((&request, NOW)).unwrap();
}

#[test]
fn the_same_again_by_the_front_door_writes_nothing_a_thousand_times() {
    let mut rows = Rows::active();
    rows.serve(&granted(2)).unwrap();
    let release = rows.release(2, 1);
    rows.serve(&receipt(2)).unwrap();
    let before = rows.clone();
    for _ in 0..1_000 / 4 {
        assert_eq!(rows.release(2, 1), release);
        rows.serve(&receipt(2)).unwrap();
        rows.serve(&by_lock(&activated(1))).unwrap();
        rows.serve(&granted(2)).unwrap();
    }
    assert_eq!(rows, before);
}

/// A Done that never came, or comes again, through whoever brings it; an inspection says as much.
#[test]
fn a_late_done_repairs_a_record_whoever_brings_it() {
    for proof in [by_lock(&activated(1)), by_lock(&found(1, sharekey::message::Holding::Empty))] {
        let mut rows = Rows::after(&[Request::from(&provisioned_bytes())]);
        let not_active = ServiceError::Slot(SlotError::NotActive);
        assert_eq!(rows.serve(&granted(2)), Err(not_active), "its number is taken");
        rows.serve(&proof).unwrap();
        rows.serve(&granted(3)).unwrap();
        assert_eq!(rows.record().slot().state(), State::Sharing);
        rows.serve(&proof).unwrap();
        assert_eq!(rows.record().slot().state(), State::Sharing, "and harms nothing when it comes again");
    }
    // A slot was closed, and the service went on releasing.
    for proof in [by_lock(&deactivated(3)), by_lock(&found(3, sharekey::message::Holding::Inactive))] {
        let mut rows = Rows::active();
        rows.serve(&granted(2)).unwrap();
        rows.release(2, 1).unwrap();
        rows.serve(&proof).unwrap();
        assert_eq!((rows.record().slot().state(), rows.record().slot().may_open().len()), (State::Inactive, 0));
        assert_eq!(rows.release(2, 2).map(drop), Err(ServiceError::NothingShared), "the guest is told to fetch anew");
    }
}

//= spec/protocol.md#service
//# SVC-33. The service MUST refuse a grant for a slot that the lock does not have, by its statement of ownership and by what it said of the slot.
//= spec/protocol.md#service-confirmation
//# SVC-23. A second statement of ownership for the record's epoch that names the same keys, and no more slots, MUST change nothing.
#[test]
fn a_slot_that_the_lock_does_not_have_gets_no_record() {
    let beyond = SlotId::new(SLOTS.value());
    let granted = signed(&sharekey::message::Grant { slot: beyond, ..grant(2) }, &owner_seed());
    let grown = sharekey::id::SlotCount::new(SLOTS.value() + 1).unwrap();
    let active = ServiceError::Slot(SlotError::NotActive);
    let mut rows = Rows::active();
    let before = rows.clone();
    assert_eq!(rows.serve(&granted), Err(ServiceError::NoSuchSlot));
    assert_eq!(rows, before);
    // The lock answers its Provision again, with more slots; and not with fewer after that.
    let more = signed(&Provisioned { slots: grown, ..provisioned() }, &lock_seed());
    rows.serve(&more).unwrap();
    rows.serve(&provisioned_bytes()).unwrap();
    assert_eq!((rows.record().of_lock().slots(), rows.record().of_lock().version()), (grown, 2));
    assert_eq!(rows.serve(&granted), Err(active));
    // Or it says what the slot holds.
    let completed = sharekey::message::Completed::Inspect {
        slot: beyond,
        slots: grown,
        left: sharekey::message::SlotReport { floor: generation(0), holding: sharekey::message::Holding::Inactive },
    };
    rows = before;
    rows.serve(&by_lock(&done(completed))).unwrap();
    let left = sharekey::message::SlotReport { floor: generation(1), holding: sharekey::message::Holding::Empty };
    let completed = sharekey::message::Completed::Activate { slot: beyond, generation: generation(1), left };
    rows.serve(&by_lock(&done(completed))).unwrap();
    rows.serve(&granted).unwrap();
}

#[test]
fn a_new_lock_is_put_as_new_or_not_at_all() {
    let open = || service().open(&provisioned_bytes()).unwrap();
    assert_eq!(open().put_new(|_| Err("there is one")).err(), Some("there is one"));
    let created = open().put_new(|new: &NewRecord| if new.record().version() == 1 { Ok(()) } else { Err(()) });
    assert_eq!(created.map(|record| (record.lock(), record.version())), Ok((lock(), 1)));
}

//= spec/protocol.md#the-service-s-store
//# SVS-7. Both records MUST be read after the request came, the slot's before the lock's.
#[test]
fn a_store_that_is_awaited_is_asked_for_the_same() {
    let mut rows = Rows::active();
    let mut asked = Vec::new();
    let decided = poll_once(service().serve_async(&granted(2), async |key| {
        asked.push(key);
        rows.load(key)
    }));
    let std::task::Poll::Ready(Ok(decided)) = decided else { panic!("it waits for nothing") };
    assert_eq!(asked, [SLOT_KEY(), LOCK_KEY()], "the lock's record is none that the slot's has passed");
    let failed = poll_once(rows.decide(&granted(2)).unwrap().commit_async(async |_| Err("the store is full")));
    assert_eq!(failed.map(|taken| taken.map(drop)), std::task::Poll::Ready(Err("the store is full")));
    let taken = poll_once(decided.commit_async(async |write| rows.put(write)));
    assert!(taken.is_ready());
    assert_eq!(rows.record().slot().state(), State::Sharing);
    let mut asked = Vec::new();
    let refused = service().serve::<ServiceError>(&provisioned_bytes(), |key| {
        asked.push(key);
        Err(ServiceError::Stored(StoredRecordError::Truncated))
    });
    assert_eq!((refused.map(drop), asked), (Err(ServiceError::Stored(StoredRecordError::Truncated)), vec![LOCK_KEY()]));
}

#[test]
fn what_is_for_no_record_is_refused_before_anything_is_read() {
    let refused = |request: Request<'_>| {
        let served = service().serve::<ServiceError>(request, |_| panic!("nothing is to be read"));
        served.map(drop).unwrap_err()
    };
    let (claim, install) = (claimed(2), install(2, 1));
    assert_eq!(refused(Request::from(&claim)), ServiceError::NotOfASlot);
    assert_eq!(refused((&claim, &install).into()), ServiceError::NotOfASlot, "of which slot?");
    let statement = provisioned_bytes();
    assert_eq!(service().take(&mut record(), &statement).map(drop), Err(ServiceError::NotOfASlot));
    let rows = Rows::default();
    assert_eq!(rows.decide((&statement, NOW)).map(drop), Err(ServiceError::NotOfASlot), "no report of a lock");
    assert_eq!(rows.decide(&granted(2)).map(drop), Err(ServiceError::UnknownLock));
    let elsewhere = Provisioned { service: public(&seed(50)), ..provisioned() };
    assert_eq!(rows.decide(&signed(&elsewhere, &lock_seed())).map(drop), Err(ServiceError::OtherService));
}

#[test]
fn a_withdrawal_still_says_released_after_the_same_claim_came_again() {
    let mut rows = Rows::active();
    rows.serve(&granted(2)).unwrap();
    rows.release(2, 1).unwrap();
    rows.release(2, 2).unwrap();
    rows.release(2, 1).unwrap();
    let answer = rows.serve(&withdraw(2)).unwrap();
    let body = *sharekey::wire::Unverified::<sharekey::message::Withdrawn>::parse(&answer).unwrap().claims();
    let install = sharekey_stage::digest(&install(2, 2));
    assert_eq!(body.outcome, WithdrawnOutcome::Released { install }, "the latest install that was new");
}
