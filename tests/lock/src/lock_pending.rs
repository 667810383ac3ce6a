//! Operations that wait for their record to be written elsewhere.

use sharekey::counter::Generation;
use sharekey::error::LockError;
use sharekey::id::SlotId;
use sharekey::limits::Action;
use sharekey::lock::{Cell, Commanded, Condition, Erased, Found, Pending, Record, Unlocked, purpose};
use sharekey::message::Operation;
use sharekey_stage::cells::{SLOT_0, SLOT_1, SLOT_2, load, transfer};
use sharekey_stage::ops::To;
use sharekey_stage::stand::{Stand, TestLock};

const INSPECT_0: Operation = Operation::Inspect { slot: SlotId::new(0) };

fn activate_0(generation: u32) -> Operation {
    Operation::Activate { slot: SlotId::new(0), generation: Generation::new(generation) }
}

/// A command that is accepted and taken off the lock.
fn detach(stand: &mut Stand, operation: Operation) -> (Option<Record>, Pending<Commanded>) {
    let (nonce, session) = stand.operate();
    let message = stand.order(nonce, operation);
    stand.detached(To::Command, session, &message)
}

fn floor(stand: &Stand, slot: u8) -> u32 {
    stand.report(slot).unwrap().floor.value()
}

//= spec/protocol.md#persist-then-act
//# STG-8. A report of a write that its cell does not wait for any more, or that was begun before the last boot, MUST be refused.
#[test]
fn a_report_after_a_reload_is_refused_and_changes_nothing() {
    let mut stand = Stand::provisioned();
    let (record, pending) = detach(&mut stand, activate_0(5));
    stand.reload(SLOT_0).unwrap();
    let seen = stand.snapshot();
    assert!(matches!(stand.lock.written(pending), Err(LockError::NotPending)));
    assert_eq!(stand.snapshot(), seen);
    assert_eq!(record.unwrap().cell(), SLOT_0);
    assert_eq!(floor(&stand, 0), 0);
}

//= spec/protocol.md#persist-then-act
//# STG-8. A report of a write that its cell does not wait for any more, or that was begun before the last boot, MUST be refused.
#[test]
fn a_report_of_an_overtaken_write_does_not_end_the_wait_for_a_newer_one() {
    let mut stand = Stand::provisioned();
    let (_, overtaken) = detach(&mut stand, activate_0(5));
    stand.reload(SLOT_0).unwrap();
    let (_, newer) = detach(&mut stand, activate_0(6));
    assert!(matches!(stand.lock.written(overtaken), Err(LockError::NotPending)));
    assert_eq!(stand.report(0), Err(LockError::Busy));
    let _ = stand.lock.written(newer).unwrap();
    assert_eq!(floor(&stand, 0), 6);
}

#[test]
fn a_report_to_another_lock_is_refused() {
    let mut stands = [Stand::made_with(7), Stand::made_with(8)];
    assert_ne!(stands[0].id(), stands[1].id());
    let pending = stands.each_mut().map(|stand| {
        stand.take_ownership();
        detach(stand, activate_0(5)).1
    });
    let [one, other] = pending;
    assert!(matches!(stands[1].lock.written(one), Err(LockError::NotPending)));
    assert_eq!(stands[1].report(0), Err(LockError::Busy));
    let _ = stands[1].lock.written(other).unwrap();
    assert_eq!(floor(&stands[1], 0), 5);
}

#[test]
fn a_report_to_another_run_of_the_same_lock_is_refused() {
    let mut stand = Stand::provisioned();
    stand.reboot();
    let (_, earlier) = detach(&mut stand, activate_0(5));
    stand.reboot();
    let (_, later) = detach(&mut stand, activate_0(6));
    assert!(matches!(stand.lock.written(earlier), Err(LockError::NotPending)));
    assert_eq!(stand.report(0), Err(LockError::Busy));
    let _ = stand.lock.written(later).unwrap();
    assert_eq!(floor(&stand, 0), 6);
}

#[test]
fn a_report_to_another_run_is_refused_also_where_no_ceiling_was_stored_in_between() {
    let mut stand = Stand::provisioned();
    let first_challenge = |stand: &mut Stand| {
        stand.reboot();
        let now = stand.now();
        stand.lock.challenge::<purpose::Operate>(now, &mut stand.rng).unwrap().detach()
    };
    let (_, earlier) = first_challenge(&mut stand);
    let (record, later) = first_challenge(&mut stand);
    assert!(matches!(stand.lock.written(earlier), Err(LockError::NotPending)));
    assert_eq!(stand.owner(), Err(LockError::Busy));
    stand.store.put(&record.unwrap()).unwrap();
    stand.lock.written(later).unwrap();
}

/// A lock of which a cell cannot be read, and a factory reset that waits for its write.
fn rescue(stand: &mut Stand, unreadable: Cell) -> Pending<Erased> {
    stand.boot_with(unreadable, None);
    let (nonce, session) = stand.operate();
    let message = stand.reset_message(nonce);
    stand.detached(To::Reset, session, &message).1
}

#[test]
fn a_report_of_a_rescue_to_another_run_is_refused() {
    let mut stand = Stand::active();
    let (earlier, later) = (rescue(&mut stand, Cell::Header), rescue(&mut stand, Cell::Header));
    assert!(matches!(stand.lock.written(earlier), Err(LockError::NotPending)));
    assert_eq!(stand.owner(), Err(LockError::Busy));
    stand.lock.written(later).unwrap();
    assert_eq!(stand.owner(), Err(LockError::Resetting));
}

/// Found by the refinement, once in more than ten thousand histories.
#[test]
fn a_counter_that_can_be_read_after_all_does_not_refuse_the_report_of_a_rescue() {
    let mut stand = Stand::active();
    let pending = rescue(&mut stand, Cell::Counter);
    stand.reload(Cell::Counter).unwrap();
    stand.lock.written(pending).unwrap();
    assert_eq!(stand.owner(), Err(LockError::Resetting));
}

#[test]
fn a_report_to_a_lock_that_only_just_booted_is_refused() {
    let mut stand = Stand::provisioned();
    let (_, pending) = detach(&mut stand, activate_0(5));
    let mut booted: TestLock = load(&stand.store);
    assert!(matches!(booted.written(pending), Err(LockError::NotPending)));
    assert_eq!(booted.ownership(), Err(LockError::Busy));
}

//= spec/protocol.md#persist-then-act
//# STG-14. A lock whose seed cell, read again, does not hold its own seed with `initialised` true MUST refuse everything until it was booted.
#[test]
fn a_report_after_the_factory_reset_is_refused() {
    let mut stand = Stand::provisioned();
    let (nonce, session) = stand.operate();
    let message = stand.reset_message(nonce);
    let (record, pending) = stand.detached::<Erased>(To::Reset, session, &message);
    assert_eq!(stand.owner(), Err(LockError::Busy));
    stand.store.put(&record.unwrap()).unwrap();
    // The reload finds that the new seed arrived: this lock is no more.
    stand.reload(Cell::Seed).unwrap();
    assert_eq!(stand.owner(), Err(LockError::Resetting));
    assert!(matches!(stand.lock.written(pending), Err(LockError::NotPending)));
    assert_eq!(stand.reload(Cell::Seed), Err(LockError::Resetting));
    assert_eq!(stand.challenge::<purpose::Operate>().unwrap_err(), LockError::Resetting);
}

//= spec/protocol.md#persist-then-act
//# STG-5. An accepted operation whose result is not taken yet MUST hold its cell, whether it writes a record or not.
#[test]
fn a_deactivation_cannot_slip_between_an_unlock_and_its_bolt() {
    let (mut stand, key) = Stand::installed();
    let (nonce, session) = stand.operate();
    let (record, unlock) = stand.detached::<Unlocked>(To::Unlock, session, &key.message(Action::Open, nonce));
    assert!(record.is_none());
    let deactivate = Operation::Deactivate { slot: SlotId::new(0), generation: Generation::new(3) };
    assert_eq!(stand.command(deactivate).unwrap_err().error(), LockError::Busy);
    assert_eq!(stand.lock.written(unlock).unwrap().action, Action::Open);
    let _ = stand.command(deactivate).unwrap();
    assert_eq!(stand.open(&key).unwrap_err().error(), LockError::NotInstalled);
}

//= spec/protocol.md#persist-then-act
//# STG-6. A Provision that writes, and a Transfer, MUST be refused while any cell is held or busy.
#[test]
fn a_transfer_cannot_slip_between_an_unlock_and_its_bolt() {
    let (mut stand, key) = Stand::installed();
    let (nonce, session) = stand.operate();
    let (_, unlock) = stand.detached::<Unlocked>(To::Unlock, session, &key.message(Action::Open, nonce));
    assert_eq!(stand.command(transfer()).unwrap_err().error(), LockError::Busy);
    let _ = stand.lock.written(unlock).unwrap();
    let _ = stand.command(transfer()).unwrap();
}

//= spec/protocol.md#persist-then-act
//# STG-10. An Act MUST hold the header's cell until its result is taken.
#[test]
fn the_owner_opening_holds_the_header_so_that_everything_waits() {
    let mut stand = Stand::active();
    let (nonce, session) = stand.for_install();
    let bundle = stand.chain(nonce, 0, 2).bundle();
    let (_, act) = detach(&mut stand, Operation::Act { action: Action::Open });
    assert_eq!(stand.challenge::<purpose::Operate>().unwrap_err(), LockError::Busy);
    assert_eq!(stand.owner(), Err(LockError::Busy));
    assert_eq!(stand.report(0), Err(LockError::Busy));
    //= spec/protocol.md#install
    //# INS-20. The header's and the counter's cells MUST be free and sound.
    assert_eq!(stand.send_bundle(session, &bundle).unwrap_err().error(), LockError::Busy);
    let commanded = stand.lock.written(act).unwrap();
    assert_eq!(commanded.operation, Operation::Act { action: Action::Open });
    stand.download(0, 2, |_| ()).unwrap();
}

#[test]
fn slots_wait_for_their_own_writes_only() {
    let mut stand = Stand::active();
    stand.activate(1, 1);
    let (_, first) = detach(&mut stand, INSPECT_0);
    let (_, second) = detach(&mut stand, Operation::Inspect { slot: SlotId::new(1) });
    stand.activate(2, 1);
    let _ = stand.lock.written(first).unwrap();
    assert_eq!((floor(&stand, 0), stand.report(1)), (1, Err(LockError::Busy)));
    let _ = stand.lock.written(second).unwrap();
    assert_eq!(floor(&stand, 1), 1);
}

/// A lock that booted and did not read its last slot yet.
fn with_slot_2_unread(mut stand: Stand) -> Stand {
    stand.boot_without(&[SLOT_2]);
    stand
}

//= spec/protocol.md#persist-then-act
//# STG-6. A Provision that writes, and a Transfer, MUST be refused while any cell is held or busy.
#[test]
fn provisioning_waits_until_every_cell_is_read() {
    let mut stand = with_slot_2_unread(Stand::fresh());
    let (nonce, session) = stand.operate();
    let message = stand.provision_message(nonce);
    assert_eq!(stand.provision(session, &message).unwrap_err().error(), LockError::Busy);
    assert_eq!(stand.owner(), Err(LockError::NotProvisioned));
    stand.reload(SLOT_2).unwrap();
    stand.take_ownership();
}

//= spec/protocol.md#persist-then-act
//# STG-6. A Provision that writes, and a Transfer, MUST be refused while any cell is held or busy.
#[test]
fn transfer_and_factory_reset_wait_until_every_cell_is_read() {
    let mut stand = with_slot_2_unread(Stand::active());
    assert_eq!(stand.command(transfer()).unwrap_err().error(), LockError::Busy);
    let (nonce, session) = stand.operate();
    let message = stand.reset_message(nonce);
    assert_eq!(stand.factory_reset(session, &message).unwrap_err().error(), LockError::Busy);
    assert_eq!((floor(&stand, 0), floor(&stand, 1)), (1, 0));
    stand.reload(SLOT_2).unwrap();
    stand.transfer_to_oneself();
    let (nonce, session) = stand.operate();
    let message = stand.reset_message(nonce);
    stand.factory_reset(session, &message).unwrap();
}

#[test]
fn a_lock_that_booted_is_busy_until_header_and_counter_are_read() {
    let mut stand = Stand::active();
    for unread in [Cell::Header, Cell::Counter] {
        stand.boot_without(&[unread]);
        assert_eq!(stand.challenge::<purpose::Operate>().unwrap_err(), LockError::Busy, "{unread:?}");
        assert_eq!(stand.owner(), Err(LockError::Busy), "{unread:?}");
        assert_eq!(stand.report(0), Err(LockError::Busy), "{unread:?}");
        stand.reload(unread).unwrap();
        assert_eq!(floor(&stand, 0), 1, "{unread:?}");
    }
}

#[test]
fn a_slot_that_was_not_read_is_busy_and_its_neighbours_work() {
    let mut stand = with_slot_2_unread(Stand::active());
    assert_eq!(stand.report(2), Err(LockError::Busy));
    let inspect = Operation::Inspect { slot: SlotId::new(2) };
    assert_eq!(stand.command(inspect).unwrap_err().error(), LockError::Busy);
    stand.activate(1, 1);
    assert_eq!(stand.reload(SLOT_1), Err(LockError::NotBusy));
}

#[test]
fn a_counter_that_was_not_read_is_busy_even_under_a_damaged_header() {
    let mut stand = Stand::provisioned();
    stand.boot_without(&[Cell::Header, Cell::Counter]);
    stand.lock.reload(Cell::Header, Found::Nothing).unwrap();
    assert_eq!(stand.challenge::<purpose::Operate>().unwrap_err(), LockError::Busy);
    stand.reload(Cell::Counter).unwrap();
    let _rescue = stand.operate();
    assert_eq!(stand.owner(), Err(LockError::Damaged));
}

#[test]
fn an_operation_without_a_record_can_be_given_up_and_frees_its_cell() {
    let (mut stand, key) = Stand::installed();
    let seen = stand.snapshot();
    let (nonce, session) = stand.operate();
    let message = key.message(Action::Open, nonce);
    let (_, unlock) = stand.detached::<Unlocked>(To::Unlock, session, &message);
    assert_eq!((unlock.cell(), stand.lock.condition(SLOT_0)), (SLOT_0, Ok(Condition::Pending)));
    stand.lock.abandon(unlock).unwrap();
    assert_eq!((stand.snapshot(), stand.lock.condition(SLOT_0)), (seen, Ok(Condition::Ready)));
    let _ = stand.open(&key).unwrap();
}

#[test]
fn a_challenge_that_is_given_up_opens_no_session() {
    let (mut stand, key) = Stand::installed();
    let (nonce, session) = stand.operate();
    let (_, newer) = stand.lock.challenge::<purpose::Operate>(stand.now(), &mut stand.rng).unwrap().detach();
    stand.lock.abandon(newer).unwrap();
    let _ = stand.send_unlock(session, &key.message(Action::Open, nonce)).unwrap();
}

#[test]
fn an_operation_with_a_record_cannot_be_given_up_for_it_may_be_written() {
    let mut stand = Stand::provisioned();
    let (_, pending) = detach(&mut stand, activate_0(5));
    assert_eq!(stand.lock.abandon(pending), Err(LockError::Busy));
    assert_eq!(stand.lock.condition(SLOT_0), Ok(Condition::Pending));
    stand.reload(SLOT_0).unwrap();
    assert_eq!(floor(&stand, 0), 0);
}

#[test]
fn what_is_given_up_must_still_hold_its_cell_in_this_run_of_this_lock() {
    let mut stands = [7, 8].map(Stand::made_with);
    stands.iter_mut().for_each(Stand::take_ownership);
    let [one, other] = &mut stands;
    let (_, theirs) = detach(other, INSPECT_0);
    let (_, overtaken) = detach(one, INSPECT_0);
    one.reload(SLOT_0).unwrap();
    let (_, newer) = detach(one, INSPECT_0);
    assert_eq!(one.lock.abandon(theirs), Err(LockError::NotPending));
    assert_eq!(one.lock.abandon(overtaken), Err(LockError::NotPending));
    assert_eq!(one.lock.condition(SLOT_0), Ok(Condition::Pending));
    one.reboot();
    let (_, later) = detach(one, INSPECT_0);
    assert_eq!(one.lock.abandon(newer), Err(LockError::NotPending));
    let _ = one.lock.written(later).unwrap();
}

#[test]
fn the_condition_of_every_cell_can_be_asked_for() {
    let mut stand = Stand::active();
    let all = [Cell::Header, Cell::Counter, SLOT_0, SLOT_1, SLOT_2];
    for cell in all {
        assert_eq!(load(&stand.store).condition(cell), Ok(Condition::Unread), "{cell:?}");
        stand.boot_with(cell, None);
        for each in all {
            let expected = if each == cell { Condition::Damaged } else { Condition::Ready };
            assert_eq!(stand.lock.condition(each), Ok(expected), "{cell:?} {each:?}");
        }
    }
    stand.reboot();
    assert_eq!(stand.lock.condition(Cell::Seed), Ok(Condition::Ready));
    let (nonce, session) = stand.operate();
    let message = stand.reset_message(nonce);
    let (_, pending) = stand.detached::<Erased>(To::Reset, session, &message);
    assert_eq!(pending.cell(), Cell::Seed);
    assert_eq!(stand.lock.condition(Cell::Seed), Ok(Condition::Pending));
    assert_eq!(stand.lock.condition(Cell::Slot(SlotId::new(3))), Err(LockError::NoSuchSlot));
}
