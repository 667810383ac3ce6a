//! The clock: only the owner sets it, and one that reads less than it did was lost.

use sharekey::error::{LockError, SignatureError};
use sharekey::limits::{Rights, Timestamp};
use sharekey::lock::{COUNTER_LEASE, Cell, Clock, purpose};
use sharekey::message::Operation;
use sharekey_stage::cells::{counter, dates, stored_counter};
use sharekey_stage::stand::{Key, NOON, Stand};
use sharekey_stage::store::PowerCut;

/// A lock whose latest time known is [`NOON`], with a key that has dates, far apart.
fn dated() -> (Stand, Key) {
    let (stand, key) = Stand::installed_with(Rights::OPEN, dates(1, 10 * NOON));
    assert_eq!(stored_counter(&stand.store).1, NOON);
    (stand, key)
}

/// What the key is told when the clock reads this.
fn at(stand: &mut Stand, key: &Key, seconds: u64) -> Result<(), LockError> {
    stand.clock_reads(seconds);
    stand.open(key).map(drop).map_err(|refusal| refusal.error())
}

/// The lock believes a clock from this second on, and not a second earlier.
fn assert_latest(stand: &mut Stand, key: &Key, latest: u64) {
    assert_eq!(at(stand, key, latest - 1), Err(LockError::ClockUnset), "{latest}");
    assert_eq!(at(stand, key, latest), Ok(()), "{latest}");
    assert_eq!(at(stand, key, latest - 1), Err(LockError::ClockUnset), "{latest}");
}

//= spec/protocol.md#clock
//# CLK-2. A lock MUST take a clock that reads less than the latest time known for Unset.
#[test]
fn a_clock_that_reads_less_than_the_latest_time_known_is_unset() {
    let (mut stand, key) = dated();
    assert_latest(&mut stand, &key, NOON);
    assert_eq!(at(&mut stand, &key, 0), Err(LockError::ClockUnset));
    stand.clock = Clock::Unset;
    assert_eq!(stand.open(&key).unwrap_err().error(), LockError::ClockUnset);
    stand.clock = Clock::Absent;
    assert_eq!(stand.open(&key).unwrap_err().error(), LockError::NoClock);
}

#[test]
fn an_expired_key_does_not_come_back_when_the_clock_is_turned_back() {
    let (mut stand, key) = Stand::installed_with(Rights::OPEN, dates(NOON - 100, NOON - 50));
    assert_eq!(at(&mut stand, &key, NOON), Err(LockError::Expired));
    assert_eq!(at(&mut stand, &key, NOON - 75), Err(LockError::ClockUnset));
}

#[test]
fn reading_the_clock_does_not_raise_the_latest_time() {
    let (mut stand, key) = dated();
    for seconds in [NOON + 5, NOON + 500, NOON + 50] {
        assert_eq!(at(&mut stand, &key, seconds), Ok(()));
    }
    stand.download(0, 3, |chain| chain.grant.limits = dates(1, 10 * NOON)).unwrap();
    assert_eq!(stored_counter(&stand.store).1, NOON);
    let key = stand.download(0, 4, |chain| chain.grant.limits = dates(1, 10 * NOON)).unwrap();
    assert_latest(&mut stand, &key, NOON);
}

//= spec/protocol.md#clock
//# CLK-3. A lock whose clock was set in the present epoch MUST raise the latest time known, where its clock reads later, whenever it writes the counter's record.
#[test]
fn the_first_challenge_after_a_boot_raises_the_latest_time() {
    let (mut stand, key) = dated();
    stand.clock_reads(NOON + 500);
    stand.reboot();
    assert_eq!(at(&mut stand, &key, NOON + 500), Ok(()));
    assert_eq!(stored_counter(&stand.store).1, NOON + 500);
    assert_latest(&mut stand, &key, NOON + 500);
}

//= spec/protocol.md#clock
//# CLK-3. A lock whose clock was set in the present epoch MUST raise the latest time known, where its clock reads later, whenever it writes the counter's record.
#[test]
fn the_latest_time_is_raised_when_the_ceiling_is_reached() {
    let (mut stand, key) = dated();
    stand.clock_reads(NOON + 500);
    while stored_counter(&stand.store).0 == COUNTER_LEASE {
        assert_eq!(stored_counter(&stand.store).1, NOON);
        drop(stand.challenge::<purpose::Install>().unwrap());
    }
    assert_latest(&mut stand, &key, NOON + 500);
}

#[test]
fn a_lease_that_was_not_written_does_not_raise_the_latest_time() {
    let (mut stand, key) = dated();
    stand.reboot();
    stand.clock_reads(NOON + 500);
    for arrived in [false, true] {
        let now = stand.now();
        let store = &mut stand.store;
        let staged = stand.lock.challenge::<purpose::Operate>(now, &mut stand.rng).unwrap();
        staged.commit(|record| if arrived { store.put(record).and(Err(PowerCut)) } else { Err(PowerCut) }).unwrap_err();
        stand.reload(Cell::Counter).unwrap();
        assert_eq!(stored_counter(&stand.store).1, if arrived { NOON + 500 } else { NOON });
    }
    assert_latest(&mut stand, &key, NOON + 500);
}

//= spec/protocol.md#clock
//# CLK-3. A lock whose clock was set in the present epoch MUST raise the latest time known, where its clock reads later, whenever it writes the counter's record.
#[test]
fn a_lease_never_lowers_the_latest_time() {
    for clock in [Clock::Absent, Clock::Unset, Clock::At(Timestamp::from_unix_seconds(NOON - 500))] {
        let (mut stand, key) = dated();
        stand.clock = clock;
        stand.reboot();
        drop(stand.operate());
        assert_eq!(stored_counter(&stand.store), (2 * COUNTER_LEASE, NOON), "{clock:?}");
        assert_latest(&mut stand, &key, NOON);
    }
}

//= spec/protocol.md#operations
//# OPR-8. SetClock MUST store the time that it sets as the latest time known, also where that is earlier.
#[test]
fn the_owner_sets_the_clock_forward() {
    let (mut stand, key) = dated();
    let _ = stand.set_clock(NOON + 500).unwrap();
    assert_eq!(stored_counter(&stand.store), (COUNTER_LEASE, NOON + 500));
    assert_latest(&mut stand, &key, NOON + 500);
}

//= spec/protocol.md#operations
//# OPR-8. SetClock MUST store the time that it sets as the latest time known, also where that is earlier.
#[test]
fn the_owner_sets_the_clock_back() {
    let (mut stand, key) = dated();
    let _ = stand.set_clock(NOON - 500).unwrap();
    assert_eq!(stored_counter(&stand.store), (COUNTER_LEASE, NOON - 500));
    assert_latest(&mut stand, &key, NOON - 500);
}

#[test]
fn a_clock_set_by_mistake_to_the_end_of_time_can_be_set_back() {
    let (mut stand, key) = dated();
    let _ = stand.set_clock(u64::MAX).unwrap();
    assert_eq!(at(&mut stand, &key, NOON), Err(LockError::ClockUnset));
    let _ = stand.set_clock(NOON).unwrap();
    assert_latest(&mut stand, &key, NOON);
}

#[test]
fn what_was_set_survives_a_boot() {
    for set in [NOON - 500, NOON + 500] {
        let (mut stand, key) = dated();
        let _ = stand.set_clock(set).unwrap();
        stand.clock = Clock::Unset;
        stand.reboot();
        assert_eq!(stand.open(&key).unwrap_err().error(), LockError::ClockUnset);
        assert_latest(&mut stand, &key, set);
    }
}

#[test]
fn the_latest_time_on_flash_is_believed_at_a_boot() {
    let (mut stand, key) = dated();
    stand.forge(Cell::Counter, &counter(COUNTER_LEASE, NOON + 12_345, 1));
    stand.reboot();
    assert_latest(&mut stand, &key, NOON + 12_345);
}

#[test]
fn a_clock_that_was_lost_is_set_by_the_owner() {
    let (mut stand, key) = dated();
    stand.clock = Clock::Unset;
    let _ = stand.set_clock(NOON + 60).unwrap();
    assert_latest(&mut stand, &key, NOON + 60);
}

#[test]
fn the_firmware_is_told_what_to_set_its_clock_to() {
    let (mut stand, _) = dated();
    let to = Timestamp::from_unix_seconds(NOON + 500);
    assert_eq!(stand.set_clock(NOON + 500).unwrap().operation, Operation::SetClock { to });
}

#[test]
fn a_lock_that_can_never_tell_time_refuses_to_be_set() {
    let (mut stand, _) = dated();
    stand.clock = Clock::Absent;
    let before = stand.snapshot();
    assert_eq!(stand.set_clock(NOON + 500).unwrap_err().error(), LockError::NoClock);
    assert_eq!(stand.snapshot(), before);
}

//= spec/protocol.md#clock
//# CLK-1. A lock MUST take no time from a guest or from the service.
#[test]
fn nobody_but_the_owner_sets_the_clock() {
    let (mut stand, key) = dated();
    let to = Timestamp::from_unix_seconds(NOON + 500);
    for stranger in [sharekey_stage::stand::SERVICE, sharekey_stage::stand::SUBJECT, sharekey_stage::stand::DEVICE] {
        let refused = stand.command_by(stranger, Operation::SetClock { to }).unwrap_err();
        assert_eq!(refused.error(), LockError::CommandSignature(SignatureError::Mismatch));
    }
    assert_latest(&mut stand, &key, NOON);
}

#[test]
fn a_clock_whose_setting_was_cut_is_what_it_was_or_what_was_set() {
    for (arrived, latest) in [(false, NOON), (true, NOON - 500)] {
        let (mut stand, key) = dated();
        let to = Timestamp::from_unix_seconds(NOON - 500);
        let (nonce, session) = stand.operate();
        let message = stand.order(nonce, Operation::SetClock { to });
        let now = stand.now();
        let staged = stand.lock.command(session, &message, now).unwrap();
        let store = &mut stand.store;
        staged.commit(|record| if arrived { store.put(record).and(Err(PowerCut)) } else { Err(PowerCut) }).unwrap_err();
        assert_eq!(stand.challenge::<purpose::Operate>().unwrap_err(), LockError::Busy);
        stand.reload(Cell::Counter).unwrap();
        assert_latest(&mut stand, &key, latest);
    }
}

/// The owner of the next epoch, with a key that is over the day after tomorrow.
fn handed_over(stand: &mut Stand) -> Key {
    stand.transfer_to_oneself();
    stand.activate(0, 1);
    stand.download(0, 2, |chain| chain.grant.limits = dates(1, NOON + 2 * DAY)).unwrap()
}

const DAY: u64 = 86_400;

//= spec/protocol.md#clock
//# CLK-4. Until a SetClock of the present epoch was stored, a lock MUST take its clock for Unset, unless it is Absent.
#[test]
fn a_former_owners_clock_lets_no_key_of_the_next_one_live_longer() {
    let (mut stand, _) = dated();
    // Played against a draft: a year back, then handed over; 300 days later the key still opened.
    let _ = stand.set_clock(NOON - 365 * DAY).unwrap();
    let key = handed_over(&mut stand);
    assert_eq!(at(&mut stand, &key, NOON - 65 * DAY), Err(LockError::ClockUnset));
    let _ = stand.set_clock(NOON).unwrap();
    assert_eq!(at(&mut stand, &key, NOON + DAY), Ok(()));
    assert_eq!(at(&mut stand, &key, NOON + 300 * DAY), Err(LockError::Expired));
}

//= spec/protocol.md#clock
//# CLK-4. Until a SetClock of the present epoch was stored, a lock MUST take its clock for Unset, unless it is Absent.
#[test]
fn each_owner_sets_the_clock_anew_and_a_boot_forgets_neither_that_it_was_set_nor_that_it_was_not() {
    let (mut stand, _) = dated();
    let key = handed_over(&mut stand);
    for _ in 0..2 {
        assert_eq!(at(&mut stand, &key, NOON + 5), Err(LockError::ClockUnset));
        stand.reboot();
    }
    let _ = stand.set_clock(NOON + 5).unwrap();
    for _ in 0..2 {
        assert_eq!(at(&mut stand, &key, NOON + 5), Ok(()));
        stand.reboot();
    }
    stand.clock = Clock::Absent;
    assert_eq!(stand.open(&key).unwrap_err().error(), LockError::NoClock);
}

#[test]
fn a_first_owners_clock_counts_for_nothing_before_it_was_set() {
    let mut stand = Stand::active();
    let key = stand.download(0, 2, |chain| chain.grant.limits = dates(1, 10 * NOON)).unwrap();
    assert_eq!(at(&mut stand, &key, NOON), Err(LockError::ClockUnset));
}

//= spec/protocol.md#clock
//# CLK-3. A lock whose clock was set in the present epoch MUST raise the latest time known, where its clock reads later, whenever it writes the counter's record.
#[test]
fn a_clock_that_the_present_owner_did_not_set_raises_nothing() {
    let (mut stand, _) = dated();
    stand.transfer_to_oneself();
    stand.clock_reads(NOON + 500);
    stand.reboot();
    drop(stand.operate());
    assert_eq!(stored_counter(&stand.store), (2 * COUNTER_LEASE, NOON));
}
