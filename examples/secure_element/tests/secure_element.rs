//! Does a lock whose own keys are in a secure element do as any other, and keep them there?
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that cannot go on fails")]

use sharekey::crypto::{Kdf as _, Sign as _};
use sharekey::lock::{PhysicalPresence, purpose};
use sharekey::message::FactoryReset;
use sharekey::secret::Seed;
use sharekey_secure_element::board::{Board, Door, NOW, card, entropy};
use sharekey_secure_element::element::{Derived, Inside};
use sharekey_secure_element::story::{download, open};

fn made() -> (Board, Door) {
    let mut board = Board::new();
    let lock = board.make().unwrap();
    (board, lock)
}

/// The element's secrets that are found on flash.
fn leaked(board: &Board) -> usize {
    let secrets = board.element.opened();
    assert!(secrets.len() >= 4);
    let on_flash = |secret: &[u8; 32]| board.flash.values().any(|record| record.windows(32).any(|at| at == secret));
    secrets.iter().filter(|secret| on_flash(secret)).count()
}

fn stage_a_reset(board: &mut Board, lock: &mut Door, write: bool) {
    let rng = &mut entropy();
    let given = lock.challenge::<purpose::Operate>(NOW, rng).unwrap().commit(|record| board.put(record)).unwrap();
    let challenge = sharekey::wire::Unverified::parse(&given.challenge).unwrap();
    let reset = FactoryReset::seal(&Inside, &card(), challenge.claims()).unwrap();
    let presence = PhysicalPresence::button_is_pressed();
    let staged = lock.factory_reset(given.session, &reset, presence, NOW, rng).unwrap();
    if write {
        staged.commit(|record| board.put(record)).unwrap();
    }
}

#[test]
fn owner_service_and_guest_meet_a_lock_like_any_other_and_no_secret_is_on_flash() {
    let (mut board, mut lock) = made();
    let key = download(&mut board, &mut lock).unwrap();
    open(&mut board, &mut lock, &key).unwrap();
    assert_eq!(leaked(&board), 0);
}

/// The search above finds what is there.
#[test]
fn a_secret_on_flash_would_be_found() {
    let (mut board, _lock) = made();
    let secret = board.element.opened()[1];
    board.flash.insert(99, [&[1, 2, 3], &secret[..]].concat());
    assert_eq!(leaked(&board), 1);
}

#[test]
fn inside_the_keys_are_derived_as_the_spec_says() {
    let (board, lock) = made();
    let seed = board.element.opened()[0];
    let signing = Inside.hkdf_sha256(&[], &seed, Derived::Signing.label()).unwrap();
    let key = Inside.signing_key(&Seed::from_bytes(*signing)).unwrap();
    assert_eq!(Inside.public_key(&key), *lock.id().key());
}

#[test]
fn after_a_power_cut_it_is_the_same_lock() {
    let (mut board, mut lock) = made();
    let (id, key) = (lock.id(), download(&mut board, &mut lock).unwrap());
    let mut lock = board.boot().unwrap();
    assert_eq!(lock.id(), id);
    open(&mut board, &mut lock, &key).unwrap();
}

#[test]
fn a_copy_of_the_flash_is_no_lock_beside_another_element() {
    let (mut board, mut lock) = made();
    download(&mut board, &mut lock).unwrap();
    let copy = Board { flash: board.flash.clone(), ..Board::new() };
    assert!(copy.boot().is_err());
    let other = made().0;
    assert!(Board { flash: board.flash.clone(), ..other }.boot().is_err());
    assert!(board.boot().is_ok());
}

#[test]
fn an_element_that_does_not_answer_refuses_and_changes_nothing() {
    let (mut board, mut lock) = made();
    board.element.sleep(true);
    let before = board.flash.clone();
    assert!(download(&mut board, &mut lock).is_err());
    assert!(board.boot().is_err());
    board.element.sleep(false);
    assert!(lock.ownership().is_err());
    assert_eq!(board.flash.keys().collect::<Vec<_>>(), before.keys().collect::<Vec<_>>());
    let key = download(&mut board, &mut lock).unwrap();
    open(&mut board, &mut lock, &key).unwrap();
}

#[test]
fn a_reset_that_is_never_written_leaves_the_lock_its_seed_however_often() {
    let (mut board, mut lock) = made();
    let key = download(&mut board, &mut lock).unwrap();
    for _ in 0..5 {
        stage_a_reset(&mut board, &mut lock, false);
    }
    let mut lock = board.boot().unwrap();
    open(&mut board, &mut lock, &key).unwrap();
}

#[test]
fn after_a_reset_it_is_another_lock() {
    let (mut board, mut lock) = made();
    let (id, key) = (lock.id(), download(&mut board, &mut lock).unwrap());
    stage_a_reset(&mut board, &mut lock, true);
    assert!(board.boot().is_err());
    let mut lock = board.make().unwrap();
    assert_ne!(lock.id(), id);
    assert!(open(&mut board, &mut lock, &key).is_err());
    let key = download(&mut board, &mut lock).unwrap();
    open(&mut board, &mut lock, &key).unwrap();
    assert_eq!(leaked(&board), 0);
}
