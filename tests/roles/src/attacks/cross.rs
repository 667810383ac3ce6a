//! What is meant for one lock, slot or epoch, delivered to another, under the same owner, cloud and
//! guest: only what the message says tells them apart.

use sharekey::error::{GuestError, LockError, OwnerError, ServiceError};
use sharekey::limits::Action;
use sharekey::lock::purpose;
use sharekey::message::{Challenge, FactoryReset, Provision};
use sharekey::owner::Order;
use sharekey::wire::Kind;
use sharekey_stage::ops::To;
use sharekey_stage::provider::Provider;
use sharekey_stage::rows::reopen;

use super::MISMATCH;
use sharekey_stage::world::guest::Guest;
use sharekey_stage::world::{ANA, BEN, HALL, STUDIO, World};
use sharekey_stage::{forge, nonce_of};

/// Two locks of Olga's at one cloud, Ana's key in the hall of both.
fn two_locks() -> ((World, Guest), (World, Guest)) {
    let make = |number| {
        let mut w = World::active_at(number);
        let mut ana = w.downloads(HALL, ANA);
        w.open(&mut ana).unwrap();
        w.sync();
        (w, ana)
    };
    (make(1), make(2))
}

#[test]
fn a_lock_refuses_what_is_meant_for_another_lock() {
    let ((a, mut ana), (mut b, _)) = two_locks();
    for (kind, because) in [(Kind::Bundle, LockError::WrongLock), (Kind::Command, LockError::WrongLock)] {
        let message = a.tape.last(kind);
        b.lock_refuses(because, |b| match kind {
            Kind::Bundle => b.door.sent(To::Install, &message),
            _ => b.door.sent(To::Command, &message),
        });
    }
    // An attacker relays the other lock's nonce under this lock's name: the pairing tells them apart.
    let (challenge, session) = b.door.connect::<purpose::Operate>();
    let relayed = forge::bare(&Challenge { lock: a.door.id(), nonce: nonce_of(&challenge) });
    let key = ana.key.as_ref().unwrap();
    let (unlock, _awaiting) = key.unlock(&Provider, &relayed, Action::Open, &mut ana.rng).unwrap();
    b.lock_refuses(LockError::UnlockMac, |b| b.door.unlock(session, &unlock));
}

#[test]
fn the_card_of_one_lock_is_no_card_of_another() {
    let (a, mut b) = (World::fresh(1), World::fresh(2));
    let (challenge, session) = b.door.connect::<purpose::Operate>();
    let (lock_nonce, owner_nonce) = (nonce_of(&challenge), nonce_of(&challenge));
    let body = Provision { lock_nonce, owner_nonce, owner: b.olga.key(), service: b.cloud.key() };
    let provision = forge::tagged(&body, &a.door.card);
    b.lock_refuses(LockError::CardMac, |b| b.door.provision(session, &provision));
    for (lock, card, because) in
        [(b.door.id(), a.door.card, LockError::CardMac), (a.door.id(), b.door.card, LockError::WrongLock)]
    {
        let (challenge, session) = b.door.connect::<purpose::Operate>();
        let reset = forge::tagged(&FactoryReset { lock, nonce: nonce_of(&challenge) }, &card);
        b.lock_refuses(because, |b| b.door.factory_reset(session, &reset));
    }
}

#[test]
fn the_cloud_refuses_for_one_lock_what_is_meant_for_another() {
    let ((mut a, _), (mut b, _)) = two_locks();
    a.withdraw(HALL).unwrap();
    let place = b.place(HALL);
    let message = |kind| a.tape.last(kind);
    b.refuses(ServiceError::WrongLock, |b| b.cloud.take(place, &message(Kind::Grant)));
    b.refuses(ServiceError::WrongLock, |b| b.cloud.take(place, &message(Kind::Withdraw)));
    b.refuses(ServiceError::ReceiptSignature(MISMATCH), |b| b.cloud.take(place, &message(Kind::Receipt)));
    b.refuses(ServiceError::DoneSignature(MISMATCH), |b| b.cloud.take(place, &message(Kind::Done)));
    let (claim, install) = (message(Kind::Claim), message(Kind::Install));
    b.refuses(ServiceError::ClaimNamesOtherGrant, |b| b.cloud.take(place, (&claim, &install)));
    let provisioned = message(Kind::Provisioned);
    b.refuses(ServiceError::WrongLock, |b| reopen(&b.cloud.service, &mut b.cloud.record(place), &provisioned));
}

#[test]
fn the_owners_phone_takes_nothing_of_one_lock_for_another() {
    let ((mut a, _), (mut b, _)) = two_locks();
    a.withdraw(HALL).unwrap();
    for (kind, because) in [
        (Kind::Grant, OwnerError::WrongLock),
        (Kind::Withdrawn, OwnerError::WrongLock),
        (Kind::Receipt, OwnerError::ReceiptSignature(MISMATCH)),
        (Kind::Done, OwnerError::DoneSignature(MISMATCH)),
    ] {
        let message = a.tape.last(kind);
        b.refuses(because, |b| b.olga.learn(&message));
    }
    let (_session, _command, pending) = b.ordered(Order::Act { action: Action::Open });
    let done = a.tape.last(Kind::Done);
    let because = OwnerError::DoneSignature(MISMATCH);
    b.refuses(because, |b| b.olga.change(|owner, view, _| pending.finish(owner, view, &done)));
    // Nor is a command made for the challenge of another lock.
    let (challenge, _session) = a.door.connect::<purpose::Operate>();
    b.refuses(OwnerError::WrongLock, |b| b.olga.sign_order(Order::Act { action: Action::Open }, &challenge).map(drop));
}

//= spec/protocol.md#guest
//# GST-3. A guest MUST check that a challenge names the lock of its grant.
//= spec/protocol.md#receipt-checks
//# GST-9. The receipt's signature MUST verify under the lock id of the guest's grant.
#[test]
fn a_guests_phone_takes_nothing_of_one_lock_for_another() {
    let ((mut a, mut ana), (mut b, _)) = two_locks();
    let (challenge, _session) = b.door.connect::<purpose::Operate>();
    let key = ana.key.as_ref().unwrap();
    let unlock = key.unlock(&Provider, &challenge, Action::Open, &mut ana.rng);
    assert_eq!(unlock.err(), Some(GuestError::WrongLock));
    assert_eq!(ana.ask(&challenge).err(), Some(GuestError::WrongLock));

    let (_session, installing, release) = a.released(&mut ana);
    let download = installing.bundle(&Provider, &release).unwrap();
    let receipt = b.tape.last(Kind::Receipt);
    assert_eq!(download.finish(&Provider, &receipt), Err(GuestError::ReceiptSignature(MISMATCH)));
}

#[test]
fn what_is_meant_for_one_slot_does_nothing_in_another() {
    let (mut w, mut ana) = World::downloaded();
    w.withdraw(HALL).unwrap();
    let mut ben = w.guest(BEN);
    let other = w.share(STUDIO, &ben).unwrap();
    let (hall, studio) = (w.place(HALL), w.place(STUDIO));
    let message = |w: &World, kind| w.tape.last(kind);
    let grant = ana.claimed().grant().to_vec();
    w.refuses(ServiceError::WrongSlot, |w| w.cloud.take(studio, &grant));
    w.refuses(ServiceError::WrongSlot, |w| w.cloud.take(hall, &other));
    w.refuses(ServiceError::WrongSlot, |w| w.cloud.take(studio, &message(w, Kind::Withdraw)));
    w.refuses(ServiceError::WrongSlot, |w| w.cloud.take(studio, &message(w, Kind::Receipt)));
    // The last Done is the studio's.
    w.refuses(ServiceError::WrongSlot, |w| w.cloud.take(hall, &message(w, Kind::Done)));
    let (claim, install) = (message(&w, Kind::Claim), message(&w, Kind::Install));
    w.refuses(ServiceError::ClaimNamesOtherGrant, |w| w.cloud.take(studio, (&claim, &install)));

    let turned = |w: &mut World, ana: &mut Guest| {
        let (session, unlock, _awaiting) = w.asked(ana, Action::Open);
        let mut unlock = unlock.to_vec();
        assert_eq!(unlock[4], HALL.index());
        unlock[4] = STUDIO.index();
        w.door.unlock(session, &unlock)
    };
    w.lock_refuses(LockError::NotInstalled, |w| turned(w, &mut ana));
    w.download(&mut ben).unwrap();
    w.lock_refuses(LockError::UnlockMac, |w| turned(w, &mut ana));
    w.lock_refuses(LockError::NoSuchSlot, |w| {
        let (_, session) = w.door.connect::<purpose::Operate>();
        // Slot, action, two nonces, MAC.
        let unlock = [Kind::Unlock.header().as_slice(), &[99, 1], &[0; 48]].concat();
        w.door.unlock(session, &unlock)
    });
}

#[test]
fn nothing_of_an_epoch_that_ended_works_in_the_next() {
    let (mut w, mut ana) = World::downloaded();
    w.open(&mut ana).unwrap();
    w.withdraw(HALL).unwrap();
    let (_session, command, pending) = w.ordered(Order::Act { action: Action::Open });
    let old_done = w.tape.last(Kind::Done);
    let old_bundle = w.tape.last(Kind::Bundle);

    let (owner, service) = (w.olga.key(), w.cloud.key());
    let done = w.olga.transfer(&mut w.door, owner, service).unwrap();
    w.cloud.hear(&done).unwrap();
    w.activate(HALL).unwrap();
    let place = w.place(HALL);
    let message = |w: &World, kind| w.tape.last(kind);

    w.lock_refuses(LockError::WrongNonce, |w| w.door.sent(To::Install, &old_bundle));
    w.lock_refuses(LockError::WrongNonce, |w| w.door.sent(To::Command, &command));
    w.lock_refuses(LockError::NotInstalled, |w| w.open(&mut ana));
    w.lock_refuses(LockError::WrongEpoch, |w| ana.fetch_colluding(&mut w.door));

    w.refuses(ServiceError::WrongEpoch, |w| w.cloud.take(place, &message(w, Kind::Grant)));
    w.refuses(ServiceError::WrongEpoch, |w| w.cloud.take(place, &message(w, Kind::Withdraw)));
    w.refuses(ServiceError::WrongEpoch, |w| w.cloud.take(place, &message(w, Kind::Receipt)));
    w.refuses(ServiceError::WrongEpoch, |w| w.cloud.take(place, &old_done));

    for kind in [Kind::Grant, Kind::Withdrawn, Kind::Receipt] {
        w.refuses(OwnerError::WrongEpoch, |w| w.olga.learn(&message(w, kind)));
    }
    w.refuses(OwnerError::WrongEpoch, |w| w.olga.learn(&old_done));
    w.refuses(OwnerError::WrongEpoch, |w| w.olga.change(|owner, view, _| pending.finish(owner, view, &old_done)));
}
