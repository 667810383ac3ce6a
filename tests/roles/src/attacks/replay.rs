//! Replay of every kind that is a request, to whoever takes it.

use std::collections::BTreeSet;

use sharekey::error::{GuestError, LockError, OwnerError, ServiceError, SlotError};
use sharekey::limits::{Action, Timestamp};
use sharekey::lock::purpose;
use sharekey::message::{Bundle, Command, FactoryReset, Install};
use sharekey::owner;
use sharekey::slot::State;
use sharekey::wire::{Kind, Unverified};
use sharekey_stage::ops::{Order, To};
use sharekey_stage::provider::Provider;

use super::MISMATCH;
use sharekey_stage::world::door::NOON;
use sharekey_stage::world::{ANA, BEN, EVE, HALL, STUDIO, World, seed};
use sharekey_stage::{forge, nonce_of};

//= spec/protocol.md#service-confirmation
//# SVC-24. A grant that is sent for publication while it is shared MUST be accepted, with nothing changed.
#[test]
fn a_grant_that_is_shared_no_more_is_not_published_again() {
    let mut w = World::active();
    let ana = w.guest(ANA);
    let grant = w.share(HALL, &ana).unwrap();
    let place = w.place(HALL);
    let slot = w.record(HALL).slot().clone();
    assert_eq!(w.cloud.take(place, &grant), Ok(vec![]));
    assert_eq!(*w.record(HALL).slot(), slot);
    w.withdraw(HALL).unwrap();
    w.refuses(ServiceError::Slot(SlotError::StaleNumber), |w| w.cloud.take(place, &grant));
    let later = w.share(HALL, &ana).unwrap();
    w.refuses(ServiceError::Slot(SlotError::StaleNumber), |w| w.cloud.take(place, &grant));
    assert_eq!(w.cloud.take(place, &later), Ok(vec![]));
}

#[test]
fn a_grant_replayed_to_the_owners_phone_brings_no_withdrawn_or_overwritten_share_back() {
    let mut w = World::active();
    let (ana, mut ben) = (w.guest(ANA), w.guest(BEN));
    let grant = w.share(HALL, &ana).unwrap();
    w.withdraw(HALL).unwrap();
    let before = w.olga.view().clone();
    w.olga.learns_nothing(&grant);
    assert_eq!(*w.olga.view(), before);
    w.share(HALL, &ben).unwrap();
    w.download(&mut ben).unwrap();
    w.sync();
    w.olga.learns_nothing(&grant);
    assert_eq!(w.olga.may_open(HALL), [3]);
}

#[test]
fn a_withdrawal_replayed_gets_its_old_answer_and_leaves_the_later_share() {
    let mut w = World::active();
    let (ana, mut ben) = (w.guest(ANA), w.guest(BEN));
    w.share(HALL, &ana).unwrap();
    w.withdraw(HALL).unwrap();
    let (withdraw, withdrawn) = (w.tape.last(Kind::Withdraw), w.tape.last(Kind::Withdrawn));
    w.share(HALL, &ben).unwrap();
    let slot = w.record(HALL).slot().clone();
    assert_eq!(w.cloud.take(w.place(HALL), &withdraw).unwrap(), withdrawn);
    assert_eq!(*w.record(HALL).slot(), slot);
    assert_eq!(w.record(HALL).subject(), Some(ben.subject()));
    w.download(&mut ben).unwrap();
}

#[test]
fn a_claim_and_install_replayed_to_the_cloud_release_nothing_later() {
    let (mut w, _ana) = World::downloaded();
    let (claim, install) = (w.tape.last(Kind::Claim), w.tape.last(Kind::Install));
    let place = w.place(HALL);
    w.withdraw(HALL).unwrap();
    w.refuses(ServiceError::NothingShared, |w| w.cloud.take(place, (&claim, &install)));
    // Shared with the same person again, it is another grant.
    let again = w.guest(ANA);
    w.share(HALL, &again).unwrap();
    w.refuses(ServiceError::ClaimNamesOtherGrant, |w| w.cloud.take(place, (&claim, &install)));
}

#[test]
fn a_captured_claim_is_of_no_use_to_another_device() {
    let (mut w, mut ana) = World::claimed();
    let (claim, place) = (w.tape.last(Kind::Claim), w.place(HALL));
    let (_session, honest) = w.asks(&mut ana);
    // Eve's device asks the same, under Ana's claim.
    let body = *Unverified::<Install>::parse(honest.install()).unwrap().claims();
    let install = forge::signed(&body, &seed(EVE));
    w.refuses(ServiceError::InstallSignature(MISMATCH), |w| w.cloud.take(place, (&claim, &install)));
    assert_eq!(w.record(HALL).slot().state(), State::Sharing);
}

#[test]
fn an_old_challenge_replayed_to_a_guest_opens_and_installs_nothing() {
    let (mut w, mut ana) = World::downloaded();
    let old = w.tape.first(Kind::Challenge);
    let (unlock, _awaiting) = ana.key.as_ref().unwrap().unlock(&Provider, &old, Action::Open, &mut ana.rng).unwrap();
    w.lock_refuses(LockError::WrongNonce, |w| w.door.sent(To::Unlock, &unlock));

    let installing = ana.ask(&old).unwrap();
    let release = w.cloud.take(ana.place(), (ana.claimed().claim(), installing.install())).unwrap();
    let download = installing.bundle(&Provider, &release).unwrap();
    w.lock_refuses(LockError::WrongNonce, |w| w.door.sent(To::Install, download.bundle()));
}

#[test]
fn an_old_challenge_replayed_to_the_owner_orders_nothing() {
    let mut w = World::active();
    let old = w.tape.first(Kind::Challenge);
    let ordered = w.olga.sign_order(owner::Order::Act { action: Action::Open }, &old);
    let (command, _pending) = ordered.unwrap();
    w.lock_refuses(LockError::WrongNonce, |w| w.door.sent(To::Command, &command));
}

#[test]
fn a_bundle_installs_once_before_and_after_a_power_cut() {
    let (mut w, mut ana) = World::downloaded();
    let bundle = w.tape.last(Kind::Bundle);
    w.lock_refuses(LockError::WrongNonce, |w| w.door.sent(To::Install, &bundle));
    w.door.reboot();
    let _ = w.door.connect::<purpose::Install>();
    w.lock_refuses(LockError::WrongNonce, |w| w.door.sent(To::Install, &bundle));
    w.open(&mut ana).unwrap();
}

#[test]
fn an_old_install_released_again_still_answers_an_old_challenge() {
    let (mut w, ana) = World::downloaded();
    let (install, release) = (w.tape.last(Kind::Install), w.tape.last(Kind::Release));
    let again = w.cloud.take(ana.place(), (ana.claimed().claim(), &install)).unwrap();
    assert_eq!(again, release, "the same release, and no other");
    let (grant, claim) = (ana.claimed().grant(), ana.claimed().claim());
    let bundle = Bundle { grant, claim, install: &install, release: &again }.encode().unwrap();
    w.lock_refuses(LockError::WrongNonce, |w| w.door.sent(To::Install, &bundle));
}

//= spec/protocol.md#guest
//# GST-5. A guest MUST check that a release names its install before it sends the bundle.
#[test]
fn an_old_release_fits_no_later_install() {
    let (mut w, mut ana) = World::downloaded();
    let old = w.tape.last(Kind::Release);
    let (session, installing) = w.asks(&mut ana);
    assert_eq!(installing.bundle(&Provider, &old).err(), Some(GuestError::ReleaseNamesOtherInstall));
    // A guest's phone that does not mind gets no further.
    let (grant, claim) = (ana.claimed().grant(), ana.claimed().claim());
    let bundle = Bundle { grant, claim, install: installing.install(), release: &old }.encode().unwrap();
    w.lock_refuses(LockError::ReleaseNamesOtherInstall, |w| w.door.install(session, &bundle));
}

#[test]
fn an_unlock_moves_the_bolt_once() {
    let (mut w, mut ana) = World::downloaded();
    w.open(&mut ana).unwrap();
    let unlock = w.tape.last(Kind::Unlock);
    w.lock_refuses(LockError::WrongNonce, |w| w.door.sent(To::Unlock, &unlock));
    w.door.reboot();
    let _ = w.door.connect::<purpose::Operate>();
    w.lock_refuses(LockError::WrongNonce, |w| w.door.sent(To::Unlock, &unlock));
    assert_eq!(w.door.bolt.len(), 1);
}

#[test]
fn every_command_is_carried_out_once() {
    let mut w = World::active();
    let World { door, cloud, olga, .. } = &mut w;
    olga.inspect(door, cloud, HALL).unwrap();
    olga.set_clock(door, Timestamp::from_unix_seconds(NOON)).unwrap();
    olga.act(door, Action::Open).unwrap();
    olga.deactivate(door, cloud, STUDIO).unwrap();
    for command in w.tape.all(Kind::Command) {
        w.lock_refuses(LockError::WrongNonce, |w| w.door.sent(To::Command, &command));
    }
    let (owner, service) = (w.olga.key(), w.cloud.key());
    w.olga.transfer(&mut w.door, owner, service).unwrap();
    let transfer = w.tape.last(Kind::Command);
    w.lock_refuses(LockError::WrongNonce, |w| w.door.sent(To::Command, &transfer));
    assert_eq!(w.door.bolt, [Action::Open]);
    let ordered = |command: &Vec<u8>| Order::of(&Unverified::<Command>::parse(command).unwrap().claims().operation);
    let tried: BTreeSet<Order> = w.tape.all(Kind::Command).iter().map(ordered).collect();
    assert_eq!(tried, BTreeSet::from(Order::ALL));
}

#[test]
fn a_provision_is_taken_once() {
    let mut w = World::provisioned(1);
    let provision = w.tape.last(Kind::Provision);
    w.lock_refuses(LockError::WrongNonce, |w| w.door.sent(To::Provision, &provision));
    assert_eq!(w.tape.all(Kind::Provisioned).len(), 1, "and answered once");
}

#[test]
fn a_factory_reset_works_once_and_on_one_lock() {
    let mut w = World::provisioned(1);
    let reset = |challenge: &[u8], w: &World| {
        forge::tagged(&FactoryReset { lock: w.door.id(), nonce: nonce_of(challenge) }, &w.door.card)
    };
    // Captured, and delivered after somebody else connected.
    let (challenge, _session) = w.door.connect::<purpose::Operate>();
    let captured = reset(&challenge, &w);
    w.lock_refuses(LockError::WrongNonce, |w| w.door.sent(To::Reset, &captured));

    let (challenge, session) = w.door.connect::<purpose::Operate>();
    let spent = reset(&challenge, &w);
    w.door.factory_reset(session, &spent).unwrap();
    let _ = w.door.connect::<purpose::Operate>();
    w.lock_refuses(LockError::WrongLock, |w| w.door.sent(To::Reset, &spent));
}

//= spec/protocol.md#owner
//# OWN-10. The owner's view MUST NOT be changed by any message of the service other than a Withdrawn.
#[test]
fn messages_that_tell_the_owner_nothing_are_refused_by_name() {
    let (mut w, _ana) = World::downloaded();
    w.withdraw(HALL).unwrap();
    for kind in [Kind::Withdraw, Kind::Claim, Kind::Install, Kind::Release, Kind::Provisioned, Kind::Challenge] {
        let message = w.tape.last(kind);
        w.refuses(OwnerError::NothingToLearn, |w| w.olga.learn(&message));
    }
}
