//! Commands: each accept rule, broken alone and in pairs, whatever the operation; and what each
//! operation itself refuses. `Stand::refuses_command` checks error, answer, and that nothing changed.

use sharekey::counter::{Epoch, Generation, Term};
use sharekey::crypto::Nonce;
use sharekey::error::{KeyError, LockError, RefuseReason, SignatureError, WireError};
use sharekey::id::{LockId, SlotId};
use sharekey::limits::{Action, Timestamp};
use sharekey::lock::{Cell, Clock};
use sharekey::message::{Command, Holding, Operation};
use sharekey_stage::ops::{Order, With};
use sharekey_stage::stand::{DEVICE, NOON, OWNER, SERVICE, SLOTS, SUBJECT, Stand, fails};
use sharekey_stage::{bad, forge, public, seed};

const OTHER: u8 = 40;

fn activate(slot: u8, generation: u32) -> Operation {
    Operation::Activate { slot: SlotId::new(slot), generation: Generation::new(generation) }
}

fn deactivate(slot: u8, generation: u32) -> Operation {
    Operation::Deactivate { slot: SlotId::new(slot), generation: Generation::new(generation) }
}

fn inspect(slot: u8) -> Operation {
    Operation::Inspect { slot: SlotId::new(slot) }
}

/// One of each, which a lock with a key number 2 in slot 0 accepts.
fn operations() -> [Operation; Order::ALL.len()] {
    let (slot, generation, time) = (SlotId::new(0), Generation::new(3), Timestamp::from_unix_seconds(NOON));
    let (owner, service) = (public(&seed(21)), public(&seed(22)));
    Order::ALL.map(|order| order.with(&With { slot, generation, owner, service, time, action: Action::Open }))
}

/// A command that is good but for `change`.
#[track_caller]
fn refuses(
    stand: &mut Stand,
    operation: Operation,
    change: impl FnOnce(&mut Command),
    error: LockError,
    told: Option<RefuseReason>,
) {
    let (nonce, session) = stand.operate();
    let mut command = stand.command_body(nonce, operation);
    change(&mut command);
    stand.refuses_command(session, &forge::signed(&command, &seed(OWNER)), error, told);
}

/// Every operation is refused opaquely after `change`, and accepted without.
fn each_refuses(change: impl Fn(&mut Command), error: LockError) {
    for operation in operations() {
        let (mut stand, _) = Stand::installed();
        refuses(&mut stand, operation, &change, error, None);
        let _ = stand.command(operation).unwrap();
    }
}

//= spec/protocol.md#commands
//# CMD-1. The command MUST decode.
#[test]
fn an_operation_or_an_action_that_is_not_defined_is_refused() {
    let mut stand = Stand::active();
    let at_operation = 4 + 32 + 4 + 4 + 16 + 16;
    for (at, byte) in [(0, 0), (0, Order::NONE), (0, 0x81), (1, 0), (1, 3)] {
        let (nonce, session) = stand.operate();
        let operation = Operation::Act { action: Action::Open };
        let mut frame = forge::frame(&stand.command_body(nonce, operation));
        frame[at_operation + at] = byte;
        let message = forge::sign(frame, &seed(OWNER));
        stand.refuses_command(session, &message, LockError::Wire(WireError::Value), None);
    }
    stand.goes_on();
}

//= spec/protocol.md#commands
//# CMD-3. The lock MUST be provisioned.
#[test]
fn a_lock_without_an_owner_obeys_nobody() {
    for operation in operations() {
        refuses(&mut Stand::fresh(), operation, |_| {}, LockError::NotProvisioned, None);
    }
}

//= spec/protocol.md#commands
//# CMD-4. The command MUST name this lock.
#[test]
fn a_command_for_another_lock_is_refused() {
    let other = LockId::new(public(&seed(OTHER)));
    each_refuses(|command| command.lock = other, LockError::WrongLock);
}

//= spec/protocol.md#commands
//# CMD-5. The command MUST be of the lock's epoch.
#[test]
fn a_command_of_another_epoch_is_refused_be_it_lower_or_higher() {
    let told = Some(RefuseReason::WrongEpoch);
    for (operation, epoch) in operations().into_iter().zip([0, 2, u32::MAX].into_iter().cycle()) {
        let other = |command: &mut Command| command.epoch = Epoch::new(epoch);
        refuses(&mut Stand::active(), operation, other, LockError::WrongEpoch, told);
    }
}

//= spec/protocol.md#commands
//# CMD-6. The command MUST carry the session's nonce.
#[test]
fn a_command_with_another_nonce_is_refused_also_with_one_of_the_locks_own() {
    each_refuses(|command| command.lock_nonce = Nonce::from_bytes([7; 16]), LockError::WrongNonce);
    let mut stand = Stand::active();
    let (earlier, _) = stand.operate();
    let (for_install, _) = stand.for_install();
    for nonce in [earlier, for_install] {
        refuses(&mut stand, activate(0, 2), |command| command.lock_nonce = nonce, LockError::WrongNonce, None);
    }
}

//= spec/protocol.md#commands
//# CMD-7. The command's signature MUST verify under the owner key.
#[test]
fn a_command_that_the_owner_did_not_sign_is_refused() {
    for operation in operations() {
        let (mut stand, _) = Stand::installed();
        for signer in [OTHER, SERVICE, SUBJECT, DEVICE, 21] {
            let (nonce, session) = stand.operate();
            let message = forge::signed(&stand.command_body(nonce, operation), &seed(signer));
            let error = LockError::CommandSignature(SignatureError::Mismatch);
            stand.refuses_command(session, &message, error, None);
        }
        let _ = stand.command(operation).unwrap();
    }
}

//= spec/protocol.md#frame
//# MSG-20. A signature MUST be made, and checked, over `"sharekey v1 signature"` ‖ 00 ‖ the bytes that it covers.
#[test]
fn what_a_key_signed_for_another_protocol_is_no_message_here() {
    let mut stand = Stand::active();
    for context in [&b""[..], b"sharekey v1 signature", b"sharekey v2 signature\0"] {
        let (nonce, session) = stand.operate();
        let frame = forge::frame(&stand.command_body(nonce, Operation::Act { action: Action::Open }));
        let error = LockError::CommandSignature(SignatureError::Mismatch);
        stand.refuses_command(session, &forge::sign_under(context, &frame, &seed(OWNER)), error, None);
    }
    stand.goes_on();
}

//= spec/protocol.md#commands
//# CMD-12. The command MUST be signed by somebody whose key the lock has, so its `by` is 0.
#[test]
fn a_command_that_says_that_another_than_the_owner_signed_it_is_refused_before_its_signature() {
    let mut stand = Stand::active();
    for (signer, by) in [(OWNER, 1), (OTHER, 1), (OWNER, u32::MAX)] {
        let (nonce, session) = stand.operate();
        let body = Command { by: Term::new(by), ..stand.command_body(nonce, Operation::Act { action: Action::Open }) };
        stand.refuses_command(session, &forge::signed(&body, &seed(signer)), LockError::UnknownSigner, None);
    }
    stand.goes_on();
}

#[test]
fn a_commands_signature_is_checked_strictly() {
    let mut stand = Stand::active();
    for way in 0.. {
        let (nonce, session) = stand.operate();
        let message = stand.order(nonce, activate(0, 2));
        let Some((spoilt, why)) = bad::signatures(&message).into_iter().nth(way) else { break };
        stand.refuses_command(session, &spoilt, LockError::CommandSignature(why), None);
    }
    stand.goes_on();
}

/// The rules, in the order of the design, each broken below; the last two hold for an activation.
const RULES: [(LockError, Option<RefuseReason>); 7] = [
    (LockError::Wire(WireError::Version { found: 2 }), None),
    (LockError::SessionExpired, None),
    (LockError::WrongLock, None),
    (LockError::WrongNonce, None),
    (LockError::CommandSignature(SignatureError::Mismatch), None),
    (LockError::WrongEpoch, Some(RefuseReason::WrongEpoch)),
    (LockError::StaleNumber, Some(RefuseReason::StaleNumber)),
];

//= spec/protocol.md#commands
//# CMD-8. A refusal before the signature held MUST be the opaque Refused.
//= spec/protocol.md#commands
//# CMD-14. The lock MUST make these checks in this order; the first that fails decides the error.
#[test]
fn of_two_broken_rules_the_earlier_one_is_reported_and_decides_what_is_told() {
    for (at, (first, told)) in RULES.into_iter().enumerate() {
        for (second, _) in RULES.into_iter().skip(at) {
            let mut stand = Stand::active();
            let is = |rule: LockError| first == rule || second == rule;
            let (nonce, session) = stand.operate();
            let generation = if is(LockError::StaleNumber) { 1 } else { 2 };
            let mut command = stand.command_body(nonce, activate(0, generation));
            if is(LockError::WrongLock) {
                command.lock = LockId::new(public(&seed(OTHER)));
            }
            if is(LockError::WrongEpoch) {
                command.epoch = Epoch::new(2);
            }
            if is(LockError::WrongNonce) {
                command.lock_nonce = Nonce::from_bytes([0; 16]);
            }
            let mut frame = forge::frame(&command);
            if is(LockError::Wire(WireError::Version { found: 2 })) {
                frame[2] = 2;
            }
            if is(LockError::SessionExpired) {
                stand.ticks += 10_001;
            }
            let forged = is(LockError::CommandSignature(SignatureError::Mismatch));
            let message = forge::sign(frame, &seed(if forged { OTHER } else { OWNER }));
            stand.refuses_command(session, &message, first, told);
            stand.goes_on();
        }
    }
}

//= spec/protocol.md#commands
//# CMD-9. A refusal after the signature held MUST be a signed Refused with the reason.
//= spec/protocol.md#operations
//# OPR-1. Activate and Deactivate MUST be refused unless their generation is above the slot's floor.
#[test]
fn a_number_that_is_not_above_the_floor_is_refused_with_the_reason() {
    let (mut stand, key) = Stand::installed();
    let stale = Some(RefuseReason::StaleNumber);
    for number in [0, 1, 2] {
        refuses(&mut stand, activate(0, number), |_| {}, LockError::StaleNumber, stale);
        refuses(&mut stand, deactivate(0, number), |_| {}, LockError::StaleNumber, stale);
    }
    for operation in [activate(1, 0), deactivate(1, 0)] {
        refuses(&mut stand, operation, |_| {}, LockError::StaleNumber, stale);
    }
    let _ = stand.open(&key).unwrap();
    for (operation, floor, holding) in [
        (deactivate(0, 3), 3, Holding::Inactive),
        (activate(0, 4), 4, Holding::Empty),
        (activate(0, 5), 5, Holding::Empty),
        (deactivate(0, u32::MAX), u32::MAX, Holding::Inactive),
    ] {
        let _ = stand.command(operation).unwrap();
        let report = stand.report(0).unwrap();
        assert_eq!((report.floor.value(), report.holding), (floor, holding));
        if floor < u32::MAX {
            refuses(&mut stand, operation, |_| {}, LockError::StaleNumber, stale);
        }
    }
}

//= spec/protocol.md#operations
//# OPR-14. Activate and Deactivate at a floor of 2^32 − 1 MUST be refused with Exhausted.
//= spec/protocol.md#operations
//# OPR-16. Within an operation the lock MUST make the checks in the order of this table; the first that fails decides the error.
#[test]
fn at_the_end_of_the_number_line_no_number_is_left_until_a_transfer() {
    let mut stand = Stand::active();
    stand.deactivate(0, u32::MAX);
    for operation in [activate(0, 1), activate(0, u32::MAX), deactivate(0, u32::MAX)] {
        refuses(&mut stand, operation, |_| {}, LockError::Exhausted, Some(RefuseReason::Exhausted));
    }
    let (owner, service) = (public(&seed(OWNER)), public(&seed(SERVICE)));
    let _ = stand.command(Operation::Transfer { owner, service }).unwrap();
    stand.activate(0, 1);
}

#[test]
fn a_slot_that_the_lock_does_not_have_is_refused_with_the_reason() {
    let mut stand = Stand::active();
    for slot in [u8::try_from(SLOTS).unwrap(), u8::MAX] {
        for operation in [activate(slot, 1), deactivate(slot, 1), inspect(slot)] {
            let told = Some(RefuseReason::NoSuchSlot);
            refuses(&mut stand, operation, |_| {}, LockError::NoSuchSlot, told);
        }
    }
    let last = u8::try_from(SLOTS).unwrap() - 1;
    let _ = stand.command(activate(last, 1)).unwrap();
}

//= spec/protocol.md#strict-keys
//# KEY-7. A lock MUST make the checks KEY-1 and KEY-2 on every public key that it is to store, before anything is staged.
#[test]
fn a_transfer_to_a_key_that_is_not_a_good_key_is_refused_with_the_reason() {
    let mut stand = Stand::active();
    let good = public(&seed(21));
    let told = Some(RefuseReason::BadKey);
    for (bad, why) in bad::keys() {
        let to_owner = Operation::Transfer { owner: bad, service: good };
        refuses(&mut stand, to_owner, |_| {}, LockError::OwnerKey(why), told);
        let to_service = Operation::Transfer { owner: good, service: bad };
        refuses(&mut stand, to_service, |_| {}, LockError::ServiceKey(why), told);
        let to_both = Operation::Transfer { owner: bad, service: bad };
        refuses(&mut stand, to_both, |_| {}, LockError::OwnerKey(why), told);
    }
    assert!(bad::keys().iter().any(|(_, why)| *why == KeyError::NotCanonical));
    stand.goes_on();
}

//= spec/protocol.md#operations
//# OPR-6. Transfer MUST be refused when the epoch has no further number.
#[test]
fn a_transfer_in_the_last_epoch_is_refused_with_the_reason() {
    let mut stand = Stand::provisioned();
    let header = |epoch: u32| {
        let (owner, service) = (public(&seed(OWNER)), public(&seed(SERVICE)));
        [&[3, 2], &epoch.to_le_bytes()[..], owner.as_bytes(), service.as_bytes()].concat()
    };
    let transfer = operations()[2];
    for (epoch, accepted) in [(u32::MAX - 1, true), (u32::MAX, false)] {
        let record = stand.record(Cell::Header, &header(epoch));
        stand.store.set(Cell::Header, record);
        stand.reboot();
        if accepted {
            let _ = stand.command(transfer).unwrap();
        } else {
            refuses(&mut stand, transfer, |_| {}, LockError::Exhausted, Some(RefuseReason::Exhausted));
        }
    }
}

//= spec/protocol.md#operations
//# OPR-9. SetClock MUST be refused by a lock whose clock is Absent.
#[test]
fn a_lock_without_a_clock_refuses_to_set_it_with_the_reason() {
    let mut stand = Stand::active();
    stand.clock = Clock::Absent;
    let set_clock = operations()[3];
    refuses(&mut stand, set_clock, |_| {}, LockError::NoClock, Some(RefuseReason::NoClock));
    stand.clock = Clock::Unset;
    let _ = stand.command(set_clock).unwrap();
}

//= spec/protocol.md#operations
//# OPR-10. Act MUST NOT depend on any slot.
#[test]
fn a_slot_whose_write_failed_is_busy_and_so_is_a_transfer() {
    let mut stand = Stand::active();
    stand.activate(1, 1);
    let (nonce, session) = stand.operate();
    let message = stand.order(nonce, deactivate(0, 2));
    let now = stand.now();
    stand.lock.command(session, &message, now).unwrap().commit(fails).unwrap_err();

    for operation in [activate(0, 2), deactivate(0, 2), inspect(0), operations()[2]] {
        refuses(&mut stand, operation, |_| {}, LockError::Busy, Some(RefuseReason::Busy));
    }
    let _ = stand.command(inspect(1)).unwrap();
    let _ = stand.command(deactivate(1, 2)).unwrap();
    let _ = stand.command(Operation::Act { action: Action::Lock }).unwrap();
    stand.reload(Cell::Slot(SlotId::new(0))).unwrap();
    let _ = stand.command(operations()[2]).unwrap();
}
