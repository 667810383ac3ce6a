//! Unlock: each accept rule, broken alone and in pairs. Whether it is refused with the right error,
//! the right answer and nothing changed, `Stand::refuses_unlock` checks.

use sharekey::counter::Generation;
use sharekey::crypto::Nonce;
use sharekey::error::{LockError, RefuseReason, WireError};
use sharekey::id::SlotId;
use sharekey::limits::{Action, Limits, Rights};
use sharekey::message::{Outcome, Unlock};
use sharekey_stage::stand::{DEVICE, Key, Stand};
use sharekey_stage::{forge, public, seed};

const OTHER: u8 = 40;

/// An unlock that is good but for `change`, and refused opaquely.
#[track_caller]
fn refuses(stand: &mut Stand, key: &Key, change: impl FnOnce(&mut Unlock), error: LockError) {
    let (nonce, session) = stand.operate();
    let mut unlock = key.unlock(Action::Open, nonce);
    change(&mut unlock);
    stand.refuses_unlock(session, &forge::tagged(&unlock, &key.pairing), error, None);
}

#[test]
fn an_unlock_moves_the_bolt_and_gets_a_reply_that_names_it() {
    let (mut stand, key) = Stand::installed();
    for action in [Action::Open, Action::Lock] {
        let (nonce, session) = stand.operate();
        let message = key.message(action, nonce);
        let unlocked = stand.send_unlock(session, &message).unwrap();
        assert_eq!(unlocked.action, action);
        assert_eq!(unlocked.reply.as_bytes(), key.reply(&message, Outcome::Accepted));
        assert_eq!((unlocked.slot, unlocked.generation), (SlotId::new(0), Generation::new(2)));
        assert_eq!(unlocked.device, public(&seed(DEVICE)));
    }
}

#[test]
fn an_unlock_of_a_key_without_a_limit_of_uses_writes_nothing() {
    let (mut stand, key) = Stand::installed();
    let before = stand.snapshot();
    for action in [Action::Open, Action::Lock] {
        let (nonce, session) = stand.operate();
        let staged = stand.lock.unlock(session, &key.message(action, nonce), stand.now()).unwrap();
        assert!(staged.record().is_none());
        let _ = staged.commit(|_| -> Result<(), ()> { panic!("nothing to write") }).unwrap();
    }
    assert_eq!(stand.snapshot(), before);
}

#[test]
fn an_action_that_is_not_defined_is_refused() {
    let (mut stand, key) = Stand::installed();
    for action in [0, 3, 0x81] {
        let (nonce, session) = stand.operate();
        let mut frame = forge::frame(&key.unlock(Action::Open, nonce));
        frame[5] = action;
        let message = forge::tag(frame, &key.pairing);
        stand.refuses_unlock(session, &message, LockError::Wire(WireError::Value), None);
    }
    let _ = stand.open(&key).unwrap();
}

//= spec/protocol.md#unlock
//# UNL-4. The unlock MUST carry the session's nonce.
#[test]
fn an_unlock_with_another_nonce_is_refused_also_with_one_of_the_locks_own() {
    let (mut stand, key) = Stand::installed();
    let (earlier, _) = stand.operate();
    let (for_install, _) = stand.for_install();
    for nonce in [earlier, for_install, Nonce::from_bytes([9; 16])] {
        refuses(&mut stand, &key, |unlock| unlock.lock_nonce = nonce, LockError::WrongNonce);
    }
    let _ = stand.open(&key).unwrap();
}

//= spec/protocol.md#unlock
//# UNL-17. The header's and the counter's cells MUST be free and sound.
//= spec/protocol.md#unlock
//# UNL-18. The lock MUST be provisioned.
#[test]
fn a_lock_without_an_owner_opens_for_nobody() {
    let key = Key { slot: SlotId::new(0), pairing: [0; 32] };
    refuses(&mut Stand::fresh(), &key, |_| {}, LockError::NotProvisioned);
}

//= spec/protocol.md#unlock
//# UNL-3. The slot MUST exist, undamaged, with a key installed in this epoch.
#[test]
fn a_slot_without_a_key_opens_for_nobody() {
    let (mut stand, key) = Stand::installed();
    stand.activate(1, 1);
    let at = |slot: u8| move |unlock: &mut Unlock| unlock.slot = SlotId::new(slot);
    refuses(&mut stand, &key, at(1), LockError::NotInstalled); // empty
    refuses(&mut stand, &key, at(2), LockError::NotInstalled); // never touched
    stand.deactivate(2, 1);
    refuses(&mut stand, &key, at(2), LockError::NotInstalled); // inactive
    refuses(&mut stand, &key, at(3), LockError::NoSuchSlot);
    refuses(&mut stand, &key, at(u8::MAX), LockError::NoSuchSlot);
    let _ = stand.open(&key).unwrap();
}

#[test]
fn a_key_that_was_wiped_at_the_lock_opens_nothing() {
    let (mut stand, key) = Stand::installed();
    stand.deactivate(0, 3);
    refuses(&mut stand, &key, |_| {}, LockError::NotInstalled);
    stand.activate(0, 4);
    refuses(&mut stand, &key, |_| {}, LockError::NotInstalled);
    stand.reboot();
    refuses(&mut stand, &key, |_| {}, LockError::NotInstalled);
    stand.goes_on();
    refuses(&mut stand, &key, |_| {}, LockError::UnlockMac);
}

//= spec/protocol.md#unlock
//# UNL-5. The unlock's tag MUST verify under the slot's pairing key.
#[test]
fn the_key_of_one_slot_does_not_open_another() {
    let (mut stand, key) = Stand::installed();
    stand.activate(1, 1);
    let other = stand.download(1, 2, |chain| chain.device = seed(OTHER)).unwrap();
    refuses(&mut stand, &key, |unlock| unlock.slot = other.slot, LockError::UnlockMac);
    refuses(&mut stand, &other, |unlock| unlock.slot = key.slot, LockError::UnlockMac);
    let _ = stand.open(&key).unwrap();
    let _ = stand.open(&other).unwrap();
}

//= spec/protocol.md#unlock
//# UNL-5. The unlock's tag MUST verify under the slot's pairing key.
#[test]
fn a_mac_under_any_other_secret_is_refused() {
    let (mut stand, key) = Stand::installed();
    let mut close = key.pairing;
    close[31] ^= 1;
    for pairing in [close, [0; 32], [0xff; 32]] {
        refuses(&mut stand, &Key { pairing, ..key }, |_| {}, LockError::UnlockMac);
    }
    let (nonce, session) = stand.operate();
    let message = forge::tagged(&key.unlock(Action::Open, nonce), &sharekey_stage::stand::CARD);
    stand.refuses_unlock(session, &message, LockError::UnlockMac, None);
    let _ = stand.open(&key).unwrap();
}

//= spec/protocol.md#unlock
//# UNL-10. The rights MUST allow the action.
//= spec/protocol.md#unlock
//# UNL-15. A refusal after the tag held MUST be a Reply with the reason.
#[test]
fn an_action_outside_the_rights_is_refused_with_the_reason() {
    let cases = [(Rights::OPEN, Action::Open, Action::Lock), (Rights::LOCK, Action::Lock, Action::Open)];
    for (rights, allowed, denied) in cases {
        for limits in [Limits::NONE, Limits::new(None, None, None, Some(1)).unwrap()] {
            let (mut stand, key) = Stand::installed_with(rights, limits);
            let (nonce, session) = stand.operate();
            let told = Some((&key, RefuseReason::ActionNotAllowed));
            stand.refuses_unlock(session, &key.message(denied, nonce), LockError::ActionNotAllowed, told);
            assert_eq!(stand.act(&key, allowed).unwrap().action, allowed);
        }
    }
}

/// The rules before the MAC, in the order of the design, each broken in `unlock_with`.
const STRANGER: [LockError; 5] = [
    LockError::Wire(WireError::Version { found: 2 }),
    LockError::SessionExpired,
    LockError::NotInstalled,
    LockError::WrongNonce,
    LockError::UnlockMac,
];

//= spec/protocol.md#unlock
//# UNL-14. A refusal before the tag held MUST be the opaque Refused, whatever the cause.
//= spec/protocol.md#errors-and-refusals
//# ERR-1. A lock MUST NOT tell a sender that has not authenticated why it refuses.
//= spec/protocol.md#unlock
//# UNL-20. The lock MUST make these checks in this order; the first that fails decides the error.
#[test]
fn of_two_broken_rules_the_earlier_one_is_reported_and_nothing_is_told() {
    for (at, first) in STRANGER.into_iter().enumerate() {
        for second in STRANGER.into_iter().skip(at) {
            let limits = Limits::new(None, None, None, Some(1)).unwrap();
            let (mut stand, key) = Stand::installed_with(Rights::LOCK, limits);
            let is = |rule: LockError| first == rule || second == rule;
            let (nonce, session) = stand.operate();
            let mut unlock = key.unlock(Action::Open, nonce);
            if is(LockError::NotInstalled) {
                unlock.slot = SlotId::new(1);
            }
            if is(LockError::WrongNonce) {
                unlock.lock_nonce = Nonce::from_bytes([0; 16]);
            }
            let mut frame = forge::frame(&unlock);
            if is(LockError::Wire(WireError::Version { found: 2 })) {
                frame[2] = 2;
            }
            let pairing = if is(LockError::UnlockMac) { [0; 32] } else { key.pairing };
            if is(LockError::SessionExpired) {
                stand.ticks += 10_001;
            }
            stand.refuses_unlock(session, &forge::tag(frame, &pairing), first, None);
            let _ = stand.act(&key, Action::Lock).unwrap();
        }
    }
}
