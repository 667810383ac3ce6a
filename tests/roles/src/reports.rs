//! Reports: whole, fresh, of the one slot, and convicting where two contradict each other.

use sharekey::counter::{Epoch, Term};
use sharekey::crypto::Nonce;
use sharekey::error::{OwnerError, ServiceError, SignatureError, WireError};
use sharekey::guest::Account;
use sharekey::id::{LockId, SlotCount, SlotId};
use sharekey::limits::Timestamp;
use sharekey::message::{Completed, FindRequest, Holding, Report, ReportAnswer, ReportRequest};
use sharekey::owner::{Equivocation, OwnedLock, PendingReport, Seen, Standing};
use sharekey::slot::State;
use sharekey::wire::Unverified;
use sharekey_stage::desk::{self, *};
use sharekey_stage::forge::{report_of, signed};
use sharekey_stage::provider::Provider;
use sharekey_stage::slots::RELEASED;
use sharekey_stage::world::{ANA, BEN, HALL, STUDIO, World};
use sharekey_stage::{digest, public, rng, seed};

const MISMATCH: SignatureError = SignatureError::Mismatch;

fn asked(view: &OwnedLock) -> (Vec<u8>, PendingReport) {
    let (request, pending) = owner().ask(view, SLOT, NOW, &mut rng(1)).unwrap();
    (request.to_vec(), pending)
}

fn sees(view: &mut OwnedLock, pending: PendingReport, answer: &[u8]) -> Result<Seen, OwnerError> {
    Ok(accept(owner().see(view, pending, answer)?))
}

/// What the view says of an answer that is made out of the good one to its own request.
fn refusal(view: &OwnedLock, messages: &[Vec<u8>], other: impl FnOnce(Report, Vec<&[u8]>) -> Vec<u8>) -> OwnerError {
    let mut changed = view.clone();
    let (request, pending) = asked(&changed);
    let answer = answer(&request, (7, State::Shared), messages);
    let parts = ReportAnswer::parse(&answer).unwrap();
    let body = *Unverified::<Report>::parse(parts.report).unwrap().claims();
    let error = sees(&mut changed, pending, &other(body, parts.messages().collect())).map(drop).unwrap_err();
    assert_eq!(changed, *view, "nothing changed");
    error
}

/// The service's signature under a report of these messages.
fn sealed(body: Report, messages: &[&[u8]]) -> Vec<u8> {
    report_of(body, messages, &service_seed())
}

// --- what a phone refuses -----------------------------------------------------------------------

//= spec/protocol.md#reports
//# RPT-9. A phone MUST refuse a Report that does not name the digest of its own pending request.
//= spec/protocol.md#reports
//# RPT-1. The nonce of a ReportRequest and of a FindRequest MUST be drawn fresh and unpredictable.
#[test]
fn an_answer_is_good_for_the_one_request_that_it_names() {
    let mut view = sharing_view();
    let mut rng = rng(1);
    let (first, pending) = owner().ask(&view, SLOT, NOW, &mut rng).unwrap();
    let (second, next) = owner().ask(&view, SLOT, NOW, &mut rng).unwrap();
    assert_ne!(*first, *second, "no two requests are the same");
    let old = answer(&first, (7, State::Sharing), &[granted(2)]);
    let _ = sees(&mut view, pending, &old).unwrap();
    assert_eq!(sees(&mut view, next, &old), Err(OwnerError::OtherRequest), "replayed");
}

//= spec/protocol.md#reports
//# RPT-11. A phone MUST refuse an answer whose messages are not, in their order, those that the Report names.
#[test]
fn an_answer_that_is_shortened_reordered_or_mixed_is_refused() {
    let view = sharing_view();
    let messages = [by_lock(&activated(1)), granted(2), withdrawn(2, RELEASED)];
    let other = granted(9);
    let ways: [fn(&mut Vec<&[u8]>); 5] = [
        |parts| {
            parts.pop();
        },
        |parts| parts.swap(1, 2),
        |parts| {
            parts.remove(0);
        },
        |parts| parts.push(parts[1]),
        |parts| parts.clear(),
    ];
    for way in ways {
        let error = refusal(&view, &messages, |body, mut parts| {
            way(&mut parts);
            ReportAnswer::encode(&signed(&body, &service_seed()), &parts)
        });
        assert_eq!(error, OwnerError::OtherMessages);
    }
    let error = refusal(&view, &messages, |body, parts| {
        let mixed: [&[u8]; 4] = [parts[0], parts[1], &other, parts[3]];
        ReportAnswer::encode(&signed(&body, &service_seed()), &mixed)
    });
    assert_eq!(error, OwnerError::OtherMessages);
}

//= spec/protocol.md#reports
//# RPT-10. A phone MUST check a Report under the service key of its view.
//= spec/protocol.md#reports
//# RPT-12. A phone MUST refuse a Report of another lock or slot than its request is of, or of another epoch than its view's after the statement of ownership.
//= spec/protocol.md#reports
//# RPT-14. A phone MUST refuse a report of which a message, after the first, is not of the report's slot.
#[test]
fn a_report_is_the_services_and_of_this_lock_slot_and_ownership() {
    let view = sharing_view();
    let messages = [granted(2)];
    let error = refusal(&view, &messages, |body, parts| ReportAnswer::encode(&signed(&body, &seed(50)), &parts));
    assert_eq!(error, OwnerError::ReportSignature(MISMATCH));
    type Other = fn(Report) -> Report;
    let others: [(Other, OwnerError); 3] = [
        (|body| Report { lock: LockId::new(public(&seed(50))), ..body }, OwnerError::WrongLock),
        (|body| Report { slot: SlotId::new(4), ..body }, OwnerError::WrongSlot),
        (|body| Report { epoch: Epoch::new(2), ..body }, OwnerError::WrongEpoch),
    ];
    for (other, error) in others {
        assert_eq!(refusal(&view, &messages, |body, parts| sealed(other(body), &parts)), error);
    }
    // A message of the slot next door, and one of no slot.
    let next_door = sharekey::message::Grant { slot: SlotId::new(4), ..grant(2) };
    let transfer = transfer_to(public(&owner_seed()), public(&service_seed()), 2);
    let set_clock = done(sharekey::message::Completed::SetClock { to: NOW });
    for stray in [signed(&next_door, &owner_seed()), by_lock(&set_clock), by_lock(&transfer)] {
        let error = refusal(&view, &messages, |body, parts| sealed(body, &[parts[0], parts[1], &stray]));
        assert_eq!(error, OwnerError::WrongSlot);
    }
    let provisioned = signed(&provisioned(), &lock_seed());
    let error = refusal(&view, &messages, |body, parts| sealed(body, &[parts[0], parts[1], &provisioned]));
    assert_eq!(error, OwnerError::NothingToLearn);
}

//= spec/protocol.md#reports
//# RPT-8. A phone MUST refuse an answer with more than 64 messages, or with one that is longer than any message can be, before it checks a signature.
#[test]
fn an_answer_that_is_too_long_is_refused_before_anything_is_checked() {
    let report = [0; 10];
    let of = |count: usize, length: usize| ReportAnswer::encode(&report, &vec![&vec![0; length][..]; count]);
    let wire = |answer: &[u8]| ReportAnswer::parse(answer).map(|parts| parts.messages().count());
    assert_eq!(wire(&of(64, 256)), Ok(64));
    assert_eq!(wire(&of(65, 1)), Err(WireError::TooLong));
    assert_eq!(wire(&of(1, 257)), Err(WireError::TooLong));
    assert_eq!(wire(&of(0, 0)), Ok(0));
    let whole = of(3, 40);
    for length in 0..whole.len() {
        let cut = wire(&whole[..length]);
        assert!(cut == Err(WireError::Truncated) || cut.is_ok_and(|count| count < 3), "{length}");
    }
    let (mut view, (_, pending)) = (sharing_view(), asked(&sharing_view()));
    assert_eq!(sees(&mut view, pending, &of(65, 1)), Err(OwnerError::Wire(WireError::TooLong)));
}

// --- what it begins with ------------------------------------------------------------------------

//= spec/protocol.md#reports
//# RPT-7. A report MUST begin with the statement of ownership of the record's epoch.
#[test]
fn a_report_begins_with_whose_the_lock_is() {
    let view = sharing_view();
    for first in [granted(2), by_lock(&activated(1))] {
        let error = refusal(&view, &[], |body, _| sealed(body, &[&first]));
        assert_eq!(error, OwnerError::NoOwnership);
    }
    assert_eq!(refusal(&view, &[], |body, _| sealed(body, &[])), OwnerError::NoOwnership);
    let spoilt = signed(&provisioned(), &seed(50));
    let error = refusal(&view, &[], |body, _| sealed(body, &[&spoilt]));
    assert_eq!(error, OwnerError::ProvisionedSignature(MISMATCH));
    let others = sharekey::message::Provisioned { owner: public(&seed(50)), ..provisioned() };
    let error = refusal(&view, &[], |body, _| sealed(body, &[&signed(&others, &lock_seed())]));
    assert_eq!(error, OwnerError::WrongOwner);
}

/// A former owner put a service of his own under the lock, and the lock came back.
//= spec/protocol.md#reports
//# RPT-13. A phone MUST refuse a statement of ownership that names another service key than its view's, unless its owner names that key as the one expected.
#[test]
fn a_report_brings_no_other_service_under_a_phone_that_was_away() {
    let view = sharing_view();
    let moved = by_lock(&transfer_to(public(&owner_seed()), public(&seed(50)), 3));
    let later = |body| Report { epoch: Epoch::new(3), ..body };
    assert_eq!(refusal(&view, &[], |body, _| sealed(later(body), &[&moved])), OwnerError::WrongService);
    let same = by_lock(&transfer_to(public(&owner_seed()), public(&service_seed()), 3));
    let mut view = view;
    let (request, pending) = asked(&view);
    let body = *Unverified::<ReportRequest>::parse(&request).unwrap().claims();
    let body = Report {
        request: digest(&request),
        lock: body.lock,
        epoch: Epoch::new(3),
        slot: SLOT,
        version: 4,
        state: State::Inactive,
        slots: SLOTS,
        messages: digest(b""),
    };
    let seen = sees(&mut view, pending, &sealed(body, &[&same])).unwrap();
    assert_eq!((view.epoch(), view.standing(), seen.learned.len()), (Epoch::new(3), Standing::Owned, 1));
    assert_eq!(view.status(SLOT).nobody_can_open(), Some(NOW), "nothing of before the transfer opens");
}

/// It says so, and nothing of what may open a lock that is somebody else's.
#[test]
fn a_report_that_begins_with_a_transfer_to_another_owner_ends_the_view() {
    let sold = by_lock(&transfer_to(public(&seed(50)), public(&service_seed()), 2));
    let later = |body| Report { epoch: Epoch::new(2), ..body };
    let grant = signed(&sharekey::message::Grant { epoch: Epoch::new(2), ..grant(2) }, &owner_seed());
    let error = refusal(&sharing_view(), &[], |body, _| sealed(later(body), &[&sold, &grant]));
    assert_eq!(error, OwnerError::Transferred);
    let mut view = sharing_view();
    let (request, pending) = asked(&view);
    let good = answer(&request, (7, State::Shared), &[] as &[&[u8]]);
    let body = *Unverified::<Report>::parse(ReportAnswer::parse(&good).unwrap().report).unwrap().claims();
    let _ = sees(&mut view, pending, &sealed(later(body), &[&sold])).unwrap();
    assert_eq!((view.standing(), view.status(SLOT).as_of), (Standing::Transferred, None));
    assert_eq!(view.status(SLOT).nobody_can_open(), None);
}

/// Away over a transfer to oneself and sixteen shares: one report a slot.
#[test]
fn a_phone_that_was_away_over_a_transfer_and_many_shares_comes_along_by_one_report() {
    let (mut w, _ana) = World::downloaded();
    let mut tablet = w.olga.twin();
    tablet.sync(&mut w.cloud).unwrap();
    let done = w.olga.transfer(&mut w.door, w.olga.key(), w.cloud.key()).unwrap();
    w.cloud.hear(&done).unwrap();
    w.activate(HALL).unwrap();
    for round in 0..16 {
        let mut guest = w.guest(if round % 2 == 0 { ANA } else { BEN });
        w.share(HALL, &guest).unwrap();
        if round % 3 == 0 {
            w.download(&mut guest).unwrap();
            w.cloud.prove(w.place(HALL), guest.key().receipt()).unwrap();
            w.sync();
        }
        w.withdraw(HALL).unwrap();
    }
    let ben = w.guest(BEN);
    w.share(HALL, &ben).unwrap();
    let seen = tablet.see(&mut w.cloud, HALL).unwrap();
    assert!(seen.equivocation.is_none());
    assert_eq!(tablet.view().epoch(), w.olga.view().epoch());
    assert_eq!((tablet.state(HALL), tablet.may_open(HALL)), (w.olga.state(HALL), w.olga.may_open(HALL)));
}

// --- what it proves -----------------------------------------------------------------------------

//= spec/protocol.md#reports
//# RPT-16. A view MUST NOT say that nobody can open a slot, other than as of the moment at which the request of a report that it took in of the present epoch was signed.
#[test]
fn that_nobody_can_open_needs_a_report_and_is_as_of_when_it_was_asked_for() {
    let mut view = active_view();
    let inspected = by_lock(&found(1, Holding::Empty));
    let _ = accept(owner().learn(&mut view, &inspected).unwrap());
    assert!(view.status(SLOT).may_open.is_empty());
    assert_eq!(view.status(SLOT).nobody_can_open(), None, "another phone may have shared it");
    assert_eq!(view.status(SlotId::new(9)).nobody_can_open(), None, "nor of a slot that it never heard of");
    let _ = accept(desk::see(&mut view, (3, State::NotShared), &[] as &[&[u8]]).unwrap());
    assert_eq!(view.status(SLOT).nobody_can_open(), Some(NOW));
    let _ = accept(desk::see(&mut view, (4, State::Sharing), &[granted(2)]).unwrap());
    assert_eq!(view.status(SLOT).nobody_can_open(), None);
}

/// Two phones; one withdraws what the other does not know of.
#[test]
fn a_slot_that_a_phone_never_heard_of_is_asked_for_as_well() {
    let (mut w, _) = World::shared();
    let mut tablet = w.olga.twin();
    w.activate(STUDIO).unwrap();
    let ben = w.guest(BEN);
    w.share(STUDIO, &ben).unwrap();
    assert_eq!(tablet.view().status(STUDIO).as_of, None);
    let _ = tablet.see(&mut w.cloud, STUDIO).unwrap();
    assert_eq!((tablet.state(STUDIO), tablet.may_open(STUDIO)), (State::Sharing, w.olga.may_open(STUDIO)));
}

//= spec/protocol.md#reports
//# RPT-15. Two Reports of one epoch, slot and version, each signed by the service, that differ in their state, their slots or their messages MUST be reported as equivocation of the service, with both as evidence.
#[test]
fn two_reports_of_one_version_that_differ_convict_the_service() {
    let mut view = sharing_view();
    let (first, pending) = asked(&view);
    let first = answer(&first, (7, State::Sharing), &[granted(2)]);
    assert_eq!(sees(&mut view, pending, &first).unwrap().equivocation, None);
    // The same again, to another request, is no contradiction.
    assert_eq!(accept(desk::see(&mut view, (7, State::Sharing), &[granted(2)]).unwrap()).equivocation, None);
    let (second, pending) = asked(&view);
    let second = answer(&second, (7, State::NotShared), &[] as &[&[u8]]);
    let found = sees(&mut view, pending, &second).unwrap().equivocation.expect("convicted");
    let Equivocation::Report { slot: SLOT, first: one, second: other } = &found else { panic!("{found:?}") };
    for report in [one, other] {
        let report = Unverified::<Report>::parse(report).unwrap().verify(&Provider, view.service()).unwrap();
        assert_eq!(report.version, 7);
    }
    assert_eq!(*other, ReportAnswer::parse(&second).unwrap().report);
    // It is kept, and stored.
    let _ = accept(desk::see(&mut view, (8, State::NotShared), &[] as &[&[u8]]).unwrap());
    let view = sharekey_stage::world::through_storage(&view);
    assert_eq!(view.equivocations().collect::<Vec<_>>(), [found]);
}

//= spec/protocol.md#reports
//# RPT-18. A view MUST keep the highest number of slots that a message of the lock, or a Report, has named that it took in.
#[test]
fn a_phone_asks_for_every_slot_that_anybody_who_may_say_so_named() {
    let mut view = active_view();
    let count = |view: &OwnedLock| view.slot_count().value();
    assert_eq!((count(&view), view.every_slot().count(), view.statuses().count()), (10, 10, 10));
    for (named, known) in [(3, 10), (12, 12), (11, 12)] {
        let (request, pending) = asked(&view);
        let good = answer(&request, (7, State::NotShared), &[] as &[&[u8]]);
        let parts = ReportAnswer::parse(&good).unwrap();
        let body = *Unverified::<Report>::parse(parts.report).unwrap().claims();
        let slots = SlotCount::new(named).unwrap();
        let answer = sealed(Report { slots, ..body }, &parts.messages().collect::<Vec<_>>());
        let _ = sees(&mut view, pending, &answer).unwrap();
        assert_eq!(count(&view), known);
    }
    for (named, known) in [(4, 12), (16, 16)] {
        let left = found(1, Holding::Empty).completed.left().unwrap().1;
        let slots = SlotCount::new(named).unwrap();
        let _ =
            accept(owner().learn(&mut view, &by_lock(&done(Completed::Inspect { slot: SLOT, slots, left }))).unwrap());
        assert_eq!(count(&view), known);
    }
    let transfer = transfer_to(public(&owner_seed()), public(&service_seed()), 2);
    let _ = accept(owner().learn(&mut view, &by_lock(&transfer)).unwrap());
    assert_eq!((count(&view), view.epoch()), (16, Epoch::new(2)), "a lock never has fewer");
    let view = sharekey_stage::world::through_storage(&view);
    assert_eq!((count(&view), view.every_slot().last()), (16, Some(SlotId::new(15))));
}

//= spec/protocol.md#reports
//# RPT-17. A Report MUST name the highest number of slots that a message of the lock in it names.
#[test]
fn a_report_names_as_many_slots_as_the_lock_said_last() {
    let mut record = shared_record(2);
    assert_eq!(reported(&service(), &record).0.slots, SLOTS);
    let left = found(9, Holding::Empty).completed.left().unwrap().1;
    take(&mut record, &by_lock(&done(Completed::Inspect { slot: SLOT, slots: SlotCount::MAX, left })));
    assert_eq!(reported(&service(), &record).0.slots, SlotCount::MAX);
}

// --- what the service refuses -------------------------------------------------------------------

fn service_refuses(body: &ReportRequest, by: u8) -> ServiceError {
    let key = if by == 0 { owner_seed() } else { seed(by) };
    service().report(&shared_record(2), &signed(body, &key), NOW).unwrap_err()
}

//= spec/protocol.md#reports
//# RPT-2. The service MUST check the signature of a ReportRequest under the key that the record's ownership has for its `by`.
//= spec/protocol.md#reports
//# RPT-3. The service MUST refuse a ReportRequest of an epoch above the record's.
#[test]
fn only_who_manages_the_lock_gets_a_report() {
    let good = request_of(&shared_record(2));
    assert_eq!(service_refuses(&good, 50), ServiceError::RequestSignature(MISMATCH));
    let body = ReportRequest { by: Term::new(1), ..good };
    assert_eq!(service_refuses(&body, 0), ServiceError::UnknownSigner);
    let body = ReportRequest { lock: LockId::new(public(&seed(50))), ..good };
    assert_eq!(service_refuses(&body, 0), ServiceError::WrongLock);
    let body = ReportRequest { slot: SlotId::new(9), ..good };
    assert_eq!(service_refuses(&body, 0), ServiceError::WrongSlot);
    let body = ReportRequest { epoch: Epoch::new(2), ..good };
    assert_eq!(service_refuses(&body, 0), ServiceError::WrongEpoch);
    let other = sharekey::Service::new(Provider, &seed(50)).unwrap();
    let refused = other.report(&shared_record(2), &signed(&good, &owner_seed()), NOW).unwrap_err();
    assert_eq!(refused, ServiceError::Moved);
    // A phone that was away knows an earlier ownership.
    let mut record = shared_record(2);
    let later = transfer_to(public(&owner_seed()), public(&service_seed()), 2);
    serve(&service(), &mut record, &by_lock(&later)).unwrap();
    assert!(service().report(&record, &signed(&good, &owner_seed()), NOW).is_ok());
}

//= spec/protocol.md#reports
//# RPT-4. The service MUST refuse a ReportRequest or a FindRequest whose time is more than 300 seconds before or after its own.
#[test]
fn a_request_is_good_for_five_minutes_on_either_side() {
    let at = |seconds: i64| Timestamp::from_unix_seconds(NOW.unix_seconds().checked_add_signed(seconds).unwrap());
    let account = Account::from_seed(&Provider, &subject_seed()).unwrap();
    for (seconds, good) in [(-301, false), (-300, true), (0, true), (300, true), (301, false)] {
        let body = ReportRequest { time: at(seconds), ..request_of(&shared_record(2)) };
        let report = service().report(&shared_record(2), &signed(&body, &owner_seed()), NOW).map(drop);
        let find = account.ask(&Provider, service().key(), at(seconds), &mut rng(3)).unwrap();
        let expected = if good { Ok(()) } else { Err(ServiceError::RequestTime { now: NOW.unix_seconds() }) };
        assert_eq!((report, service().find(&find, NOW).map(drop)), (expected, expected), "{seconds}");
    }
    let ages = Timestamp::from_unix_seconds(u64::MAX);
    let find = account.ask(&Provider, service().key(), ages, &mut rng(3)).unwrap();
    assert_eq!(service().find(&find, NOW), Err(ServiceError::RequestTime { now: NOW.unix_seconds() }));
}

//= spec/protocol.md#finding-a-grant
//# FND-1. The service MUST check the signature of a FindRequest under the subject that it names.
//= spec/protocol.md#finding-a-grant
//# FND-2. The service MUST refuse a FindRequest that names another service.
#[test]
fn a_guest_is_told_of_its_own_grants_only() {
    let account = Account::from_seed(&Provider, &subject_seed()).unwrap();
    let good = account.ask(&Provider, service().key(), NOW, &mut rng(3)).unwrap();
    assert_eq!(service().find(&good, NOW), Ok(*account.public_key()));
    let body = FindRequest {
        service: *service().key(),
        subject: *account.public_key(),
        nonce: Nonce::from_bytes([1; 16]),
        time: NOW,
    };
    let forged = signed(&body, &seed(50));
    assert_eq!(service().find(&forged, NOW), Err(ServiceError::RequestSignature(MISMATCH)));
    let elsewhere = signed(&FindRequest { service: public(&seed(50)), ..body }, &subject_seed());
    assert_eq!(service().find(&elsewhere, NOW), Err(ServiceError::OtherService));
}

//= spec/protocol.md#reports
//# RPT-6. What a report holds MUST be a function of the slot's stored record and of the version of the lock's record that it follows.
#[test]
fn a_report_is_the_same_for_the_same_record_and_signs_nothing_that_waits() {
    let record = shared_record(2);
    let slot = Some(record.of_slot().to_bytes());
    let read = sharekey_stage::rows::joined(record.place(), record.of_lock(), slot).unwrap();
    assert_eq!(reported(&service(), &record), reported(&service(), &read));
    let mut waiting = record.clone();
    let request = signed(&request_of(&record), &owner_seed());
    let detached = service().take(&mut waiting, &receipt(2)).unwrap().detach();
    assert_eq!(service().report(&waiting, &request, NOW), Err(ServiceError::Busy));
    drop(detached);
}
