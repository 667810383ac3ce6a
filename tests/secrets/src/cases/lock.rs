//! What the lock does with its secrets: its seed, its card, the keys in its slots.

use sharekey::error::LockError;
use sharekey::guest::GuestKey;
use sharekey::id::SlotId;
use sharekey::limits::Action;
use sharekey::lock::{Cell, PhysicalPresence, purpose};
use sharekey::message::FactoryReset;
use sharekey::secret::Exposed;
use sharekey::wire::Message;

use crate::provider::{Provider, Watched};
use crate::scene::{CARD, Fresh, NOW, SLOT, Scene, find, make, pairing_of, rng};
use crate::watch::{Hidden, hide, is_hidden, sent};

/// The guest's key, of whose secret memcheck knows nothing.
pub(super) fn hidden_key(key: &GuestKey) -> GuestKey {
    let mut stored = postcard::to_allocvec(&Exposed(key)).unwrap();
    hide(find(&mut stored, &pairing_of(key)));
    postcard::from_bytes::<Exposed<GuestKey>>(&stored).unwrap().0
}

/// A lock with a key in its slot, both copies of which are hidden.
fn installed<P: Provider>(crypto: Watched<P>) -> (Scene<Watched<P>>, GuestKey) {
    let mut scene = Fresh::new(crypto).owned();
    let key = scene.download();
    hide(find(scene.flash.get_mut(Cell::Slot(SLOT)), &pairing_of(&key)));
    scene.boot();
    let key = hidden_key(&key);
    (scene, key)
}

/// An opening that is counted, so that the record with the key in it is written again.
pub(super) fn unlock<P: Provider>(crypto: Watched<P>) {
    let (mut scene, key) = installed(crypto);
    let (challenge, session) = scene.challenge::<purpose::Operate>();
    let (message, awaiting) = key.unlock(&crypto, &challenge, Action::Open, &mut scene.rng).unwrap();
    assert!(is_hidden(&message));
    let staged = scene.lock.unlock(session, &sent(&message), NOW).unwrap();
    let Ok(unlocked) = staged.commit(|record| scene.flash.put(record));
    assert!(is_hidden(&unlocked.reply) && is_hidden(scene.flash.get(Cell::Slot(SLOT))));
    key.check_reply(&crypto, &awaiting, &sent(&unlocked.reply)).unwrap();

    // And one that its rights do not allow: the reason comes under the key.
    let (challenge, session) = scene.challenge::<purpose::Operate>();
    let (message, awaiting) = key.unlock(&crypto, &challenge, Action::Lock, &mut scene.rng).unwrap();
    let refusal = scene.lock.unlock(session, &sent(&message), NOW).unwrap_err();
    assert_eq!(refusal.error(), LockError::ActionNotAllowed);
    key.check_reply(&crypto, &awaiting, &sent(refusal.answer())).unwrap_err();
}

pub(super) fn unlock_refused<P: Provider>(crypto: Watched<P>) {
    let (mut scene, key) = installed(crypto);
    for at in [0, 15] {
        let (challenge, session) = scene.challenge::<purpose::Operate>();
        let (message, _) = key.unlock(&crypto, &challenge, Action::Open, &mut scene.rng).unwrap();
        let mut message = sent(&message);
        let tag = message.len() - 16;
        message[tag + at] ^= 1;
        let refusal = scene.lock.unlock(session, &message, NOW).unwrap_err();
        assert_eq!(refusal.error(), LockError::UnlockMac);
    }
    let (challenge, session) = scene.challenge::<purpose::Operate>();
    let (message, _) = key.unlock(&crypto, &challenge, Action::Open, &mut scene.rng).unwrap();
    let mut message = sent(&message);
    message[4] = SlotId::new(1).index();
    let refusal = scene.lock.unlock(session, &message, NOW).unwrap_err();
    assert_eq!(refusal.error(), LockError::NotInstalled);
}

/// A boot from a hidden seed, from which every key of the lock comes; then each kind of record is written.
pub(super) fn records<P: Provider>(crypto: Watched<P>) {
    let mut scene = booted_from_hidden_seed(crypto);
    scene.deactivate();
    scene.activate();
    let _ = scene.download();
    assert!(is_hidden(scene.flash.get(Cell::Slot(SLOT))) && is_hidden(scene.flash.get(Cell::Counter)));
    scene.boot();
    assert!(scene.lock.report(SLOT).is_ok());
}

fn booted_from_hidden_seed<P: Provider>(crypto: Watched<P>) -> Scene<Watched<P>> {
    let mut scene = Fresh::new(crypto).owned();
    hide(&mut scene.flash.get_mut(Cell::Seed)[5..37]);
    scene.boot();
    scene
}

pub(super) fn record_altered<P: Provider>(crypto: Watched<P>) {
    let mut scene = booted_from_hidden_seed(crypto);
    scene.flash.get_mut(Cell::Slot(SLOT))[7] ^= 1;
    scene.boot();
    assert_eq!(scene.lock.report(SLOT), Err(LockError::SlotDamaged));
}

pub(super) fn making<P: Provider>(crypto: Watched<P>) {
    let (lock, flash) = make(crypto, CARD, &mut Hidden(rng(1)));
    assert!(is_hidden(&flash.get(Cell::Seed)[5..37]) && is_hidden(flash.get(Cell::Header)));
    drop(lock);
}

/// The owner's and the lock's side of provisioning.
pub(super) fn provision<P: Provider>(crypto: Watched<P>) {
    let mut card = CARD;
    hide(&mut card);
    let mut fresh = Fresh::with_card(crypto, card);
    let (challenge, session) = fresh.challenge();
    let (message, _) = fresh.order(card, &challenge);
    assert!(is_hidden(&message));
    let mut wrong = sent(&message);
    *wrong.last_mut().unwrap() ^= 1;
    assert_eq!(fresh.lock.provision(session, &wrong, NOW).unwrap_err().error(), LockError::CardMac);

    let (challenge, session) = fresh.challenge();
    let (message, pending) = fresh.order(card, &challenge);
    let provisioned = fresh.provision(session, &sent(&message));
    assert!(is_hidden(&provisioned));
    let _ = pending.finish(&fresh.owner, &sent(&provisioned)).unwrap();
}

pub(super) fn factory_reset<P: Provider>(crypto: Watched<P>) {
    let mut card = CARD;
    hide(&mut card);
    let mut fresh = Fresh::with_card(crypto, card);
    for right in [false, true] {
        let (challenge, session) = fresh.challenge();
        let nonce = sharekey::wire::Unverified::parse(&challenge).map(|challenge| {
            let claims: &sharekey::message::Challenge = challenge.claims();
            claims.nonce
        });
        let reset = FactoryReset { lock: fresh.lock.id(), nonce: nonce.unwrap() };
        let mut message = FactoryReset::KIND.header().to_vec();
        message.extend(postcard::to_allocvec(&reset).unwrap());
        let mac = sharekey::crypto::Mac::hmac_sha256(&crypto, &card, &[&message]);
        message.extend(&mac[..16]);
        *message.last_mut().unwrap() ^= u8::from(!right);
        let message = sent(&message);
        let presence = PhysicalPresence::button_is_pressed();
        let reset = fresh.lock.factory_reset(session, &message, presence, NOW, &mut fresh.rng);
        assert_eq!(reset.is_ok(), right);
    }
}
