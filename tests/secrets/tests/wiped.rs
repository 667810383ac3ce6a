//! What held a secret holds none of it once it is dropped, overwritten or spent: looked up in the very place
//! where it stood. (What a move leaves behind on the stack is not in that place, and Rust wipes none of it.)

use std::hint::black_box;
use std::mem::ManuallyDrop;

use secrets::place::{Place, holds, holds_run, storage};
use secrets::scene::{CARD, Fresh, NOW, SLOT, Scene, accept, agreement_of, find, pairing_of, rng};
use sha2::{Digest as _, Sha512};
use sharekey::code::ShareCode;
use sharekey::crypto::{Kdf, Ring, RustCrypto};
use sharekey::guest::{Account, Claimed, Keyring};
use sharekey::lock::{Cell, Found, Making, StoredSeed, purpose};
use sharekey::owner::{Order, Owner};
use sharekey::secret::{
    ActivationSecret, AgreementSecret, Exposed, MacKey, PairingKey, Seed, SharedSecret, StorageKey,
};
use sharekey::service::Service;
use zeroize::Zeroizing;

/// What stood in a value's place before it was dropped, and after.
fn dropped<T>(value: T) -> (Zeroizing<Vec<u8>>, Zeroizing<Vec<u8>>) {
    let mut place = Box::new(ManuallyDrop::new(value));
    let before = storage(&*place);
    // SAFETY: it is not used again as what it was.
    unsafe { ManuallyDrop::drop(&mut place) };
    (before, storage(&*place))
}

#[track_caller]
fn is_wiped<T>(value: T, secrets: &[&[u8]]) {
    let (before, after) = dropped(value);
    for secret in secrets {
        assert!(holds(&before, secret), "nothing to wipe: {secret:02x?}");
        assert!(!holds(&after, secret), "{secret:02x?} is still there");
    }
}

/// Bytes that stand nowhere else.
fn secret<const N: usize>(seed: u64) -> [u8; N] {
    let mut bytes = [0; N];
    rand_core::Rng::fill_bytes(&mut rng(seed), &mut bytes);
    bytes
}

#[test]
fn the_check_itself_finds_a_secret_that_is_not_wiped() {
    struct Unwiped([u8; 32]);
    impl Drop for Unwiped {
        fn drop(&mut self) {
            black_box(&self.0);
        }
    }
    let (before, after) = dropped(Unwiped(secret(1)));
    assert!(holds(&before, &secret::<32>(1)) && holds(&after, &secret::<32>(1)));

    let half = |bytes: [u8; 32]| [bytes[..20].to_vec(), vec![0; 12]].concat();
    assert!(holds(&half(secret(1)), &secret::<32>(1)), "half a secret is one too");
    assert!(!holds(&half(secret(2)), &secret::<32>(1)));
}

#[test]
fn a_dropped_secret_is_wiped() {
    let bytes = secret::<32>(1);
    is_wiped(Seed::from_bytes(bytes), &[&bytes]);
    is_wiped(PairingKey::from_bytes(bytes), &[&bytes]);
    is_wiped(AgreementSecret::from_bytes(bytes), &[&bytes]);
    is_wiped(SharedSecret::from_bytes(bytes), &[&bytes]);
    is_wiped(MacKey::from_bytes(bytes), &[&bytes]);
    is_wiped(StorageKey::from_bytes(bytes), &[&bytes]);
    is_wiped(ActivationSecret::from_bytes(secret(2)), &[&secret::<16>(2)]);
}

#[test]
fn a_dropped_share_code_and_its_text_are_wiped() {
    let issue = || ShareCode::issue(&mut rng(1));
    let text = issue().expose().as_str().to_owned();
    is_wiped(issue().expose(), &[text.as_bytes()]);
    is_wiped(issue(), &[text.replace('-', "").as_bytes()]);
    is_wiped(ShareCode::parse(&text).unwrap(), &[text.replace('-', "").as_bytes()]);
}

/// What a guest keeps on the way to a key, and the key.
#[test]
fn a_guests_dropped_claim_attempt_and_key_are_wiped() {
    let mut scene = Fresh::new(RustCrypto).owned();
    let claimed = scene.claim();
    let (challenge, _session) = scene.challenge::<purpose::Install>();
    let attempt = claimed.install(&RustCrypto, &challenge, &mut scene.rng).unwrap().stored();
    let agreement = agreement_of(&attempt);
    let device = device_of(&claimed);
    let (before, after) = dropped(attempt);
    assert!(holds(&before, &agreement) && !holds(&after, &agreement));
    // The device signed with it just before: nothing of that came along in the unused room of the messages.
    assert!(!holds(&before, &device) && !holds(&before, &Sha512::digest(device)));

    scene.withdraw();
    let key = scene.download();
    let pairing = pairing_of(&key);
    is_wiped(key, &[&pairing]);
    let device = device_of(&claimed);
    is_wiped(claimed, &[&device]);
}

/// What a ring holds stands on the heap, and copies of a ring share it: it is wiped with the last of them.
#[test]
fn a_dropped_ring_leaves_nothing_of_its_claims_and_keys() {
    let mut scene = scene(77);
    let (mut ring, mut rng) = (Keyring::new(), rng(78));
    for uses in [1, 2] {
        let grant = scene.share();
        let _ = accept(ring.take(&RustCrypto, &scene.account, &grant, None, &mut rng).unwrap());
        if uses == 2 {
            break;
        }
        let (challenge, session) = scene.challenge::<purpose::Install>();
        let place = (scene.lock.id(), SLOT);
        let (claim, install) = accept(ring.install(&RustCrypto, place, &challenge, &mut rng).unwrap());
        let release = scene.release_of(&claim, &install);
        let bundle = accept(ring.bundle(&RustCrypto, &release).unwrap());
        let staged = scene.lock.install(session, &bundle, NOW, &mut scene.rng).unwrap();
        let Ok(installed) = staged.commit(|record| scene.flash.put(record));
        let _ = accept(ring.finish(&RustCrypto, &installed.receipt).unwrap());
        scene.withdraw();
    }
    let key = ring.key(scene.lock.id(), SLOT).unwrap().key();
    let claimed = ring.claims().next().unwrap();
    let found = [(Place::of(key), pairing_of(key)), (Place::of(claimed), device_of(claimed))];
    let copy = ring.clone();
    drop(ring);
    for (place, secret) in &found {
        assert!(holds(&place.bytes(), secret), "a copy still has it");
    }
    drop(copy);
    for (place, secret) in &found {
        assert!(!holds(&place.bytes(), secret), "{secret:02x?} is still there");
    }
}

/// Fills the stack with a pattern, as a secret that was moved there would.
#[inline(never)]
fn soil() {
    black_box([0xA5_u8; 4096]);
}

#[test]
fn the_copy_of_a_message_has_nothing_in_its_unused_room() {
    let mut scene = Fresh::new(RustCrypto).owned();
    let claimed = scene.claim();
    let message = claimed.claim().clone();
    soil();
    let copy = Box::new(message.clone());
    assert!(!holds(&storage(&*copy), &[0xA5; 8]));
}

#[test]
fn a_pending_provision_that_is_dropped_leaves_no_card_tag() {
    let mut scene = Fresh::new(RustCrypto);
    let (challenge, _session) = scene.challenge();
    let (_, pending) = scene.order(CARD, &challenge);
    let stored = postcard::to_allocvec(&Exposed(&pending)).unwrap();
    let card: [u8; 16] = *stored.last_chunk().unwrap();
    is_wiped(pending, &[&card]);
}

/// The device's seed: the last field of what a claim stores.
fn device_of(claimed: &Claimed) -> [u8; 32] {
    *postcard::to_allocvec(&Exposed(claimed)).unwrap().last_chunk().unwrap()
}

#[test]
fn a_role_that_is_dropped_leaves_nothing_of_its_key() {
    let seed = || Seed::from_bytes(secret(3));
    let bytes = secret::<32>(3);
    is_wiped(Owner::new(RustCrypto, &seed()).unwrap(), &[&bytes]);
    is_wiped(Service::new(RustCrypto, &seed()).unwrap(), &[&bytes]);
    is_wiped(Account::from_seed(&RustCrypto, &seed()).unwrap(), &[&bytes]);
}

/// The exception that `Ring` documents. Where this fails, ring wipes: say so there.
#[test]
fn a_key_that_ring_loaded_is_not_wiped() {
    let (before, after) = dropped(Owner::new(Ring, &Seed::from_bytes(secret(3))).unwrap());
    let expanded = Sha512::digest(secret::<32>(3));
    assert!(!holds(&before, &secret::<32>(3)), "the seed itself is not kept");
    assert!(holds(&before, &expanded[32..]) && holds(&after, &expanded[32..]));
}

/// The seed that the lock's flash holds, and the MAC keys that come from it.
fn keys_of(flash: &[u8]) -> [Vec<u8>; 4] {
    let seed = flash[5..37].to_vec();
    let derive = |label: &[u8]| RustCrypto.hkdf_sha256(&[], &seed, label).unwrap().to_vec();
    let keys = [derive(b"sharekey v1 lock key"), derive(b"sharekey v1 record mac"), derive(b"sharekey v1 nonce")];
    let [signing, records, nonces] = keys;
    [seed, signing, records, nonces]
}

#[test]
fn a_dropped_lock_leaves_nothing_of_its_keys_its_card_or_its_guests() {
    let mut scene = Fresh::new(RustCrypto).owned();
    let pairing = pairing_of(&scene.download());
    let (before, after) = dropped(*scene.lock);
    let [seed, signing, records, nonces] = keys_of(scene.flash.get(Cell::Seed));
    assert!(!holds(&before, &seed), "a lock does not keep its seed");
    // KNOWN, and not wiped: eight bytes of the signing key, a register that was put aside while it was derived, can stand
    // in room of the lock that nothing is written to. No more than those eight do, and of the others not even they.
    assert!(holds(&before, &signing) && !holds_run(&after, &signing, 9), "{signing:02x?}");
    for secret in [&records[..], &nonces, &CARD, &pairing] {
        assert!(holds(&before, secret) && !holds(&after, secret), "{secret:02x?}");
    }
    let stored = StoredSeed::read(&RustCrypto, Found::Bytes(scene.flash.get(Cell::Seed))).unwrap();
    is_wiped(stored, &[&seed]);
}

#[test]
fn a_dropped_making_and_its_records_leave_nothing_of_the_seed() {
    let making = || {
        let card = ActivationSecret::from_bytes(CARD);
        Making::<_, 2>::new(RustCrypto, card, Found::Nothing, &mut rng(5)).unwrap()
    };
    let record = making().record().unwrap().unwrap();
    let [seed, signing, records, nonces] = keys_of(record.as_bytes());
    is_wiped(record, &[&seed]);
    is_wiped(making(), &[&seed, &signing, &records, &nonces, &CARD]);
}

#[track_caller]
fn loses(scene: &mut Scene<RustCrypto>, pairing: &[u8; 32], step: impl FnOnce(&mut Scene<RustCrypto>)) {
    assert!(holds(&storage(&*scene.lock), pairing), "nothing to lose");
    step(scene);
    assert!(!holds(&storage(&*scene.lock), pairing), "the old key is still in the lock's memory");
}

/// Its keys are no other test's: what another left on stack and heap may stand in a lock's unused room.
fn scene(seed: u64) -> Scene<RustCrypto> {
    Fresh::drawn(RustCrypto, CARD, seed).owned()
}

#[test]
fn an_overwritten_slot_holds_nothing_of_the_key_before() {
    let mut scene = scene(101);
    let first = pairing_of(&scene.download());
    scene.withdraw();
    let mut second = None;
    loses(&mut scene, &first, |scene| second = Some(pairing_of(&scene.download())));
    assert!(holds(&storage(&*scene.lock), &second.unwrap()));
}

#[test]
fn a_slot_that_is_keyed_again_holds_nothing_of_the_key_before() {
    let mut scene = scene(102);
    let claimed = scene.claim();
    let first = install(&mut scene, &claimed);
    loses(&mut scene, &first, |scene| _ = install(scene, &claimed));
}

fn install(scene: &mut Scene<RustCrypto>, claimed: &Claimed) -> [u8; 32] {
    let (challenge, session) = scene.challenge::<purpose::Install>();
    let attempt = claimed.install(&RustCrypto, &challenge, &mut scene.rng).unwrap().stored();
    let release = scene.release(&attempt);
    let download = attempt.bundle(&RustCrypto, &release).unwrap();
    let staged = scene.lock.install(session, download.bundle(), NOW, &mut scene.rng).unwrap();
    let Ok(installed) = staged.commit(|record| scene.flash.put(record));
    pairing_of(&download.finish(&RustCrypto, &installed.receipt).unwrap().stored())
}

#[test]
fn a_deactivated_slot_holds_nothing_of_its_key() {
    let mut scene = scene(103);
    let pairing = pairing_of(&scene.download());
    loses(&mut scene, &pairing, Scene::deactivate);
}

#[test]
fn an_activated_slot_holds_nothing_of_the_key_before() {
    let mut scene = scene(104);
    let pairing = pairing_of(&scene.download());
    loses(&mut scene, &pairing, Scene::activate);
}

#[test]
fn a_lock_that_was_handed_over_holds_nothing_of_the_keys_before() {
    let mut scene = scene(105);
    let pairing = pairing_of(&scene.download());
    loses(&mut scene, &pairing, |scene| {
        let (challenge, session) = scene.challenge();
        let (owner, service) = (*scene.owner.key(), *scene.service.key());
        let order =
            scene.owner.order(&mut scene.view, Order::Transfer { owner, service }, &challenge, &mut scene.rng).unwrap();
        let (command, _pending) = secrets::scene::accept(order);
        let _ = scene.command(session, &command);
    });
}

/// Of two equal runs, the first tells the key that the second has staged.
#[test]
fn an_install_that_is_given_up_leaves_nothing_of_its_key() {
    let told = pairing_of(&Fresh::new(RustCrypto).owned().download());
    let mut scene = Fresh::new(RustCrypto).owned();
    let claimed = scene.claim();
    let (challenge, session) = scene.challenge::<purpose::Install>();
    let attempt = claimed.install(&RustCrypto, &challenge, &mut scene.rng).unwrap().stored();
    let release = scene.release(&attempt);
    let download = attempt.bundle(&RustCrypto, &release).unwrap();
    let staged = scene.lock.install(session, download.bundle(), NOW, &mut scene.rng).unwrap();
    let (record, pending) = staged.detach();
    is_wiped(record.unwrap(), &[&told]);
    is_wiped(pending, &[&told]);
}

/// A session holds a number and the lock's name; that it is spent changes nothing in that.
#[test]
fn a_session_holds_no_secret() {
    let mut scene = Fresh::new(RustCrypto).owned();
    let pairing = pairing_of(&scene.download());
    let (_, session) = scene.challenge::<purpose::Operate>();
    let (before, after) = dropped(session);
    for secret in keys_of(scene.flash.get(Cell::Seed)).iter().map(Vec::as_slice).chain([&CARD[..], &pairing]) {
        assert!(!holds(&before, secret) && !holds(&after, secret));
    }
    let mut stored = scene.flash.get(Cell::Slot(SLOT)).to_vec();
    assert_eq!(find(&mut stored, &pairing), pairing, "these are the secrets of the lock in use");
}

/// Found in a guest's key: its receipt, made where the pairing key had stood, carried it along unwiped.
#[test]
fn a_messages_unused_room_carries_no_secret_along() {
    let mut scene = Fresh::new(RustCrypto).owned();
    let key = scene.download();
    let pairing = pairing_of(&key);
    let receipt = key.receipt().clone();
    for at in [storage(&receipt), storage(key.receipt())] {
        assert!(!holds(&at, &pairing));
    }
}
