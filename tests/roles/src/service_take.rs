//! Whatever reaches a record through the one call for it: what it changed, what stood there before, and the same again.

use sharekey::error::{ServiceError, SlotError, WireError};
use sharekey::message::{Holding, Withdrawn, WithdrawnOutcome};
use sharekey::service::{Changed, Request, Service, ShareRecord, place_of};
use sharekey::slot::GrantRef;
use sharekey::staged::Staged;
use sharekey::wire::{Kind, Unverified};
use sharekey_stage::desk::*;
use sharekey_stage::provider::Provider;
use sharekey_stage::rows::joined;
use sharekey_stage::{digest, public};

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

fn downloaded_record() -> ShareRecord {
    let mut record = shared_record(2);
    take(&mut record, &receipt(2));
    record
}

/// A request of each kind that changes a record, the record, and what it changes.
fn requests() -> Vec<(&'static str, ShareRecord, Sent, Changed)> {
    let asked = |nonce| Sent(vec![claimed(2), install(2, nonce)]);
    let holding = Holding::Installed { grant: digest(&granted(2)), device: device() };
    let released = WithdrawnOutcome::Released { install: digest(&install(2, 1)) };
    let withdrawn = |outcome| Changed::Withdrawn { key: key(2), outcome };
    let denied = WithdrawnOutcome::NeverReleased;
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
    ]
}

/// The record without its version.
fn content(record: &ShareRecord) -> serde_json::Value {
    let mut value = serde_json::to_value(record.of_slot()).unwrap();
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
//# SVC-20. What is accepted and changes a record MUST raise that record's version by one.
//= spec/protocol.md#service-confirmation
//# SVC-25. What is accepted and changes nothing MUST be answered without a write.
//= spec/protocol.md#service-confirmation
//# SVC-24. A grant that is sent for publication while it is shared MUST be accepted, with nothing changed.
#[test]
fn the_same_again_is_answered_as_it_was_and_writes_nothing() {
    for (what, mut record, sent, _) in requests() {
        let answer = accept(service().take(&mut record, sent.request()).unwrap()).answer();
        let before = record.clone();
        let again = service().take(&mut record, sent.request()).unwrap();
        assert!(!again.writes(), "{what}");
        assert_eq!(again.next(), &before, "{what}");
        let Ok(again) = again.commit(|_| -> Result<(), std::convert::Infallible> { panic!("{what} is written") });
        assert_eq!((again.changed(), again.answer()), (Changed::Nothing, answer), "{what}");
        assert_eq!(record, before, "{what}");
    }
}

//= spec/protocol.md#service-confirmation
//# SVC-32. A claim and an install that were released before MUST be answered with the same Release, and change nothing.
#[test]
fn requests_that_are_repeated_in_turn_write_nothing_either() {
    let mut record = shared_record(2);
    for nonce in 2..=16 {
        take(&mut record, (&claimed(2), &install(2, nonce)));
    }
    let before = record.clone();
    for nonce in (1..=16).chain(1..=16) {
        take(&mut record, (&claimed(2), &install(2, nonce)));
        assert_eq!(record, before, "install {nonce}");
    }
    assert_eq!(
        record.slot().may_open()[0].install(),
        Some(digest(&install(2, 16))),
        "the latest, whatever is repeated"
    );
    // The one of the longest ago is forgotten, and released as if it were new.
    take(&mut record, (&claimed(2), &install(2, 17)));
    take(&mut record, (&claimed(2), &install(2, 1)));
    assert_eq!(record.version(), before.version() + 2);
    // Withdrawals: of the grant that is shared, one that never was, and again.
    let (first, second) = (take(&mut record, &withdraw(2)), take(&mut record, &withdraw(9)));
    let before = record.clone();
    for _ in 0..3 {
        assert_eq!((take(&mut record, &withdraw(2)), take(&mut record, &withdraw(9))), (first.clone(), second.clone()));
    }
    assert_eq!(record, before);
    assert_eq!(record.evidence().withdrawn(), Some(second.as_slice()), "the latest that changed the record");
}

/// A guest's share is gone by a Done, and the owner withdraws it afterwards: the answer is kept beside the grant.
#[test]
fn an_answer_of_a_grant_that_may_open_is_kept_once() {
    let mut record = shared_record(2);
    take(&mut record, &by_lock(&deactivated(1)));
    take(&mut record, &by_lock(&deactivated(1)));
    let (before, answer) = (record.version(), take(&mut record, &withdraw(2)));
    let after = record.clone();
    take(&mut record, &withdraw(2));
    assert_eq!((record.version(), &record), (before + 1, &after));
    assert!(reported(&service(), &record).1.contains(&answer));
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
    let calls: [(&str, Call); 4] = [
        ("publish", |service, record, message| service.publish(record, message)),
        ("withdraw", |service, record, message| service.withdraw(record, message)),
        ("confirm", |service, record, message| service.confirm(record, message)),
        ("done", |service, record, message| service.done(record, message)),
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
            use ServiceError::{NotOfASlot, Wire};
            matches!(error, Wire(WireError::Kind { .. }) | NotOfASlot)
        };
        refused.for_each(|error| assert!(of_another(error), "{what}: {error:?}"));
    }
}

//= spec/protocol.md#reports
//# RPT-20. After the statement of ownership a report MUST hold only Grants, Withdrawns, Receipts and Dones of the report's slot.
#[test]
fn whatever_a_record_went_through_its_report_holds_messages_of_its_slot_only() {
    for (what, mut record, sent, _) in requests() {
        let _ = accept(service().take(&mut record, sent.request()).unwrap());
        for message in reported(&service(), &record).1 {
            let place = match Kind::of(&message).unwrap() {
                Kind::Withdrawn => {
                    let withdraw = Unverified::<Withdrawn>::parse(&message).unwrap().claims().withdraw;
                    (withdraw.lock, Some(withdraw.slot))
                }
                Kind::Grant | Kind::Receipt | Kind::Done => place_of(&message).unwrap(),
                other => panic!("{what}: {other:?}"),
            };
            assert_eq!(place, (lock(), Some(SLOT)), "{what}");
        }
    }
}

#[test]
fn a_report_holds_what_was_given_out() {
    let mut record = shared_record(2);
    let answer = take(&mut record, &withdraw(2));
    take(&mut record, &granted(3));
    let read = joined(record.place(), record.of_lock(), Some(record.of_slot().to_bytes())).unwrap();
    let (report, messages) = reported(&service(), &read);
    assert_eq!((report.version, report.state), (record.version(), sharekey::slot::State::Sharing));
    assert_eq!(messages, [by_lock(&activated(1)), granted(2), answer.clone(), granted(3)]);
    // Once the lock proved that grant dead, the latest answer stands by itself.
    take(&mut record, &by_lock(&activated(4)));
    assert_eq!(reported(&service(), &record).1, [by_lock(&activated(4)), answer]);
}
