//! Floods at the lock.

use rand_core::Rng;
use sharekey::error::LockError;
use sharekey::id::SlotId;
use sharekey::limits::Action;
use sharekey::lock::{COUNTER_LEASE, MAX_REQUEST};
use sharekey::message::{FactoryReset, Operation, Unlock};

use super::door::Door;
use crate::counting::{Counting, Work};
use sharekey_stage::ops::{For, To};
use sharekey_stage::stand::{Key, Stand};
use sharekey_stage::{forge, rng, seed};

const EACH: usize = 300;
const STRANGER: u8 = 99;

/// Sends a flood of one kind, opens in the quiet moment after every hundredth message and at the end, and
/// prints what the dearest message cost.
fn flood(
    door: &mut Door,
    name: &str,
    to: To,
    bound: Work,
    mut message: impl FnMut(&Stand<Counting>, sharekey::crypto::Nonce, usize) -> Vec<u8>,
) -> Vec<LockError> {
    let (mut dearest, mut longest, mut errors) = (Work::default(), 0, Vec::new());
    for nth in 0..EACH {
        let (error, work, length) = door.attack(to, |door, nonce| message(door, nonce, nth));
        dearest = dearest.max(work);
        longest = longest.max(length);
        errors.push(error);
        if nth % 100 == 99 {
            door.open().unwrap();
        }
    }
    println!("{name}: {EACH} messages of up to {longest} bytes, each at most {dearest}");
    assert_eq!(dearest.max(bound), bound, "{name}");
    errors
}

/// Each byte of a bundle is hashed once for its signature and once for the digest that the next part names,
/// and once more where the refusal is signed.
const fn work(checks: usize, signatures: usize, macs: usize) -> Work {
    Work { checks, signatures, macs, agreements: 0, bytes: 3 * MAX_REQUEST }
}

const FREE: Work = Work { bytes: 0, ..work(0, 0, 0) };

#[test]
fn challenges_cost_a_mac_each_and_a_write_for_each_lease() {
    let mut door = Door::new();
    let (before, given) = (door.stand.store.writes, 2 * usize::try_from(COUNTER_LEASE).unwrap() + 1_000);
    let mut dearest = Work::default();
    for nth in 0..given {
        let counting = door.counting.clone();
        let (_session, work) =
            counting.of(|| door.stand.connect(if nth % 2 == 0 { For::Install } else { For::Operate }));
        dearest = dearest.max(work);
    }
    let writes = door.stand.store.writes - before;
    println!("challenges: {given}, each at most {dearest}; {writes} records written in all");
    assert_eq!((dearest.checks, dearest.signatures, dearest.macs), (0, 0, 2));
    assert!(writes <= 3);
    door.open().unwrap();
    door.goes_on();
}

#[test]
fn challenges_for_downloads_close_no_session_of_one_who_opens() {
    let mut door = Door::new();
    let (nonce, session) = door.stand.operate();
    for _ in 0..1_000 {
        let _ = door.stand.for_install();
    }
    let message = door.key.message(Action::Open, nonce);
    let _ = door.stand.send_unlock(session, &message).unwrap();
}

#[test]
fn garbage_costs_no_signature_and_no_hash() {
    let mut door = Door::new();
    let mut noise = rng(7);
    for to in To::ALL {
        let _ = flood(&mut door, &format!("noise to {to:?}"), to, FREE, |_, _, _| {
            let mut bytes = vec![0; noise.next_u32() as usize % 2_000];
            noise.fill_bytes(&mut bytes);
            bytes
        });
        // A header that is right, and a mebibyte behind it.
        let mut long = vec![0; 1 << 20];
        long[..4].copy_from_slice(&to.kind().header());
        let errors = flood(&mut door, &format!("1 MiB to {to:?}"), to, FREE, |_, _, _| long.clone());
        assert!(errors.iter().all(|error| matches!(error, LockError::Wire(_))));
    }
    door.goes_on();
}

#[test]
fn what_looks_valid_costs_at_most_four_checks_and_one_answer() {
    let mut door = Door::new();
    let all = |errors: Vec<LockError>, error: LockError| assert!(errors.iter().all(|each| *each == error), "{error:?}");

    let errors = flood(&mut door, "bundle, grant forged", To::Install, work(1, 0, 0), |stand, nonce, _| {
        let mut chain = stand.chain(nonce, 0, 9);
        chain.owner = seed(STRANGER);
        chain.bundle()
    });
    assert!(errors.iter().all(|error| matches!(error, LockError::GrantSignature(_))));
    let errors = flood(&mut door, "bundle, claim by another", To::Install, work(2, 0, 0), |stand, nonce, _| {
        let mut chain = stand.chain(nonce, 0, 9);
        chain.subject = seed(STRANGER);
        chain.bundle()
    });
    assert!(errors.iter().all(|error| matches!(error, LockError::ClaimSignature(_))));
    let (old, _) = door.stand.for_install();
    let errors =
        flood(&mut door, "bundle, replayed", To::Install, work(2, 0, 0), |stand, _, _| stand.chain(old, 0, 2).bundle());
    all(errors, LockError::WrongNonce);
    let errors = flood(&mut door, "bundle, release forged", To::Install, work(4, 0, 0), |stand, nonce, _| {
        let mut chain = stand.chain(nonce, 0, 9);
        chain.service = seed(STRANGER);
        chain.bundle()
    });
    assert!(errors.iter().all(|error| matches!(error, LockError::ReleaseSignature(_))));
    let errors = flood(&mut door, "bundle, all valid but stale", To::Install, work(4, 1, 0), |stand, nonce, _| {
        stand.chain(nonce, 0, 1).bundle()
    });
    all(errors, LockError::StaleGeneration);

    let errors = flood(&mut door, "command by a stranger", To::Command, work(1, 0, 0), |stand, nonce, _| {
        forge::signed(&stand.command_body(nonce, Operation::Inspect { slot: SlotId::new(0) }), &seed(STRANGER))
    });
    assert!(errors.iter().all(|error| matches!(error, LockError::CommandSignature(_))));
    let errors = flood(&mut door, "unlock, MAC wrong", To::Unlock, work(0, 0, 1), |_, nonce, _| {
        Key { slot: SlotId::new(0), pairing: [1; 32] }.message(Action::Open, nonce)
    });
    all(errors, LockError::UnlockMac);
    let errors = flood(&mut door, "unlock of slots without a key", To::Unlock, work(0, 0, 1), |_, lock_nonce, nth| {
        let slot = SlotId::new(u8::try_from(1 + nth % 200).unwrap());
        let guest_nonce = sharekey::crypto::Nonce::from_bytes([9; 16]);
        forge::tagged(&Unlock { slot, action: Action::Open, lock_nonce, guest_nonce }, &[1; 32])
    });
    assert!(errors.iter().all(|error| matches!(error, LockError::NotInstalled | LockError::NoSuchSlot)));
    let errors = flood(&mut door, "provision without the card", To::Provision, work(0, 0, 1), |stand, nonce, _| {
        forge::tagged(&stand.provision_body(nonce), &[1; 16])
    });
    all(errors, LockError::CardMac);
    let errors = flood(&mut door, "factory reset without the card", To::Reset, work(0, 0, 1), |stand, nonce, _| {
        forge::tagged(&FactoryReset { lock: stand.id(), nonce }, &[1; 16])
    });
    all(errors, LockError::CardMac);

    door.goes_on();
}
