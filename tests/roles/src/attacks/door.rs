//! At the door: captured unlocks and commands delivered late, the card without a hand at the lock,
//! strangers who want to learn something.

use rand_chacha::ChaCha20Rng;
use sharekey::crypto::Nonce;
use sharekey::error::{GuestError, LockError, OwnerError, RefuseReason};
use sharekey::limits::{Action, Limits, Rights};
use sharekey::lock::{Accepted, Erased, Now, PhysicalPresence, Refusal, Session, purpose};
use sharekey::message::{Challenge, FactoryReset, Provision, Refused};
use sharekey::owner::Order;
use sharekey_stage::ops::To;
use sharekey_stage::provider::Provider;

use sharekey_stage::world::door::TestLock;
use sharekey_stage::world::guest::Guest;
use sharekey_stage::world::phone::Phone;
use sharekey_stage::world::{BEN, EVE, HALL, STUDIO, Stop, World, key_of};
use sharekey_stage::{forge, nonce_of};

/// An unlock on its way, and the session that waits for it.
fn captured(w: &mut World, ana: &mut Guest) -> (Session<purpose::Operate>, Vec<u8>) {
    let (session, unlock, _awaiting) = w.asked(ana, Action::Open);
    (session, unlock.to_vec())
}

#[test]
fn a_captured_unlock_opens_within_ten_seconds_and_no_later() {
    let (mut w, mut ana) = World::downloaded();
    // A call of the firmware takes 10 ms.
    let (session, unlock) = captured(&mut w, &mut ana);
    w.door.ticks += 9_990;
    w.door.unlock(session, &unlock).unwrap();
    let (session, unlock) = captured(&mut w, &mut ana);
    w.door.ticks += 9_991;
    w.lock_refuses(LockError::SessionExpired, |w| w.door.unlock(session, &unlock));
    assert_eq!(w.door.bolt.len(), 1);
}

#[test]
fn a_captured_unlock_dies_with_the_next_challenge() {
    let (mut w, mut ana) = World::downloaded();
    let (session, unlock) = captured(&mut w, &mut ana);
    let (_, newer) = w.door.connect::<purpose::Operate>();
    w.lock_refuses(LockError::SessionSuperseded, |w| w.door.unlock(session, &unlock));
    w.lock_refuses(LockError::WrongNonce, |w| w.door.unlock(newer, &unlock));
}

#[test]
fn a_captured_unlock_dies_with_a_power_cut() {
    let (mut w, mut ana) = World::downloaded();
    let (session, unlock) = captured(&mut w, &mut ana);
    w.door.reboot();
    w.lock_refuses(LockError::SessionSuperseded, |w| w.door.unlock(session, &unlock));
}

#[test]
fn a_lock_whose_ticks_went_backwards_takes_no_captured_unlock() {
    let (mut w, mut ana) = World::downloaded();
    w.door.ticks = 1_000;
    let (session, unlock) = captured(&mut w, &mut ana);
    w.door.ticks = 500;
    w.lock_refuses(LockError::SessionExpired, |w| w.door.unlock(session, &unlock));
}

#[test]
fn whoever_connects_to_install_leaves_the_guest_at_the_door_alone() {
    let (mut w, mut ana) = World::downloaded();
    let (session, unlock) = captured(&mut w, &mut ana);
    let _ = w.door.connect::<purpose::Install>();
    w.door.unlock(session, &unlock).unwrap();
    assert_eq!(w.door.bolt, [Action::Open]);
}

#[test]
fn a_failed_attempt_spends_the_session() {
    let (mut w, mut ana) = World::downloaded();
    let (session, unlock, _awaiting) = w.asked(&mut ana, Action::Open);
    let mut garbled = unlock.to_vec();
    garbled.pop();
    w.lock_refuses(LockError::Wire(sharekey::error::WireError::Truncated), |w| w.door.unlock(session, &garbled));
    // The session went with it; a new one has another nonce.
    w.lock_refuses(LockError::WrongNonce, |w| w.door.sent(To::Unlock, &unlock));
}

#[test]
fn a_captured_command_dies_at_its_deadline() {
    let mut w = World::active();
    let (session, command, _pending) = w.ordered(Order::Act { action: Action::Open });
    w.door.ticks += 9_991;
    w.lock_refuses(LockError::SessionExpired, |w| w.door.command(session, &command));
}

#[test]
fn a_strangers_command_is_refused_and_told_nothing() {
    let mut w = World::active();
    let mut eve = Phone::new(EVE, &w.tape);
    let (challenge, session) = w.door.connect::<purpose::Operate>();
    let body = sharekey::message::Command {
        lock: w.door.id(),
        epoch: w.olga.view().epoch(),
        by: sharekey::counter::Term::OWNER,
        lock_nonce: nonce_of(&challenge),
        owner_nonce: Nonce::from_bytes([1; 16]),
        operation: sharekey::message::Operation::Act { action: Action::Open },
    };
    let command = forge::signed(&body, &sharekey_stage::world::seed(EVE));
    w.lock_refuses(LockError::CommandSignature(super::MISMATCH), |w| w.door.command(session, &command));
    assert_eq!(w.door.refusal, Refused::OPAQUE);
    // The library refuses her before that, with Olga's view in her hands.
    eve.view = w.olga.view.clone();
    w.refuses(OwnerError::NotOwner, |_| eve.sign_order(Order::Act { action: Action::Open }, &challenge).map(drop));
}

//= spec/protocol.md#errors-and-refusals
//# ERR-1. A lock MUST NOT tell a sender that has not authenticated why it refuses.
#[test]
fn a_guest_who_must_not_open_is_told_why_and_a_stranger_never() {
    let (mut w, mut ana) = World::downloaded_with(Limits::new(None, None, None, Some(1)).unwrap());
    w.open(&mut ana).unwrap();
    w.lock_refuses(LockError::UsesSpent, |w| w.open(&mut ana));
    assert_eq!(ana.told, Some(GuestError::Refused(RefuseReason::UsesSpent)));

    // Whatever stops a stranger, the answer is the same bytes.
    let (mut other, mut ben) = World::downloaded();
    let mut stranger = |w: &mut World, slot: u8, because| {
        let (challenge, session) = w.door.connect::<purpose::Operate>();
        let relayed = forge::bare(&Challenge { lock: other.door.id(), nonce: nonce_of(&challenge) });
        let key = ben.key.as_ref().unwrap();
        let (unlock, _awaiting) = key.unlock(&Provider, &relayed, Action::Open, &mut ben.rng).unwrap();
        let mut unlock = unlock.to_vec();
        unlock[4] = slot;
        w.lock_refuses(because, |w| w.door.unlock(session, &unlock));
        assert_eq!(w.door.refusal, Refused::OPAQUE);
    };
    stranger(&mut w, HALL.index(), LockError::UnlockMac);
    stranger(&mut w, STUDIO.index(), LockError::NotInstalled);
    stranger(&mut w, 200, LockError::NoSuchSlot);
    assert!(other.open(&mut ana).is_err());
}

/// A photo of the card.
fn photo(w: &World) -> [u8; 16] {
    w.door.card
}

#[test]
fn a_photo_of_the_card_does_not_take_a_provisioned_lock_over() {
    let (mut w, mut ana) = World::downloaded();
    let (challenge, session) = w.door.connect::<purpose::Operate>();
    let (lock_nonce, owner_nonce) = (nonce_of(&challenge), Nonce::from_bytes([1; 16]));
    let (owner, service) = (key_of(EVE), w.cloud.key());
    let provision = forge::tagged(&Provision { lock_nonce, owner_nonce, owner, service }, &photo(&w));
    w.lock_refuses(LockError::AlreadyProvisioned, |w| w.door.provision(session, &provision));
    // Nor may the owner's cloud be swapped so.
    let (challenge, session) = w.door.connect::<purpose::Operate>();
    let body = Provision { lock_nonce: nonce_of(&challenge), owner_nonce, owner: w.olga.key(), service: key_of(EVE) };
    let provision = forge::tagged(&body, &photo(&w));
    w.lock_refuses(LockError::AlreadyProvisioned, |w| w.door.provision(session, &provision));
    w.open(&mut ana).unwrap();
}

#[test]
fn provisioning_again_with_the_same_keys_tells_only_what_is() {
    let (mut w, mut ana) = World::downloaded();
    let before = w.snapshot();
    let (mut again, mut cloud) = (Phone::new(1, &w.tape), sharekey_stage::world::cloud::Cloud::new(2, &w.tape));
    again.provision(&mut w.door, &mut cloud).unwrap();
    assert_eq!(w.snapshot().store, before.store, "nothing is written");
    w.open(&mut ana).unwrap();

    // In a later epoch not even that: the card began the first one only.
    let (owner, service) = (w.olga.key(), w.cloud.key());
    w.olga.transfer(&mut w.door, owner, service).unwrap();
    assert_eq!(again.provision(&mut w.door, &mut cloud), Err(Stop::Lock(LockError::AlreadyProvisioned)));
    assert_eq!(again.told, Some(OwnerError::Refused(RefuseReason::AlreadyProvisioned)));
}

/// What a factory reset takes: a hand at the lock among it.
type Reset = for<'l> fn(
    &'l mut TestLock,
    Session<purpose::Operate>,
    &[u8],
    PhysicalPresence,
    Now,
    &mut ChaCha20Rng,
) -> Result<Accepted<'l, Erased>, Refusal>;

/// Compiles only while that is so; that nothing but the button makes a [`PhysicalPresence`], its own
/// documentation shows.
//= spec/protocol.md#factory-reset
//# RST-6. A factory reset MUST be refused without physical presence inside the door.
const _: Reset = TestLock::factory_reset;

#[test]
fn the_button_without_the_card_resets_nothing() {
    let (mut w, mut ana) = World::downloaded();
    let (challenge, session) = w.door.connect::<purpose::Operate>();
    let reset = forge::tagged(&FactoryReset { lock: w.door.id(), nonce: nonce_of(&challenge) }, &[0; 16]);
    w.lock_refuses(LockError::CardMac, |w| w.door.factory_reset(session, &reset));
    w.open(&mut ana).unwrap();
}

#[test]
fn a_guest_without_the_right_to_it_widens_nothing_by_downloading_again() {
    let mut w = World::active();
    let mut ben = w.guest(BEN);
    w.share_with(HALL, &ben, Rights::LOCK, Limits::NONE).unwrap();
    w.download(&mut ben).unwrap();
    w.lock_refuses(LockError::ActionNotAllowed, |w| w.open(&mut ben));
    w.download(&mut ben).unwrap();
    w.lock_refuses(LockError::ActionNotAllowed, |w| w.open(&mut ben));
}
