//! The replay counter: no nonce repeats, whatever the entropy and however often the power fails.

use std::collections::BTreeSet;

use sharekey::crypto::{Mac, Nonce};
use sharekey::error::LockError;
use sharekey::lock::{COUNTER_LEASE, Cell, PhysicalPresence, purpose};
use sharekey::message::Challenge;
use sharekey::wire::Unverified;
use sharekey_stage::cells::{counter, stored_counter};
use sharekey_stage::entropy::{BYTE, Broken};
use sharekey_stage::forge::label;
use sharekey_stage::provider::Provider;
use sharekey_stage::stand::{NOON, Stand, fails};

/// A challenge without any entropy; gives its nonce, and whether a record was written.
fn challenge<P: purpose::Purpose>(stand: &mut Stand) -> Result<(Nonce, bool), LockError> {
    let (now, writes) = (stand.now(), stand.store.writes);
    let staged = stand.lock.challenge::<P>(now, &mut Broken)?;
    let challenged = staged.commit(|record| stand.store.put(record)).unwrap();
    let claims = *Unverified::<Challenge>::parse(&challenged.challenge).unwrap().claims();
    assert_eq!(claims.lock, stand.id());
    Ok((claims.nonce, stand.store.writes > writes))
}

fn next(stand: &mut Stand) -> (Nonce, bool) {
    challenge::<purpose::Operate>(stand).unwrap()
}

/// The nonce of the challenge with this number, when the random source is broken.
fn nonce(stand: &Stand, number: u64) -> Nonce {
    //= spec/protocol.md#keys-of-a-lock
    //# KDF-6. A lock MUST derive these four keys from its seed as the table says.
    numbered(&stand.derived(label::NONCE), number)
}

fn numbered(key: &[u8], number: u64) -> Nonce {
    let mac = Provider.hmac_sha256(key, &[&number.to_le_bytes(), &[BYTE; 32]]);
    Nonce::from_bytes(*mac.first_chunk().unwrap())
}

//= spec/protocol.md#replay-counter
//# CTR-1. Every challenge, other than one of CTR-9, MUST take the next number of the lock's counter.
//= spec/protocol.md#replay-counter
//# CTR-2. The nonce of a challenge MUST be HMAC-SHA256(nonce key, number as `u64` ‖ 32 bytes of fresh entropy)[..16].
#[test]
fn every_challenge_takes_the_next_number_whatever_it_is_for() {
    let mut stand = Stand::fresh();
    for number in (0..40).step_by(2) {
        assert_eq!(challenge::<purpose::Operate>(&mut stand).unwrap().0, nonce(&stand, number));
        assert_eq!(challenge::<purpose::Install>(&mut stand).unwrap().0, nonce(&stand, number + 1));
    }
}

//= spec/protocol.md#replay-counter
//# CTR-2. The nonce of a challenge MUST be HMAC-SHA256(nonce key, number as `u64` ‖ 32 bytes of fresh entropy)[..16].
#[test]
fn the_entropy_goes_into_the_nonce() {
    let (mut one, mut other) = (Stand::fresh(), Stand::fresh());
    other.rng = sharekey_stage::rng(99);
    assert_eq!(one.id(), other.id());
    assert_ne!(one.operate().0, other.operate().0);
}

#[test]
fn no_nonce_repeats_over_leases_and_boots_even_with_a_broken_random_source() {
    let mut stand = Stand::fresh();
    let mut seen = BTreeSet::new();
    let mut count = 0_usize;
    for challenges in [1, 2, 50, COUNTER_LEASE + 3, 1, 1, 7] {
        for _ in 0..challenges {
            seen.insert(*next(&mut stand).0.as_bytes());
            count += 1;
        }
        stand.reboot();
    }
    assert_eq!(seen.len(), count);
}

//= spec/protocol.md#replay-counter
//# CTR-5. A lock MUST raise the ceiling by COUNTER_LEASE when it writes it.
//= spec/protocol.md#replay-counter
//# CTR-6. COUNTER_LEASE MUST be 65536.
#[test]
fn the_record_is_written_at_the_first_challenge_and_whenever_the_ceiling_is_reached() {
    assert_eq!(COUNTER_LEASE, 65_536);
    let mut stand = Stand::fresh();
    let written: Vec<u64> = (0..2 * COUNTER_LEASE + 2).filter(|_| next(&mut stand).1).collect();
    assert_eq!(written, [0, COUNTER_LEASE, 2 * COUNTER_LEASE]);
    assert_eq!(stored_counter(&stand.store), (3 * COUNTER_LEASE, 0));
    assert_eq!(next(&mut stand).0, nonce(&stand, 2 * COUNTER_LEASE + 2));
}

//= spec/protocol.md#replay-counter
//# CTR-3. A number MUST NOT be used before a record whose ceiling is above it is stored.
#[test]
fn no_number_is_used_before_a_ceiling_above_it_is_stored() {
    let mut stand = Stand::fresh();
    let key = stand.derived(label::NONCE);
    for number in 0..COUNTER_LEASE + 2 {
        assert_eq!(next(&mut stand).0, numbered(&key, number));
        assert!(number < stored_counter(&stand.store).0);
    }
}

//= spec/protocol.md#replay-counter
//# CTR-4. After a boot the counter MUST go on at the stored ceiling.
#[test]
fn after_a_boot_the_counter_goes_on_at_the_stored_ceiling_and_raises_it_first() {
    let mut stand = Stand::fresh();
    next(&mut stand);
    for boot in 1..5 {
        stand.reboot();
        assert_eq!(next(&mut stand), (nonce(&stand, boot * COUNTER_LEASE), true));
        assert_eq!(next(&mut stand), (nonce(&stand, boot * COUNTER_LEASE + 1), false));
        assert_eq!(stored_counter(&stand.store).0, (boot + 1) * COUNTER_LEASE);
    }
    stand.forge(Cell::Counter, &counter(1_000_000_007, 0, 0));
    stand.reboot();
    assert_eq!(next(&mut stand).0, nonce(&stand, 1_000_000_007));
    assert_eq!(stored_counter(&stand.store).0, 1_000_000_007 + COUNTER_LEASE);
}

#[test]
fn a_boot_that_gives_no_challenge_writes_nothing() {
    let mut stand = Stand::provisioned();
    let before = stand.store.clone();
    stand.reboot();
    stand.reboot();
    assert_eq!(stand.store, before);
}

//= spec/protocol.md#replay-counter
//# CTR-7. A lock MUST refuse to give a challenge when the counter has no further number.
#[test]
fn at_the_end_of_the_counter_no_challenge_is_given_and_nothing_wraps() {
    let last = u64::MAX - COUNTER_LEASE;
    for ceiling in [last + 1, u64::MAX - 1, u64::MAX] {
        let mut stand = Stand::provisioned();
        stand.forge(Cell::Counter, &counter(ceiling, 0, 0));
        stand.reboot();
        let before = stand.store.clone();
        for _ in 0..3 {
            assert_eq!(challenge::<purpose::Operate>(&mut stand).unwrap_err(), LockError::Exhausted, "{ceiling}");
            assert_eq!(challenge::<purpose::Install>(&mut stand).unwrap_err(), LockError::Exhausted, "{ceiling}");
        }
        assert_eq!(stand.store, before);
    }
}

//= spec/protocol.md#replay-counter
//# CTR-10. The lock MUST make these checks of a challenge in this order: RST-8, that the seed's, the header's and the counter's cell are free, CTR-7.
#[test]
fn of_two_reasons_to_give_no_challenge_the_earlier_one_is_reported() {
    let refused = |stand: &mut Stand| challenge::<purpose::Install>(stand).unwrap_err();
    // A counter at its end, and a header that was not read yet.
    let mut stand = Stand::provisioned();
    stand.forge(Cell::Counter, &counter(u64::MAX, 0, 0));
    stand.boot_without(&[Cell::Header]);
    assert_eq!(refused(&mut stand), LockError::Busy);
    stand.reload(Cell::Header).unwrap();
    assert_eq!(refused(&mut stand), LockError::Exhausted);
    // A lock that was reset is busy with nothing any more.
    let mut stand = Stand::provisioned();
    let (nonce, session) = stand.operate();
    let message = stand.reset_message(nonce);
    let (now, presence) = (stand.now(), PhysicalPresence::button_is_pressed());
    let staged = stand.lock.factory_reset(session, &message, presence, now, &mut stand.rng).unwrap();
    let (record, pending) = staged.detach();
    assert_eq!(refused(&mut stand), LockError::Busy);
    stand.store.put(&record.unwrap()).unwrap();
    let _ = stand.lock.written(pending).unwrap();
    assert_eq!(refused(&mut stand), LockError::Resetting);
}

//= spec/protocol.md#replay-counter
//# CTR-7. A lock MUST refuse to give a challenge when the counter has no further number.
#[test]
fn the_last_lease_is_used_up_to_its_end() {
    let last = u64::MAX - COUNTER_LEASE;
    let mut stand = Stand::provisioned();
    stand.forge(Cell::Counter, &counter(last, 0, 0));
    stand.reboot();
    for number in last..u64::MAX {
        assert_eq!(next(&mut stand), (nonce(&stand, number), number == last));
    }
    assert_eq!(stored_counter(&stand.store).0, u64::MAX);
    assert_eq!(challenge::<purpose::Operate>(&mut stand).unwrap_err(), LockError::Exhausted);
}

//= spec/protocol.md#replay-counter
//# CTR-3. A number MUST NOT be used before a record whose ceiling is above it is stored.
#[test]
fn a_lease_that_was_not_written_gives_no_challenge_and_uses_no_number() {
    let mut stand = Stand::fresh();
    for _ in 0..3 {
        let now = stand.now();
        assert!(stand.lock.challenge::<purpose::Operate>(now, &mut Broken).unwrap().commit(fails).is_err());
        assert_eq!(challenge::<purpose::Operate>(&mut stand).unwrap_err(), LockError::Busy);
        stand.reload(Cell::Counter).unwrap();
    }
    assert_eq!(next(&mut stand), (nonce(&stand, 0), true));
}

#[test]
fn a_lease_of_which_nobody_knew_that_it_was_written_is_good() {
    let mut stand = Stand::fresh();
    let now = stand.now();
    let (record, pending) = stand.lock.challenge::<purpose::Operate>(now, &mut Broken).unwrap().detach();
    stand.store.put(&record.unwrap()).unwrap();
    drop(pending);
    stand.reload(Cell::Counter).unwrap();
    // The numbers below the new ceiling are free to use: none was given away.
    assert_eq!(next(&mut stand), (nonce(&stand, 0), false));
}

#[test]
fn a_challenge_that_was_dropped_uses_no_number() {
    let mut stand = Stand::fresh();
    next(&mut stand);
    let now = stand.now();
    drop(stand.lock.challenge::<purpose::Install>(now, &mut Broken).unwrap());
    assert_eq!(next(&mut stand), (nonce(&stand, 1), false));
}

#[test]
fn setting_the_clock_leaves_the_counter_alone() {
    let mut stand = Stand::provisioned();
    let ceiling = stored_counter(&stand.store).0;
    let before = stand.store.writes;
    let _ = stand.set_clock(NOON + 5).unwrap();
    assert_eq!((stored_counter(&stand.store).0, stand.store.writes), (ceiling, before + 1));
    // Two challenges so far: provisioning and the command.
    assert_eq!(next(&mut stand), (nonce(&stand, 2), false));
    stand.reboot();
    assert_eq!(next(&mut stand).0, nonce(&stand, ceiling));
}

#[test]
fn the_nonces_of_a_damaged_lock_are_neither_repeated_nor_any_that_it_gave_when_sound() {
    let mut stand = Stand::provisioned();
    let mut seen: BTreeSet<[u8; 16]> = (0..8).map(|_| *next(&mut stand).0.as_bytes()).collect();
    seen.extend((0..8).map(|number| *nonce(&stand, number).as_bytes()));
    let (given, before) = (seen.len(), stand.store.clone());
    stand.boot_with(Cell::Counter, None);
    seen.extend((0..8).map(|_| *next(&mut stand).0.as_bytes()));
    assert_eq!(seen.len(), given + 8);
    assert_eq!(stand.store, before);
}
