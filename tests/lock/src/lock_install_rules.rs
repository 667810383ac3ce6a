//! Install, once all signatures hold: limits that need a clock, the generation rule, what a re-key
//! keeps and what an overwrite wipes.

use sharekey::counter::Generation;
use sharekey::error::{LockError, RefuseReason};
use sharekey::id::SlotId;
use sharekey::limits::{Action, Limits, Rights, Schedule, UtcOffset, Weekdays};
use sharekey::lock::{Cell, Clock};
use sharekey::message::Holding;
use sharekey_stage::cells::{limits, uses};
use sharekey_stage::stand::{Chain, Key, NOON, Stand};
use sharekey_stage::{public, seed};

const OTHER: u8 = 40;

#[track_caller]
fn refuses(
    stand: &mut Stand,
    generation: u32,
    change: impl FnOnce(&mut Chain),
    (error, reason): (LockError, RefuseReason),
) {
    let (nonce, session) = stand.for_install();
    let mut chain = stand.chain(nonce, 0, generation);
    change(&mut chain);
    stand.refuses_bundle(session, &chain.bundle(), error, Some(reason));
}

const STALE: (LockError, RefuseReason) = (LockError::StaleGeneration, RefuseReason::StaleGeneration);
const NO_CLOCK: (LockError, RefuseReason) = (LockError::NoClock, RefuseReason::NoClock);

fn always() -> Schedule {
    Schedule::new(Weekdays::ALL, 0, 1440, UtcOffset::UTC, None).unwrap()
}

fn timed() -> [Limits; 4] {
    [
        limits(Some(NOON), None, None, None),
        limits(None, Some(NOON + 1), None, None),
        limits(None, None, Some(always()), None),
        limits(Some(NOON), Some(NOON + 1), Some(always()), Some(1)),
    ]
}

fn slot_record(stand: &Stand) -> Vec<u8> {
    stand.store.get(Cell::Slot(SlotId::new(0))).unwrap().to_vec()
}

fn holds(haystack: &[u8], needle: &[u8]) -> bool {
    haystack.windows(needle.len()).any(|window| window == needle)
}

//= spec/protocol.md#install
//# INS-14. A lock whose clock is Absent MUST refuse a grant with `from`, `until` or a schedule.
#[test]
fn a_lock_that_can_never_tell_time_refuses_limits_that_need_it() {
    let mut stand = Stand::active();
    stand.clock = Clock::Absent;
    for limits in timed() {
        refuses(&mut stand, 2, |chain| chain.grant.limits = limits, NO_CLOCK);
    }
    stand.goes_on();
}

#[test]
fn a_lock_that_can_never_tell_time_takes_a_key_that_is_limited_by_uses_alone() {
    let mut stand = Stand::active();
    stand.clock = Clock::Absent;
    let key = stand.download(0, 2, |chain| chain.grant.limits = uses(1)).unwrap();
    let _ = stand.open(&key).unwrap();
}

#[test]
fn a_lock_whose_clock_is_not_set_installs_any_limits() {
    let mut stand = Stand::active();
    stand.clock = Clock::Unset;
    for (generation, limits) in (2..).zip(timed()) {
        stand.download(0, generation, |chain| chain.grant.limits = limits).unwrap();
    }
}

#[test]
fn dates_are_not_judged_at_the_install() {
    let mut stand = Stand::active();
    let not_yet = limits(Some(NOON + 100), None, None, None);
    let past = limits(None, Some(NOON - 100), None, None);
    stand.download(0, 2, |chain| chain.grant.limits = not_yet).unwrap();
    stand.download(0, 3, |chain| chain.grant.limits = past).unwrap();
}

//= spec/protocol.md#install
//# INS-15. The generation rule MUST allow the grant.
//= spec/protocol.md#generation-rule
//# GEN-4. Any other grant MUST be refused as stale.
#[test]
fn a_number_below_the_floor_is_stale() {
    let mut stand = Stand::provisioned();
    stand.activate(0, 5);
    for generation in [0, 1, 4] {
        refuses(&mut stand, generation, |_| {}, STALE);
    }
    stand.goes_on();
    refuses(&mut stand, 5, |_| {}, STALE);
}

//= spec/protocol.md#encoding
//# MSG-14. A party MUST compare numbers without wrapping.
//= spec/protocol.md#generation-rule
//# GEN-1. A grant whose generation is above the slot's floor MUST install: it overwrites what was there, becomes the floor, and starts with no use counted.
#[test]
fn the_first_number_above_the_floor_and_the_last_number_of_all_install() {
    let mut stand = Stand::active();
    stand.download(0, 2, |_| {}).unwrap();
    stand.download(0, u32::MAX, |_| {}).unwrap();
    assert_eq!(stand.report(0).unwrap().floor, Generation::MAX);
    refuses(&mut stand, u32::MAX - 1, |_| {}, STALE);
    stand.download(0, u32::MAX, |_| {}).unwrap();
}

#[test]
fn numbers_of_one_slot_say_nothing_about_another() {
    let (mut stand, key) = Stand::installed();
    stand.activate(1, 9);
    stand.download(1, 10, |chain| chain.device = seed(OTHER)).unwrap();
    stand.download(0, 3, |_| {}).unwrap();
    stand.open(&key).unwrap_err();
    stand.activate(2, 1);
    stand.download(2, 2, |_| {}).unwrap();
}

#[test]
fn a_number_that_an_activation_took_is_stale() {
    let mut stand = Stand::active();
    refuses(&mut stand, 1, |_| {}, STALE);
    stand.goes_on();
}

//= spec/protocol.md#generation-rule
//# GEN-4. Any other grant MUST be refused as stale.
#[test]
fn a_grant_whose_key_was_wiped_at_the_lock_never_installs_again() {
    let (mut stand, _) = Stand::installed();
    stand.activate(0, 3);
    for generation in [2, 3] {
        refuses(&mut stand, generation, |_| {}, STALE);
    }
    stand.goes_on();
    stand.deactivate(0, 6);
    stand.activate(0, 7);
    for generation in [2, 4, 6, 7] {
        refuses(&mut stand, generation, |_| {}, STALE);
    }
    stand.goes_on();
}

//= spec/protocol.md#generation-rule
//# GEN-2. A grant whose generation equals the floor MUST be re-keyed if, and only if, a key with the same grant digest and the same device is installed.
#[test]
fn the_installed_number_under_another_grant_is_stale() {
    let (mut stand, key) = Stand::installed();
    refuses(&mut stand, 2, |chain| chain.grant.rights = Rights::OPEN, STALE);
    refuses(&mut stand, 2, |chain| chain.grant.limits = uses(1), STALE);
    refuses(&mut stand, 2, |chain| (chain.subject, chain.grant.subject) = (seed(OTHER), public(&seed(OTHER))), STALE);
    let _ = stand.open(&key).unwrap();
    stand.goes_on();
}

//= spec/protocol.md#generation-rule
//# GEN-2. A grant whose generation equals the floor MUST be re-keyed if, and only if, a key with the same grant digest and the same device is installed.
#[test]
fn the_installed_grant_for_another_device_is_stale() {
    let (mut stand, key) = Stand::installed();
    refuses(&mut stand, 2, |chain| chain.device = seed(OTHER), STALE);
    let _ = stand.open(&key).unwrap();
    stand.goes_on();
}

//= spec/protocol.md#generation-rule
//# GEN-2. A grant whose generation equals the floor MUST be re-keyed if, and only if, a key with the same grant digest and the same device is installed.
#[test]
fn a_rekey_gives_a_new_pairing_key_and_the_old_one_no_longer_opens() {
    let (mut stand, old) = Stand::installed();
    let report = stand.report(0);
    let new = stand.download(0, 2, |_| {}).unwrap();
    assert_ne!(new.pairing, old.pairing);
    assert_eq!(stand.report(0), report);
    let (nonce, session) = stand.operate();
    stand.refuses_unlock(session, &old.message(Action::Open, nonce), LockError::UnlockMac, None);
    let _ = stand.open(&new).unwrap();
    assert!(holds(&slot_record(&stand), &new.pairing));
    assert!(!holds(&slot_record(&stand), &old.pairing));
}

//= spec/protocol.md#generation-rule
//# GEN-3. A re-key MUST replace the pairing key and nothing else.
#[test]
fn a_rekey_changes_nothing_but_the_pairing_key() {
    let limits = limits(Some(NOON), None, Some(always()), Some(3));
    let set = |chain: &mut Chain| (chain.grant.rights, chain.grant.limits) = (Rights::OPEN, limits);
    let mut stand = Stand::active();
    let _ = stand.set_clock(NOON).unwrap();
    let old = stand.download(0, 2, set).unwrap();
    let _ = stand.open(&old).unwrap();
    let before = slot_record(&stand);
    let new = stand.download(0, 2, set).unwrap();

    let at = before.windows(32).position(|window| window == old.pairing).unwrap();
    let mut content = before[5..before.len() - 16].to_vec();
    content[at - 5..at - 5 + 32].copy_from_slice(&new.pairing);
    assert_eq!(slot_record(&stand), stand.record(Cell::Slot(SlotId::new(0)), &content));
}

#[test]
fn a_rekey_gives_no_opening_back() {
    let set = |chain: &mut Chain| chain.grant.limits = uses(3);
    let mut stand = Stand::active();
    let mut key = stand.download(0, 2, set).unwrap();
    for _ in 0..3 {
        let _ = stand.open(&key).unwrap();
        key = stand.download(0, 2, set).unwrap();
    }
    assert_eq!(stand.open(&key).unwrap_err().error(), LockError::UsesSpent);
}

//= spec/protocol.md#generation-rule
//# GEN-1. A grant whose generation is above the slot's floor MUST install: it overwrites what was there, becomes the floor, and starts with no use counted.
#[test]
fn an_overwrite_wipes_the_old_key_and_starts_with_no_opening_used() {
    let (mut stand, old) = Stand::installed_with(Rights::OPEN_AND_LOCK, uses(1));
    let _ = stand.open(&old).unwrap();
    let set = |chain: &mut Chain| {
        (chain.device, chain.grant.limits, chain.grant.rights) = (seed(OTHER), uses(2), Rights::OPEN);
    };
    let new: Key = stand.download(0, 3, set).unwrap();
    assert!(!holds(&slot_record(&stand), &old.pairing));
    let (nonce, session) = stand.operate();
    stand.refuses_unlock(session, &old.message(Action::Open, nonce), LockError::UnlockMac, None);

    let report = stand.report(0).unwrap();
    assert_eq!(report.floor, Generation::new(3));
    assert!(matches!(report.holding, Holding::Installed { device, .. } if device == public(&seed(OTHER))));
    assert_eq!(stand.act(&new, Action::Lock).unwrap_err().error(), LockError::ActionNotAllowed);
    let _ = stand.open(&new).unwrap();
    let _ = stand.open(&new).unwrap();
    assert_eq!(stand.open(&new).unwrap_err().error(), LockError::UsesSpent);
}

#[test]
fn an_overwritten_grant_never_installs_again() {
    let (mut stand, _) = Stand::installed();
    stand.download(0, 3, |chain| chain.device = seed(OTHER)).unwrap();
    refuses(&mut stand, 2, |_| {}, STALE);
    stand.reboot();
    refuses(&mut stand, 2, |_| {}, STALE);
    stand.goes_on();
}
