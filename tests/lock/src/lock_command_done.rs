//! Commands that are carried out: the exact `Done`, the one record, and what is left, above all after
//! a transfer.

use sharekey::counter::{Epoch, Generation};
use sharekey::error::{LockError, RefuseReason, SignatureError};
use sharekey::id::SlotId;
use sharekey::limits::{Action, Limits, Timestamp};
use sharekey::lock::{Cell, Clock};
use sharekey::message::{Completed, Done, Holding, LockTime, Operation, SlotReport};
use sharekey::wire::Unverified;
use sharekey_stage::cells::set_in;
use sharekey_stage::stand::{BATTERY, DEVICE, NOON, OWNER, SERVICE, SLOTS, Stand, slot_count};
use sharekey_stage::{digest, forge, public, seed};

const NEW_OWNER: u8 = 21;
const NEW_SERVICE: u8 = 22;
const SLOT: SlotId = SlotId::new(0);

/// The owner's command is carried out: exactly this `Done` comes, and only `written` is written.
#[track_caller]
fn carries_out(stand: &mut Stand, operation: Operation, epoch: u32, completed: Completed, written: Option<Cell>) {
    let (nonce, session) = stand.operate();
    let message = stand.order(nonce, operation);
    let mut store = stand.store.clone();
    let commanded = stand.send_command(session, &message).unwrap();
    let (command, lock, epoch, battery) = (digest(&message), stand.id(), Epoch::new(epoch), BATTERY);
    //= spec/protocol.md#commands
    //# CMD-13. A Done MUST carry the lock's time, or 0 where the lock cannot tell it; that of a SetClock the time that it sets, and that of a Transfer 0.
    let is_set = set_in(&stand.store) == epoch.value();
    let time = match (operation, stand.clock) {
        (Operation::SetClock { to }, _) => LockTime::at(to),
        (Operation::Transfer { .. }, _) | (_, Clock::Absent | Clock::Unset) => LockTime::UNKNOWN,
        (_, Clock::At(time)) if is_set => LockTime::at(time),
        (_, Clock::At(_)) => LockTime::UNKNOWN,
    };
    let done = Done { command, lock, epoch, time, battery, completed };
    assert_eq!(commanded.done.as_bytes(), forge::signed(&done, &stand.lock_key()));
    assert_eq!(commanded.operation, operation);
    if let Some(cell) = written {
        assert_ne!(stand.store.get(cell), store.get(cell));
        store.set(cell, stand.store.get(cell).unwrap().to_vec());
        store.writes += 1;
    }
    assert_eq!(stand.store, store);
}

fn left(floor: u32, holding: Holding) -> SlotReport {
    SlotReport { floor: Generation::new(floor), holding }
}

fn transfer() -> Operation {
    Operation::Transfer { owner: public(&seed(NEW_OWNER)), service: public(&seed(NEW_SERVICE)) }
}

fn holds(haystack: &[u8], needle: &[u8]) -> bool {
    haystack.windows(needle.len()).any(|window| window == needle)
}

//= spec/protocol.md#operations
//# OPR-2. Activate MUST make its generation the floor and leave the slot Empty.
#[test]
fn activate_takes_the_number_leaves_the_slot_empty_and_says_so() {
    let mut stand = Stand::provisioned();
    let generation = Generation::new(5);
    let left = left(5, Holding::Empty);
    let completed = Completed::Activate { slot: SLOT, generation, left };
    carries_out(&mut stand, Operation::Activate { slot: SLOT, generation }, 1, completed, Some(Cell::Slot(SLOT)));
    assert_eq!(stand.report(0), Ok(left));
    stand.reboot();
    assert_eq!(stand.report(0), Ok(left));
}

//= spec/protocol.md#operations
//# OPR-3. Deactivate MUST make its generation the floor and leave the slot Inactive.
#[test]
fn deactivate_takes_the_number_closes_the_slot_and_says_so() {
    let (mut stand, _) = Stand::installed();
    let generation = Generation::new(9);
    let left = left(9, Holding::Inactive);
    let completed = Completed::Deactivate { slot: SLOT, generation, left };
    carries_out(&mut stand, Operation::Deactivate { slot: SLOT, generation }, 1, completed, Some(Cell::Slot(SLOT)));
    assert_eq!(stand.report(0), Ok(left));
    stand.reboot();
    assert_eq!(stand.report(0), Ok(left));
}

//= spec/protocol.md#operations
//# OPR-4. Activate and Deactivate MUST wipe the key that was installed.
#[test]
fn activate_and_deactivate_wipe_the_installed_key_from_the_store() {
    let generation = Generation::new(3);
    for operation in [Operation::Activate { slot: SLOT, generation }, Operation::Deactivate { slot: SLOT, generation }]
    {
        let (mut stand, key) = Stand::installed();
        assert!(holds(stand.store.get(Cell::Slot(SLOT)).unwrap(), &key.pairing));
        let _ = stand.command(operation).unwrap();
        assert!(!holds(stand.store.get(Cell::Slot(SLOT)).unwrap(), &key.pairing));
        assert_eq!(stand.open(&key).unwrap_err().error(), LockError::NotInstalled);
    }
}

#[test]
fn activate_and_deactivate_leave_the_other_slots_alone() {
    let (mut stand, key) = Stand::installed();
    stand.activate(1, 1);
    let other = stand.download(1, 2, |_| {}).unwrap();
    stand.deactivate(1, 3);
    let _ = stand.open(&key).unwrap();
    assert_eq!(stand.open(&other).unwrap_err().error(), LockError::NotInstalled);
    assert_eq!(stand.report(2), Ok(left(0, Holding::Inactive)));
}

//= spec/protocol.md#operations
//# OPR-10. Act MUST NOT depend on any slot.
#[test]
fn act_moves_the_bolt_and_writes_nothing() {
    let mut stand = Stand::provisioned();
    carries_out(&mut stand, Operation::Act { action: Action::Lock }, 1, Completed::Act { action: Action::Lock }, None);
    let _ = stand.set_clock(NOON).unwrap();
    for action in [Action::Open, Action::Lock] {
        carries_out(&mut stand, Operation::Act { action }, 1, Completed::Act { action }, None);
    }
}

//= spec/protocol.md#operations
//# OPR-11. Inspect MUST report the slot's floor and what it holds in this epoch.
#[test]
fn inspect_reports_what_the_slot_holds_and_writes_nothing() {
    let mut stand = Stand::provisioned();
    let inspects = |stand: &mut Stand, left| {
        let completed = Completed::Inspect { slot: SLOT, slots: slot_count(), left };
        carries_out(stand, Operation::Inspect { slot: SLOT }, 1, completed, None);
    };
    inspects(&mut stand, left(0, Holding::Inactive));
    stand.activate(0, 1);
    inspects(&mut stand, left(1, Holding::Empty));
    let (nonce, session) = stand.for_install();
    let chain = stand.chain(nonce, 0, 4);
    let _ = stand.send_bundle(session, &chain.bundle()).unwrap();
    let grant = digest(&chain.parts().grant);
    inspects(&mut stand, left(4, Holding::Installed { grant, device: public(&seed(DEVICE)) }));
    stand.deactivate(0, 5);
    inspects(&mut stand, left(5, Holding::Inactive));
}

//= spec/protocol.md#commands
//# CMD-13. A Done MUST carry the lock's time, or 0 where the lock cannot tell it; that of a SetClock the time that it sets, and that of a Transfer 0.
#[test]
fn a_done_tells_no_time_where_the_lock_cannot_and_none_that_it_does_not_believe() {
    let mut stand = Stand::provisioned();
    let action = Action::Open;
    for clock in [Clock::Unset, Clock::Absent] {
        stand.clock = clock;
        carries_out(&mut stand, Operation::Act { action }, 1, Completed::Act { action }, None);
    }
    stand.clock_reads(NOON);
    let to = Timestamp::from_unix_seconds(NOON + 500);
    let _ = stand.command(Operation::SetClock { to }).unwrap();
    let done = stand.command(Operation::Act { action }).unwrap().done;
    let body = *Unverified::<Done>::parse(&done).unwrap().claims();
    assert_eq!((body.time.known(), body.battery.percent()), (None, Some(62)), "the clock reads less than it did");
}

#[test]
fn set_clock_records_the_time_from_which_on_the_clock_is_believed() {
    let (mut stand, key) = Stand::installed_with(
        sharekey::limits::Rights::OPEN,
        Limits::new(Some(Timestamp::from_unix_seconds(1)), None, None, None).unwrap(),
    );
    for (to, believed) in [(NOON + 500, [false, false, true]), (NOON - 500, [true; 3]), (NOON, [false, true, true])] {
        let to = Timestamp::from_unix_seconds(to);
        carries_out(&mut stand, Operation::SetClock { to }, 1, Completed::SetClock { to }, Some(Cell::Counter));
        for (time, believed) in [NOON - 500, NOON, NOON + 500].into_iter().zip(believed) {
            stand.clock = Clock::At(Timestamp::from_unix_seconds(time));
            let outcome = stand.open(&key).map(|_| ()).map_err(|refusal| refusal.error());
            assert_eq!(outcome, if believed { Ok(()) } else { Err(LockError::ClockUnset) });
        }
    }
}

//= spec/protocol.md#operations
//# OPR-5. Transfer MUST begin a new epoch, and replace the owner's and the service's key, in one write.
//= spec/protocol.md#operations
//# OPR-7. The Done of a Transfer MUST carry the new epoch and both new keys, under the lock key.
#[test]
fn a_transfer_begins_the_next_epoch_in_one_write_and_echoes_both_keys() {
    let (mut stand, _) = Stand::installed();
    let (owner, service) = (public(&seed(NEW_OWNER)), public(&seed(NEW_SERVICE)));
    carries_out(
        &mut stand,
        transfer(),
        2,
        Completed::Transfer { owner, service, slots: slot_count() },
        Some(Cell::Header),
    );
    assert_eq!(stand.owner(), Ok((Epoch::new(2), owner)));
    stand.reboot();
    assert_eq!(stand.owner(), Ok((Epoch::new(2), owner)));
}

//= spec/protocol.md#operations
//# OPR-11. Inspect MUST report the slot's floor and what it holds in this epoch.
#[test]
fn after_a_transfer_every_slot_is_inactive_at_floor_0() {
    let (mut stand, _) = Stand::installed();
    stand.activate(1, 7);
    stand.deactivate(2, 8);
    let _ = stand.command(transfer()).unwrap();
    for _ in 0..2 {
        for slot in 0..u8::try_from(SLOTS).unwrap() {
            assert_eq!(stand.report(slot), Ok(left(0, Holding::Inactive)));
        }
        stand.reboot();
    }
}

#[test]
fn after_a_transfer_the_old_owners_commands_are_refused() {
    let mut stand = Stand::active();
    let _ = stand.command(transfer()).unwrap();
    let (nonce, session) = stand.operate();
    let operation = Operation::Act { action: Action::Open };
    let message = stand.order(nonce, operation);
    let mismatch = SignatureError::Mismatch;
    stand.refuses_command(session, &message, LockError::CommandSignature(mismatch), None);
    for (owner, error, told) in [
        (OWNER, LockError::CommandSignature(mismatch), None),
        (NEW_OWNER, LockError::WrongEpoch, Some(RefuseReason::WrongEpoch)),
    ] {
        let (nonce, session) = stand.operate();
        let mut command = stand.command_body(nonce, operation);
        command.epoch = Epoch::FIRST;
        stand.refuses_command(session, &forge::signed(&command, &seed(owner)), error, told);
    }
    let _ = stand.command_by(NEW_OWNER, operation).unwrap();
}

/// After a transfer, with slot 0 active again.
fn transferred(stand: &mut Stand) {
    let _ = stand.command(transfer()).unwrap();
    let operation = Operation::Activate { slot: SLOT, generation: Generation::new(1) };
    let _ = stand.command_by(NEW_OWNER, operation).unwrap();
}

#[test]
fn after_a_transfer_the_old_owners_grants_and_the_old_services_releases_are_refused() {
    let mut stand = Stand::active();
    transferred(&mut stand);
    let mismatch = SignatureError::Mismatch;
    let cases = [
        (2, OWNER, NEW_SERVICE, Some((LockError::GrantSignature(mismatch), None))),
        (1, OWNER, NEW_SERVICE, Some((LockError::GrantSignature(mismatch), None))),
        (1, NEW_OWNER, SERVICE, Some((LockError::ReleaseSignature(mismatch), None))),
        (1, NEW_OWNER, NEW_SERVICE, Some((LockError::WrongEpoch, Some(RefuseReason::WrongEpoch)))),
        (2, NEW_OWNER, SERVICE, Some((LockError::ReleaseSignature(mismatch), None))),
        (2, NEW_OWNER, NEW_SERVICE, None),
    ];
    for (epoch, owner, service, refused) in cases {
        let (nonce, session) = stand.for_install();
        let mut chain = stand.chain(nonce, 0, 2);
        chain.grant.epoch = Epoch::new(epoch);
        (chain.owner, chain.service) = (seed(owner), seed(service));
        match refused {
            Some((error, told)) => stand.refuses_bundle(session, &chain.bundle(), error, told),
            None => drop(stand.send_bundle(session, &chain.bundle()).unwrap()),
        }
    }
}

//= spec/protocol.md#unlock
//# UNL-3. The slot MUST exist, undamaged, with a key installed in this epoch.
#[test]
fn after_a_transfer_the_old_guests_key_opens_nothing() {
    let (mut stand, key) = Stand::installed();
    let _ = stand.command(transfer()).unwrap();
    assert_eq!(stand.open(&key).unwrap_err().error(), LockError::NotInstalled);
    let operation = Operation::Activate { slot: SLOT, generation: Generation::new(1) };
    let _ = stand.command_by(NEW_OWNER, operation).unwrap();
    assert_eq!(stand.open(&key).unwrap_err().error(), LockError::NotInstalled);
    assert!(!holds(stand.store.get(Cell::Slot(SLOT)).unwrap(), &key.pairing));
}

#[test]
fn after_a_transfer_numbers_start_again_at_1() {
    let mut stand = Stand::provisioned();
    stand.activate(0, 1_000);
    transferred(&mut stand);
    assert_eq!(stand.report(0), Ok(left(1, Holding::Empty)));
    let change = |chain: &mut sharekey_stage::stand::Chain| {
        (chain.owner, chain.service) = (seed(NEW_OWNER), seed(NEW_SERVICE));
    };
    let key = stand.download(0, 2, change).unwrap();
    let _ = stand.open(&key).unwrap();
}

#[test]
fn a_transfer_ends_the_sessions_of_the_old_epoch() {
    let mut stand = Stand::active();
    let (nonce, session) = stand.for_install();
    transferred(&mut stand);
    let mut chain = stand.chain(nonce, 0, 2);
    (chain.owner, chain.service) = (seed(NEW_OWNER), seed(NEW_SERVICE));
    stand.refuses_bundle(session, &chain.bundle(), LockError::SessionSuperseded, None);
}

#[test]
fn an_owner_may_transfer_the_lock_to_itself() {
    let (mut stand, key) = Stand::installed();
    let (owner, service) = (public(&seed(OWNER)), public(&seed(SERVICE)));
    let completed = Completed::Transfer { owner, service, slots: slot_count() };
    carries_out(&mut stand, Operation::Transfer { owner, service }, 2, completed, Some(Cell::Header));
    assert_eq!(stand.open(&key).unwrap_err().error(), LockError::NotInstalled);
    stand.activate(0, 1);
    stand.goes_on();
}
