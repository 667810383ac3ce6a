//! What the service must hear of stays in the view until it shows that it has, whatever is lost and whoever stops.

use base64ct::{Base64UrlUnpadded, Encoding};
use serde_json::Value;
use sharekey::code::ShareCode;
use sharekey::counter::Epoch;
use sharekey::error::OwnerError;
use sharekey::id::SlotId;
use sharekey::limits::{Limits, Rights};
use sharekey::message::{Completed, Holding, Receipt, SlotReport, WithdrawnOutcome};
use sharekey::owner::{Delivery, Method, Order, OwnedLock};
use sharekey::slot::State;
use sharekey_stage::desk::{self, *};
use sharekey_stage::forge::signed;
use sharekey_stage::world::{ANA, HALL, OTTO, STUDIO, World, key_of, through_storage};
use sharekey_stage::{public, rng};

use super::owner_view::{NEVER, learn};

fn outbox(view: &OwnedLock) -> Vec<Vec<u8>> {
    through_storage(view).outbox().map(|due| due.message.to_vec()).collect()
}

/// A report is taken in, which holds these messages.
fn shows(view: &mut OwnedLock, version: u64, state: State, messages: &[&[u8]]) {
    let _ = accept(desk::see(view, (version, state), messages).unwrap());
}

fn statement() -> Vec<u8> {
    ownership(Epoch::FIRST)
}

//= spec/protocol.md#owner
//# OWN-41. The owner MUST keep what the lock tells of a slot with its view, and send it at each contact, until a report shows that the record was told as much.
//= spec/protocol.md#owner
//# OWN-34. The owner MUST send a Grant that it signed, and that its view shows as being shared, at each contact until a report shows it or its Withdraw is signed.
//= spec/protocol.md#owner
//# OWN-35. The owner MUST keep a Withdraw with its view, and send it at each contact, until it is answered or its grant is proved dead.
//= spec/protocol.md#owner
//# OWN-36. The owner MUST keep the statement of ownership with its view, and send it at each contact before all else, until it took in a report of each slot that the view knows, and of one at least.
#[test]
fn each_message_waits_until_a_report_shows_it_or_it_is_answered() {
    let mut view = view();
    let [provisioned] = outbox(&view).try_into().unwrap();
    assert_eq!(provisioned.len(), statement().len(), "the lock's answer to the provision");
    let opened = by_lock(&activated(1));
    let _ = learn(&mut view, &opened);
    assert_eq!(outbox(&view), [provisioned.clone(), opened.clone()]);
    shows(&mut view, 1, State::Inactive, &[]);
    assert_eq!(outbox(&view), [&opened[..]], "the record is there, and was not told");
    shows(&mut view, 2, State::NotShared, &[&opened]);
    assert_eq!(outbox(&view), [[0; 0]; 0]);

    let subject = public(&subject_seed());
    accept(owner().share(&mut view, SLOT, subject, Method::Account, Rights::OPEN, Limits::NONE).unwrap());
    assert_eq!(outbox(&view), [granted(2)]);
    shows(&mut view, 3, State::NotShared, &[&opened]);
    assert_eq!(outbox(&view), [granted(2)], "not published");
    shows(&mut view, 4, State::Sharing, &[&opened, &granted(2)]);
    assert_eq!(outbox(&view), [[0; 0]; 0]);
    // A service that lost it is sent it again.
    shows(&mut view, 5, State::NotShared, &[&opened]);
    assert_eq!(outbox(&view), [granted(2)]);

    accept(owner().withdraw(&mut view, SLOT).unwrap());
    accept(owner().withdraw(&mut view, SLOT).unwrap());
    assert_eq!(outbox(&view), [withdraw(2)], "and a grant that is withdrawn is not published any more");
    let _ = learn(&mut view, &withdrawn(2, NEVER));
    assert_eq!(outbox(&view), [[0; 0]; 0]);
}

#[test]
fn the_locks_latest_word_stands_for_what_it_said_before() {
    let mut view = sharing_view();
    let first = outbox(&view).remove(0);
    let rest = |view: &OwnedLock| outbox(view)[1..].to_vec();
    assert_eq!(rest(&view), [by_lock(&activated(1)), granted(2)]);
    let _ = learn(&mut view, &receipt(2));
    assert_eq!(rest(&view), [receipt(2)], "and what is downloaded was published");
    // At one floor the key that is gone is news to a record that holds it.
    let gone = by_lock(&found(2, Holding::Empty));
    let _ = learn(&mut view, &gone);
    assert_eq!(rest(&view), [receipt(2), gone]);
    let closed = by_lock(&deactivated(3));
    for message in [closed.clone(), by_lock(&found(3, Holding::Inactive)), closed.clone(), by_lock(&activated(1))] {
        let _ = learn(&mut view, &message);
        assert_eq!(outbox(&view), [first.clone(), closed.clone()]);
    }
    // A record that was told of a higher floor knows more than this view.
    shows(&mut view, 9, State::NotShared, &[&by_lock(&activated(7))]);
    assert_eq!(outbox(&view), [[0; 0]; 0]);
}

#[test]
fn an_outbox_is_bounded_whatever_is_ordered_and_never_sent() {
    let mut view = active_view();
    let subject = public(&subject_seed());
    for n in 0..40 {
        let mut number = view.slot(SLOT).unwrap().next_number().unwrap().value();
        if owner().share(&mut view, SLOT, subject, Method::Account, Rights::OPEN, Limits::NONE).map(accept).is_ok() {
            accept(owner().withdraw(&mut view, SLOT).unwrap());
            let released = WithdrawnOutcome::Released { install: digest_of(number) };
            let _ = learn(&mut view, &withdrawn(number, released));
            let key = view.status(SLOT).may_open[0].key;
            accept(owner().withdraw_key(&mut view, SLOT, key).unwrap());
            number += 1;
        }
        if n % 3 == 0 {
            let _ = learn(&mut view, &by_lock(&found(1, Holding::Empty)));
        }
        assert!(outbox(&view).len() <= 1 + 2 + 17 + 1, "{n}: {}", outbox(&view).len());
        if number > 30 {
            let _ = learn(&mut view, &by_lock(&activated(number)));
            assert_eq!(outbox(&view).len(), 2);
        }
    }
}

fn digest_of(number: u32) -> sharekey::crypto::Digest {
    sharekey_stage::digest(&install(number, 1))
}

//= spec/protocol.md#owner
//# OWN-33. A grant by a code MUST NOT be sent before its code was shown.
#[test]
fn a_grant_by_a_code_is_not_sent_before_the_code_was_shown() {
    let mut view = active_view();
    let waits = outbox(&view);
    let code = ShareCode::issue(&mut rng(5));
    assert_eq!(owner().code_shown(&mut view, SLOT).map(drop), Err(OwnerError::NothingShared));
    let _text = accept(owner().share_by_code(&mut view, SLOT, code, Rights::OPEN, Limits::NONE).unwrap());
    // The app stops here, and nobody ever saw the code.
    let mut later = through_storage(&view);
    assert_eq!((outbox(&later), later.status(SLOT).shared.unwrap().delivery), (waits.clone(), Delivery::Held));
    shows(&mut later, 3, State::NotShared, &[&by_lock(&activated(1))]);
    assert_eq!(outbox(&later), [[0; 0]; 0], "nor by a report that does not show it");
    let withdraw = accept(owner().withdraw(&mut later, SLOT).unwrap());
    assert_eq!(outbox(&later), [withdraw.to_vec()], "the way out");

    let grant = accept(owner().code_shown(&mut view, SLOT).unwrap());
    assert_eq!(outbox(&view)[2..], [grant.to_vec()]);
    assert_eq!(accept(owner().code_shown(&mut view, SLOT).unwrap()), grant, "as often as it is said");
}

/// The app dies between the owner's commit of a Done and the service's: the record would stay closed for ever.
#[test]
fn a_done_that_the_app_died_on_reaches_the_service_at_the_next_contact() {
    let mut w = World::provisioned(1);
    w.restart_all_the_time();
    let _ = w.olga.order(&mut w.door, Order::Activate { slot: HALL }).unwrap();
    let ana = w.guest(ANA);
    w.olga.contact(&mut w.cloud).unwrap();
    w.share(HALL, &ana).unwrap();
    assert_eq!(w.state(HALL), State::Sharing);
    let _ = w.olga.order(&mut w.door, Order::Deactivate { slot: HALL }).unwrap();
    assert_eq!(w.record(HALL).slot().state(), State::Sharing, "still offered");
    w.olga.contact(&mut w.cloud).unwrap();
    assert_eq!(w.state(HALL), State::Inactive);
}

/// A service that lost what it had been told is told again by an Inspect, which is no news to the view.
#[test]
fn an_inspection_tells_a_service_that_lost_its_record() {
    let mut w = World::provisioned(1);
    let lost = w.cloud.records.clone();
    w.activate(HALL).unwrap();
    w.sync();
    assert_eq!(w.olga.outbox(), [[0; 0]; 0]);
    w.cloud.records = lost;
    let _ = w.olga.order(&mut w.door, Order::Inspect { slot: HALL }).unwrap();
    for message in w.olga.outbox() {
        w.cloud.hear(&message).unwrap();
    }
    assert_eq!(w.state(HALL), State::NotShared);
}

/// One step of a life, after which the phone may have no connection, and the app stops.
const LIFE: [fn(&mut World); 6] = [
    |w| drop(w.olga.order(&mut w.door, Order::Activate { slot: HALL }).unwrap()),
    |w| drop(w.olga.sign(HALL, key_of(ANA), Rights::OPEN, Limits::NONE).unwrap()),
    |w| drop(w.olga.sign_withdrawal(HALL)),
    |w| drop(w.olga.order(&mut w.door, Order::Activate { slot: STUDIO }).unwrap()),
    |w| drop(w.olga.order(&mut w.door, Order::Deactivate { slot: HALL }).unwrap()),
    |w| drop(w.olga.order(&mut w.door, Order::Activate { slot: HALL }).unwrap()),
];

#[test]
fn whatever_was_not_sent_between_any_two_steps_is_made_up_for_at_the_next_contact() {
    for contacts in 0..1_u32 << LIFE.len() {
        let mut w = World::provisioned(1);
        w.restart_all_the_time();
        for (step, live) in LIFE.iter().enumerate() {
            live(&mut w);
            if contacts & 1 << step != 0 {
                w.olga.contact(&mut w.cloud).unwrap();
                let told = |slot| w.record(slot).slot().state();
                assert_eq!(told(HALL), w.olga.state(HALL), "{contacts:b}: {step}");
            }
        }
        w.olga.contact(&mut w.cloud).unwrap();
        assert_eq!((w.state(HALL), w.state(STUDIO)), (State::NotShared, State::NotShared), "{contacts:b}");
        assert_eq!(w.olga.outbox(), [[0; 0]; 0], "{contacts:b}");
    }
}

#[test]
fn two_phones_of_one_owner_both_send_and_neither_harms_the_other() {
    let mut w = World::provisioned(1);
    let _ = w.olga.order(&mut w.door, Order::Activate { slot: HALL }).unwrap();
    w.olga.sign(HALL, key_of(ANA), Rights::OPEN, Limits::NONE).unwrap();
    let mut twin = w.olga.twin();
    assert_eq!(twin.outbox(), w.olga.outbox());
    w.olga.contact(&mut w.cloud).unwrap();
    w.withdraw(HALL).unwrap();
    twin.contact(&mut w.cloud).unwrap();
    assert_eq!((twin.state(HALL), w.record(HALL).slot().state()), (State::NotShared, State::NotShared));
    assert_eq!(twin.outbox(), [[0; 0]; 0], "the grant that was withdrawn is not offered again");
    // What a phone learns of the other's it does not send: the other does.
    let grant = twin.sign(HALL, key_of(ANA), Rights::OPEN, Limits::NONE).unwrap();
    let _ = w.olga.learn(&grant).unwrap();
    assert_eq!((w.olga.outbox(), twin.outbox()), (vec![], vec![grant]));
}

#[test]
fn after_a_change_of_ownership_there_is_the_locks_word_for_it_and_nothing_from_before() {
    let mut w = World::active();
    w.olga.sign(HALL, key_of(ANA), Rights::OPEN, Limits::NONE).unwrap();
    let cloud = w.cloud.key();
    let again = w.olga.transfer(&mut w.door, w.olga.key(), cloud).unwrap();
    assert_eq!(w.olga.outbox(), [again]);
    w.olga.contact(&mut w.cloud).unwrap();
    assert_eq!((w.state(HALL), w.record(HALL).epoch()), (State::Inactive, Epoch::new(2)));
    w.activate(HALL).unwrap();
    let gone = w.olga.transfer(&mut w.door, key_of(OTTO), cloud).unwrap();
    assert_eq!(w.olga.outbox(), [&gone[..]], "for the new owner, and for the service");
    w.cloud.hear(&gone).unwrap();
    assert_eq!(
        (w.record(HALL).owner(), w.olga.outbox()),
        (&key_of(OTTO), vec![gone]),
        "nobody reports to a former owner"
    );
}

#[test]
fn a_stored_view_that_would_send_what_is_no_matter_of_its_slot_is_not_read() {
    let mut view = sharing_view();
    accept(owner().withdraw(&mut view, SLOT).unwrap());
    let whole = serde_json::to_value(&view).unwrap();
    let read = |stored: &Value| serde_json::from_value::<OwnedLock>(stored.clone()).is_ok();
    assert!(read(&whole));
    let (slot, next_door) = (SLOT.index().to_string(), SlotId::new(4));
    let elsewhere = Completed::Activate {
        slot: next_door,
        generation: generation(1),
        left: SlotReport { floor: generation(1), holding: Holding::Empty },
    };
    let receipt = Receipt { slot: next_door, ..receipt_of(2) };
    for (pointer, other) in [
        ("/ownership".to_owned(), by_lock(&activated(1))),
        ("/ownership".to_owned(), ownership(Epoch::new(2))),
        (format!("/slots/{slot}/unheard/0"), by_lock(&done(elsewhere))),
        (format!("/slots/{slot}/unheard/0"), signed(&receipt, &lock_seed())),
        (format!("/slots/{slot}/unheard/0"), granted(2)),
        (format!("/slots/{slot}/withdrawing/0/bytes"), withdraw(3)),
        (format!("/slots/{slot}/withdrawing/0/bytes"), granted(2)),
    ] {
        let mut stored = whole.clone();
        *stored.pointer_mut(&pointer).unwrap() = Value::String(Base64UrlUnpadded::encode_string(&other));
        assert!(!read(&stored), "{pointer}");
    }
}
