//! Whatever reaches a record through the one call for it: what it changed, what stood there before, and the same again.

use sharekey::counter::Epoch;
use sharekey::crypto::PublicKey;
use sharekey::error::{ServiceError, SlotError, WireError};
use sharekey::message::{Holding, WithdrawnOutcome};
use sharekey::service::{Changed, NewRecord, Request, Service, ShareRecord};
use sharekey::slot::GrantRef;
use sharekey::staged::Staged;
use sharekey_stage::desk::*;
use sharekey_stage::forge::signed;
use sharekey_stage::provider::Provider;
use sharekey_stage::store::stored;
use sharekey_stage::{digest, poll_once, public, seed};

/// What somebody sent: one message, or a claim and its install.
struct Sent(Vec<Vec<u8>>);

impl Sent {
    fn request(&self) -> Request<'_> {
        match self.0.as_slice() {
            [claim, install] => Request::from((claim, install)),
            messages => Request::from(&messages[0]),
        }
    }
}

fn one(message: Vec<u8>) -> Sent {
    Sent(vec![message])
}

fn key(n: u32) -> GrantRef {
    GrantRef { generation: generation(n), grant: digest(&granted(n)) }
}

fn other_service() -> PublicKey {
    public(&seed(50))
}

fn downloaded_record() -> ShareRecord {
    let mut record = shared_record(2);
    take(&mut record, &receipt(2));
    record
}

/// A request of each kind that changes a record, the record, and what it changes.
fn requests() -> Vec<(&'static str, ShareRecord, Sent, Changed)> {
    let (me, mine) = (public(&owner_seed()), public(&service_seed()));
    let asked = |nonce| Sent(vec![claimed(2), install(2, nonce)]);
    let holding = Holding::Installed { grant: digest(&granted(2)), device: device() };
    let released = WithdrawnOutcome::Released { install: digest(&install(2, 1)) };
    let withdrawn = |outcome| Changed::Withdrawn { key: key(2), outcome };
    let (denied, epoch) = (WithdrawnOutcome::NeverReleased, Epoch::new(2));
    let downloaded = Changed::Downloaded { key: key(2), device: device() };
    let claimed_by = Changed::Released { key: key(2), device: device() };
    let published = Changed::Published { key: key(2), subject: public(&subject_seed()) };
    vec![
        ("activated", record(), one(by_lock(&activated(1))), Changed::Activated { number: generation(1) }),
        (
            "deactivated",
            shared_record(2),
            one(by_lock(&deactivated(3))),
            Changed::Deactivated { number: generation(3) },
        ),
        ("published", active_record(), one(granted(2)), published),
        ("released", sharing_record(2), asked(1), claimed_by),
        ("released for another install", shared_record(2), asked(2), claimed_by),
        ("downloaded", shared_record(2), one(receipt(2)), downloaded),
        ("found", shared_record(2), one(by_lock(&found(2, holding))), downloaded),
        ("vacant", shared_record(2), one(by_lock(&found(2, Holding::Empty))), Changed::Vacant { floor: generation(2) }),
        ("withdrawn before", active_record(), one(withdraw(2)), withdrawn(denied)),
        ("revoked", sharing_record(2), one(withdraw(2)), withdrawn(denied)),
        ("reset", downloaded_record(), one(withdraw(2)), withdrawn(released)),
        ("reopened", shared_record(2), one(by_lock(&transfer_to(me, mine, 2))), Changed::Reopened { epoch }),
        (
            "moved",
            shared_record(2),
            one(by_lock(&transfer_to(me, other_service(), 2))),
            Changed::Moved { epoch, to: other_service() },
        ),
    ]
}

/// The record without its version.
fn content(record: &ShareRecord) -> serde_json::Value {
    let mut value = serde_json::to_value(record).unwrap();
    value["version"].take();
    value
}

#[test]
fn each_request_tells_what_it_changed_and_what_stood_there_before() {
    for (what, before, sent, changed) in requests() {
        let mut record = before.clone();
        let staged = service().take(&mut record, sent.request()).unwrap();
        assert_eq!((staged.changed(), staged.before()), (changed, &before), "{what}");
        assert_ne!(content(staged.next()), content(&before), "{what}");
        let next = staged.next().clone();
        assert_eq!(accept(staged).changed(), changed, "{what}");
        assert_eq!((&record, record.version()), (&next, before.version() + 1), "{what}");
    }
}

//= spec/protocol.md#service-confirmation
//# SVC-20. Every accepted operation MUST raise the record's version by one, also where it changes nothing else.
//= spec/protocol.md#service-confirmation
//# SVC-24. A grant that is sent for publication while it is shared MUST be accepted, with nothing changed but the version.
#[test]
fn the_same_again_is_answered_as_it_was_and_changes_nothing_but_the_version() {
    for (what, mut record, sent, _) in requests() {
        let answer = accept(service().take(&mut record, sent.request()).unwrap()).answer();
        let before = record.clone();
        let again = accept(service().take(&mut record, sent.request()).unwrap());
        assert_eq!(again.changed(), Changed::Nothing, "{what}");
        assert_eq!(again.answer(), answer, "{what}");
        assert_eq!(content(&record), content(&before), "{what}");
        assert_eq!(record.version(), before.version() + 1, "{what}");
    }
}

#[test]
fn a_grant_is_published_again_until_it_is_shared_no_more() {
    let mut record = sharing_record(2);
    for sent in [one(granted(2)), Sent(vec![claimed(2), install(2, 1)]), one(receipt(2))] {
        accept(service().take(&mut record, sent.request()).unwrap()).answer().unwrap();
        let again = accept(service().take(&mut record, &granted(2)).unwrap());
        assert_eq!((again.changed(), again.answer()), (Changed::Nothing, Ok(vec![])));
    }
    take(&mut record, &withdraw(2));
    let refused = service().take(&mut record, &granted(2)).map(drop);
    assert_eq!(refused, Err(ServiceError::Slot(SlotError::StaleNumber)));
}

#[test]
fn an_answer_that_another_one_took_the_place_of_is_told_again() {
    let mut record = sharing_record(2);
    for n in [2, 9, 2] {
        let taken = accept(service().take(&mut record, &withdraw(n)).unwrap());
        let outcome = WithdrawnOutcome::NeverReleased;
        assert_eq!(taken.changed(), Changed::Withdrawn { key: key(n), outcome });
        assert_eq!(record.evidence().withdrawn(), Some(taken.answer().unwrap().as_slice()));
    }
}

//= spec/protocol.md#service-confirmation
//# SVC-21. The refusal of a publication that took its number MUST NOT be given before the record is stored.
#[test]
fn a_refusal_that_took_a_number_comes_out_of_the_store_and_again_at_once() {
    let mut record = sharing_record(2);
    let staged = service().take(&mut record, &granted(7)).unwrap();
    assert_eq!(staged.changed(), Changed::NumberTaken { number: generation(7) });
    let (failed, refusal) = (Err("the store is full"), Err(ServiceError::Slot(SlotError::AlreadyShared)));
    assert_eq!(staged.commit(|_| failed).map(drop), failed);
    assert_eq!(accept(service().take(&mut record, &granted(7)).unwrap()).answer(), refusal);
    let again = service().take(&mut record, &granted(7)).map(drop);
    assert_eq!(again, Err(ServiceError::Slot(SlotError::StaleNumber)));
}

type Call = for<'r> fn(
    &Service<Provider>,
    &'r mut ShareRecord,
    &[u8],
) -> Result<Staged<'r, ShareRecord, sharekey::service::Taken>, ServiceError>;

#[test]
fn each_message_goes_to_the_call_for_its_kind_and_no_other_call_takes_it() {
    let calls: [(&str, Call); 5] = [
        ("publish", |service, record, message| service.publish(record, message)),
        ("withdraw", |service, record, message| service.withdraw(record, message)),
        ("confirm", |service, record, message| service.confirm(record, message)),
        ("done", |service, record, message| service.done(record, message)),
        ("reopen", |service, record, message| service.reopen(record, message)),
    ];
    for (what, record, sent, _) in requests() {
        let [message] = sent.0.as_slice() else { continue };
        let taken = |call: Call| call(&service(), &mut record.clone(), message).map(|staged| staged.next().clone());
        let by_calls = calls.map(|(_, call)| taken(call));
        let accepted: Vec<_> = by_calls.iter().filter_map(|taken| taken.as_ref().ok()).collect();
        let mut through = record.clone();
        let staged = service().take(&mut through, message).unwrap();
        assert_eq!(accepted, [staged.next()], "{what}");
        let refused = by_calls.iter().filter_map(|taken| taken.as_ref().err());
        let of_another = |error: &ServiceError| {
            use ServiceError::{NotATransfer, NotOfASlot, Wire};
            matches!(error, Wire(WireError::Kind { .. }) | NotOfASlot | NotATransfer)
        };
        refused.for_each(|error| assert!(of_another(error), "{what}: {error:?}"));
    }
}

#[test]
fn a_new_record_is_put_as_new_or_not_at_all() {
    let open = || service().open(&signed(&provisioned(), &lock_seed()), SLOT).unwrap();
    assert_eq!(open().put_new(|_| Err("there is one")).err(), Some("there is one"));
    assert_eq!(
        poll_once(open().put_new_async(async |_| Err("there is one"))),
        std::task::Poll::Ready(Err("there is one"))
    );
    let mut put = Vec::new();
    let created = open().put_new(|new: &NewRecord| {
        put.push(new.record().clone());
        Ok::<(), ()>(())
    });
    assert_eq!((created.as_ref().ok(), record().version()), (put.first(), 1));
    assert_eq!(created.unwrap().place(), (lock(), SLOT));
    let opened = poll_once(open().put_new_async(async |new| stored(new)));
    assert_eq!(opened, std::task::Poll::Ready(Ok(record())));
}

#[test]
fn a_report_holds_what_was_given_out() {
    let mut record = shared_record(2);
    let answer = take(&mut record, &withdraw(2));
    take(&mut record, &granted(3));
    let read = ShareRecord::from_bytes(&record.to_bytes()).unwrap();
    let (report, messages) = reported(&service(), &read);
    assert_eq!((report.version, report.state), (record.version(), sharekey::slot::State::Sharing));
    assert_eq!(messages, [by_lock(&activated(1)), granted(2), answer.clone(), granted(3)]);
    // Once the lock proved that grant dead, the latest answer stands by itself.
    take(&mut record, &by_lock(&activated(4)));
    assert_eq!(reported(&service(), &record).1, [by_lock(&activated(4)), answer]);
}
