//! Does a lock whose own keys are in a secure element do as any other, and keep them there?
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that cannot go on fails")]

use sharekey::crypto::{Kdf as _, Sign as _};
use sharekey::lock::{Cell, Effect, PhysicalPresence, Step};
use sharekey::message::{Connect, FactoryReset};
use sharekey::secret::Seed;
use sharekey_secure_element::board::{Board, Door, NOW, card, entropy};
use sharekey_secure_element::element::{AGREEMENT_SECRETS, Derived, Inside};
use sharekey_secure_element::host::Host;
use sharekey_secure_element::story::{download, open, send};

/// The element's secrets that are found on flash.
fn leaked(board: &Board) -> usize {
    let secrets = board.element.opened();
    assert!(secrets.len() >= 5);
    let on_flash = |secret: &[u8; 32]| board.flash.values().any(|record| record.windows(32).any(|at| at == secret));
    secrets.iter().filter(|secret| on_flash(secret)).count()
}

fn reset_message(door: &mut Door<'_>) -> Vec<u8> {
    let challenge = send(door, &Connect::OPERATE).unwrap();
    let challenge = sharekey::wire::Unverified::parse(&challenge).unwrap();
    FactoryReset::seal(&Inside, &card(), challenge.claims()).unwrap().to_vec()
}

#[test]
fn owner_service_and_guest_meet_a_lock_like_any_other_and_no_secret_is_on_flash() {
    let mut board = Board::new();
    let mut door = board.boot().unwrap();
    let key = download(&mut door).unwrap();
    open(&mut door, &key).unwrap();
    assert_eq!(leaked(&board), 0);
}

/// The search above finds what is there.
#[test]
fn a_secret_on_flash_would_be_found() {
    let mut board = Board::new();
    board.boot().unwrap();
    let secret = board.element.opened()[1];
    board.flash.insert(99, [&[1, 2, 3], &secret[..]].concat());
    assert_eq!(leaked(&board), 1);
}

#[test]
fn inside_the_keys_are_derived_as_the_spec_says() {
    let mut board = Board::new();
    let id = board.boot().unwrap().lock().id();
    let seed = board.element.opened()[0];
    let signing = Inside.hkdf_sha256(&[], &seed, Derived::Signing.label()).unwrap();
    let key = Inside.signing_key(&Seed::from_bytes(*signing)).unwrap();
    assert_eq!(Inside.public_key(&key), *id.key());
}

/// What the host has, and a copy of its flash would have, is the seed's name: with that and the entropy of a source that is
/// stuck nobody computes what a download agreed on.
#[test]
fn the_secret_of_an_install_comes_from_a_key_that_is_inside() {
    let mut board = Board::new();
    board.boot().unwrap();
    let host = Host(std::rc::Rc::clone(&board.element));
    let (name, seed) = (&board.flash[&Cell::Seed.key()][5..37], board.element.opened()[0]);
    let (label, input) = (Derived::Agreements.label(), [7; 64]);
    let outside = |salt: &[u8]| Inside.hkdf_sha256(salt, &input, AGREEMENT_SECRETS).unwrap();
    let agreement = host.hkdf_sha256(&[], name, label).unwrap();
    let secret = host.hkdf_sha256(&*agreement, &input, AGREEMENT_SECRETS).unwrap();
    assert_eq!(
        secret,
        outside(&*Inside.hkdf_sha256(&[], &seed, label).unwrap()),
        "as the spec says, of the seed inside"
    );
    assert_ne!(secret, outside(&*agreement));
    assert_ne!(agreement, Inside.hkdf_sha256(&[], name, label).unwrap());
    // No other key is one for it, and no element that does not answer gives one.
    let nonces = host.hkdf_sha256(&[], name, Derived::Nonces.label()).unwrap();
    assert!(host.hkdf_sha256(&*nonces, &input, AGREEMENT_SECRETS).is_err());
    board.element.sleep(true);
    assert!(host.hkdf_sha256(&*agreement, &input, AGREEMENT_SECRETS).is_err());
}

#[test]
fn after_a_power_cut_it_is_the_same_lock() {
    let mut board = Board::new();
    let mut door = board.boot().unwrap();
    let (id, key) = (door.lock().id(), download(&mut door).unwrap());
    let mut door = board.boot().unwrap();
    assert_eq!(door.lock().id(), id);
    open(&mut door, &key).unwrap();
}

#[test]
fn a_copy_of_the_flash_is_no_lock_beside_another_element() {
    let mut board = Board::new();
    download(&mut board.boot().unwrap()).unwrap();
    let mut copy = Board { flash: board.flash.clone(), ..Board::new() };
    assert!(copy.boot().is_err());
    let mut other = Board::new();
    other.boot().unwrap();
    other.flash = board.flash.clone();
    assert!(other.boot().is_err());
    assert!(board.boot().is_ok());
}

#[test]
fn an_element_that_does_not_answer_refuses_and_changes_nothing() {
    let mut board = Board::new();
    let element = std::rc::Rc::clone(&board.element);
    let mut door = board.boot().unwrap();
    let before = door.board().flash.clone();
    element.sleep(true);
    assert!(download(&mut door).is_err());
    element.sleep(false);
    assert!(door.lock().ownership().is_err());
    assert_eq!(door.board().flash.keys().collect::<Vec<_>>(), before.keys().collect::<Vec<_>>());
    let key = download(&mut door).unwrap();
    open(&mut door, &key).unwrap();
    element.sleep(true);
    assert!(board.boot().is_err());
    element.sleep(false);
    open(&mut board.boot().unwrap(), &key).unwrap();
}

#[test]
fn a_reset_that_is_never_written_leaves_the_lock_its_seed_however_often() {
    let mut board = Board::new();
    let mut door = board.boot().unwrap();
    let key = download(&mut door).unwrap();
    for _ in 0..5 {
        let message = reset_message(&mut door);
        let presence = Some(PhysicalPresence::button_is_pressed());
        assert!(matches!(door.lock_mut().step(&message, NOW, presence, &mut entropy()), Step::Write(_)));
    }
    open(&mut board.boot().unwrap(), &key).unwrap();
}

#[test]
fn after_a_reset_it_is_another_lock() {
    let mut board = Board::new();
    let mut door = board.boot().unwrap();
    let (id, key) = (door.lock().id(), download(&mut door).unwrap());
    let message = reset_message(&mut door);
    let served = door.serve(&message, NOW, Some(PhysicalPresence::button_is_pressed()), &mut entropy()).unwrap();
    assert_eq!(served.effect(), Effect::Reset);
    assert_ne!(door.lock().id(), id);
    assert!(open(&mut door, &key).is_err());
    let key = download(&mut door).unwrap();
    open(&mut board.boot().unwrap(), &key).unwrap();
    assert_eq!(leaked(&board), 0);
}
