//! Damaged and outdated records: what still works, and what ends the damage.

use sharekey::counter::Generation;
use sharekey::error::{LoadError, LockError};
use sharekey::id::SlotId;
use sharekey::limits::{Action, Rights};
use sharekey::lock::{COUNTER_LEASE, Cell, Condition, Found, StoredSeed, purpose};
use sharekey::message::{Holding, Operation};
use sharekey_stage::cells::{SLOT_0, SLOT_1, counter, owned, slot, transfer, uses};
use sharekey_stage::provider::Provider;
use sharekey_stage::stand::{Key, NOON, Stand, fails};

const FIRST: SlotId = SlotId::new(0);

/// A lock with a key in slot 0 and one in slot 1, whose record of slot 0 was damaged at boot.
fn with_slot_0_damaged() -> (Stand, Key, Key) {
    let (mut stand, key) = Stand::installed();
    stand.activate(1, 1);
    let other = stand.download(1, 2, |_| ()).unwrap();
    let mut bytes = stand.stored(SLOT_0);
    bytes[40] ^= 1;
    stand.store.set(SLOT_0, bytes);
    stand.reboot();
    (stand, key, other)
}

fn number(generation: u32) -> Generation {
    Generation::new(generation)
}

/// Stages an activation of a slot and lets its write fail: the slot is busy.
fn make_busy(stand: &mut Stand, slot: u8, generation: u32) {
    let operation = Operation::Activate { slot: SlotId::new(slot), generation: number(generation) };
    let (nonce, session) = stand.operate();
    let message = stand.order(nonce, operation);
    stand.lock.command(session, &message, stand.now()).unwrap().commit(fails).unwrap_err();
}

/// Lets a write of the header fail: the header is busy.
fn make_header_busy(stand: &mut Stand) {
    let (nonce, session) = stand.operate();
    let message = stand.order(nonce, transfer());
    stand.lock.command(session, &message, stand.now()).unwrap().commit(fails).unwrap_err();
}

//= spec/protocol.md#damage
//# DMG-1. A damaged slot MUST refuse every operation until the next epoch.
#[test]
fn a_damaged_slot_refuses_everything() {
    let (mut stand, key, _) = with_slot_0_damaged();
    let seen = stand.snapshot();
    assert_eq!(stand.report(0), Err(LockError::SlotDamaged));
    //= spec/protocol.md#unlock
    //# UNL-3. The slot MUST exist, undamaged, with a key installed in this epoch.
    assert_eq!(stand.open(&key).unwrap_err().error(), LockError::SlotDamaged);
    //= spec/protocol.md#install
    //# INS-5. The slot MUST exist, undamaged and active.
    assert_eq!(stand.download(0, 9, |_| ()).unwrap_err().error(), LockError::SlotDamaged);
    //= spec/protocol.md#operations
    //# OPR-12. An operation on a damaged slot MUST be refused.
    for operation in [
        Operation::Activate { slot: FIRST, generation: number(9) },
        Operation::Deactivate { slot: FIRST, generation: number(9) },
        Operation::Inspect { slot: FIRST },
    ] {
        assert_eq!(stand.command(operation).unwrap_err().error(), LockError::SlotDamaged, "{operation:?}");
    }
    assert_eq!(stand.snapshot().1, seen.1);
}

//= spec/protocol.md#damage
//# DMG-2. A damaged slot MUST NOT keep other slots from working.
#[test]
fn beside_a_damaged_slot_everything_else_goes_on() {
    let (mut stand, _, other) = with_slot_0_damaged();
    let _ = stand.open(&other).unwrap();
    stand.download(1, 3, |_| ()).unwrap();
    stand.deactivate(1, 4);
    stand.activate(2, 1);
    let _ = stand.set_clock(NOON).unwrap();
    let _ = stand.command(Operation::Act { action: Action::Open }).unwrap();
    let _ = stand.command(Operation::Inspect { slot: SlotId::new(2) }).unwrap();
}

#[test]
fn a_damaged_slot_is_still_damaged_after_a_boot() {
    let (mut stand, key, _) = with_slot_0_damaged();
    stand.reboot();
    assert_eq!(stand.report(0), Err(LockError::SlotDamaged));
    assert_eq!(stand.open(&key).unwrap_err().error(), LockError::SlotDamaged);
}

//= spec/protocol.md#damage
//# DMG-1. A damaged slot MUST refuse every operation until the next epoch.
#[test]
fn a_transfer_to_oneself_makes_a_damaged_slot_inactive_with_floor_0() {
    let (mut stand, key, _) = with_slot_0_damaged();
    stand.transfer_to_oneself();
    let report = stand.report(0).unwrap();
    assert_eq!((report.floor.value(), report.holding), (0, Holding::Inactive));
    assert_eq!(stand.open(&key).unwrap_err().error(), LockError::NotInstalled);
    assert_eq!(stand.download(0, 9, |_| ()).unwrap_err().error(), LockError::SlotInactive);
    stand.activate(0, 1);
    let key = stand.download(0, 2, |_| ()).unwrap();
    let _ = stand.open(&key).unwrap();
    stand.reboot();
    let _ = stand.open(&key).unwrap();
}

/// Writes what the store lacks, as a door does after each operation; gives the cells.
fn complete(stand: &mut Stand) -> Vec<Cell> {
    let mut cells = Vec::new();
    while let Some(accepted) = stand.lock.complete().unwrap() {
        cells.push(accepted.cell());
        accepted.commit(|record| stand.store.put(record)).unwrap();
    }
    cells
}

/// Against a draft the second transfer closed the slot that was opened after the first.
//= spec/protocol.md#damage
//# DMG-8. A lock that a new epoch finds with damaged slots MUST write a record of that epoch, Inactive with floor 0, for each of them at once.
#[test]
fn one_transfer_mends_two_damaged_slots_for_every_boot() {
    let (mut stand, ..) = with_slot_0_damaged();
    stand.store.remove(SLOT_1);
    stand.reboot();
    assert_eq!(complete(&mut stand), [], "in this epoch they stay damaged");
    stand.transfer_to_oneself();
    assert_eq!(complete(&mut stand), [SLOT_0, SLOT_1]);
    assert_eq!(complete(&mut stand), []);
    stand.activate(0, 1);
    let key = stand.download(0, 2, |_| ()).unwrap();
    stand.reboot();
    assert_eq!(stand.report(1).unwrap().floor, number(0));
    let _ = stand.open(&key).unwrap();
    stand.activate(1, 1);
}

#[test]
fn a_slot_that_was_written_in_the_new_epoch_is_not_written_over() {
    let (mut stand, ..) = with_slot_0_damaged();
    stand.transfer_to_oneself();
    stand.activate(0, 1);
    let before = stand.stored(SLOT_0);
    assert_eq!(complete(&mut stand), []);
    assert_eq!(stand.stored(SLOT_0), before);
    // And neither is one that was found damaged in this epoch, though an earlier one left it so, too.
    let (mut stand, ..) = with_slot_0_damaged();
    stand.transfer_to_oneself();
    make_busy(&mut stand, 0, 7);
    assert_eq!(stand.lock.complete().unwrap_err(), LockError::Busy);
    stand.reload(SLOT_0).unwrap();
    assert_eq!((stand.report(0), complete(&mut stand)), (Err(LockError::SlotDamaged), Vec::new()));
}

#[test]
fn a_boot_before_the_first_write_of_the_new_epoch_finds_the_slot_damaged_again() {
    let (mut stand, ..) = with_slot_0_damaged();
    stand.transfer_to_oneself();
    stand.reboot();
    assert_eq!(stand.report(0), Err(LockError::SlotDamaged));
    stand.transfer_to_oneself();
    stand.activate(0, 1);
}

#[test]
fn a_transfer_that_was_not_written_does_not_end_the_damage() {
    let (mut stand, ..) = with_slot_0_damaged();
    make_header_busy(&mut stand);
    stand.reload(Cell::Header).unwrap();
    assert_eq!(stand.report(0), Err(LockError::SlotDamaged));
    assert_eq!(stand.epoch().unwrap().value(), 1);
}

#[test]
fn provisioning_ends_the_damage_of_a_lock_that_nobody_owned() {
    let mut stand = Stand::fresh();
    stand.boot_with(SLOT_0, None);
    stand.take_ownership();
    assert_eq!(stand.report(0).unwrap().floor.value(), 0);
    stand.activate(0, 1);
}

//= spec/protocol.md#damage
//# DMG-7. A cell that was found damaged MUST NOT be used again in its epoch unless its record is read again, sound and not older than known.
#[test]
fn a_damaged_slot_that_can_be_read_after_all_is_sound_again() {
    let (mut stand, key) = Stand::installed();
    stand.boot_with(SLOT_0, None);
    assert_eq!(stand.open(&key).unwrap_err().error(), LockError::SlotDamaged);
    stand.reload(SLOT_0).unwrap();
    let _ = stand.open(&key).unwrap();
}

//= spec/protocol.md#damage
//# DMG-3. A lock whose header or counter is damaged MUST refuse everything but a factory reset.
#[test]
fn a_damaged_header_or_counter_leaves_nothing_but_the_factory_reset() {
    for cell in [Cell::Header, Cell::Counter] {
        let (mut stand, key) = Stand::installed();
        stand.boot_with(cell, None);
        let seen = stand.store.clone();
        assert_eq!(stand.owner(), Err(LockError::Damaged));
        assert_eq!(stand.report(0), Err(LockError::Damaged));
        // Challenges go on, and write nothing; their sessions are good for nothing else.
        let (nonce, session) = stand.operate();
        let command = stand.order(nonce, Operation::Inspect { slot: FIRST });
        //= spec/protocol.md#commands
        //# CMD-11. The header's and the counter's cells MUST be free and sound.
        assert_eq!(stand.send_command(session, &command).unwrap_err().error(), LockError::Damaged);
        assert_eq!(stand.open(&key).unwrap_err().error(), LockError::Damaged);
        assert_eq!(stand.download(0, 3, |_| ()).unwrap_err().error(), LockError::Damaged);
        let (nonce, session) = stand.operate();
        let provision = stand.provision_message(nonce);
        //= spec/protocol.md#provisioning
        //# PRV-12. The header's and the counter's cells MUST be free and sound.
        assert_eq!(stand.provision(session, &provision).unwrap_err().error(), LockError::Damaged);
        assert_eq!(stand.store, seen, "{cell:?}");
        // The reset.
        let (nonce, session) = stand.operate();
        let reset = stand.reset_message(nonce);
        stand.factory_reset(session, &reset).unwrap();
        assert_eq!(StoredSeed::read(&Provider, stand.store.found(Cell::Seed)).unwrap_err(), LoadError::NotMade);
        assert_eq!(stand.challenge::<purpose::Operate>().unwrap_err(), LockError::Resetting);
        assert_eq!(stand.owner(), Err(LockError::Resetting));
    }
}

#[test]
fn a_session_from_before_the_damage_opens_nothing_either() {
    let (mut stand, key) = Stand::installed();
    let (nonce, session) = stand.operate();
    let pending = stand.lock.challenge::<purpose::Install>(stand.now(), &mut stand.rng).unwrap().detach();
    stand.lock.reload(Cell::Counter, Found::Nothing).unwrap();
    drop(pending);
    let refused = stand.send_unlock(session, &key.message(Action::Open, nonce)).unwrap_err();
    assert_eq!(refused.error(), LockError::Damaged);
}

#[test]
fn a_session_given_while_damaged_opens_nothing_once_the_damage_is_gone() {
    for cell in [Cell::Header, Cell::Counter] {
        let (mut stand, key) = Stand::installed();
        stand.boot_with(cell, None);
        let (nonce, session) = stand.operate();
        stand.reload(cell).unwrap();
        let refused = stand.send_unlock(session, &key.message(Action::Open, nonce)).unwrap_err();
        assert_eq!(refused.error(), LockError::SessionSuperseded);
        let _ = stand.open(&key).unwrap();
    }
}

#[test]
fn the_factory_reset_of_a_damaged_lock_still_needs_the_card_and_the_nonce() {
    let mut stand = Stand::provisioned();
    stand.boot_with(Cell::Header, None);
    let (nonce, session) = stand.operate();
    let mut reset = stand.reset_message(nonce);
    *reset.last_mut().unwrap() ^= 1;
    assert_eq!(stand.factory_reset(session, &reset).unwrap_err().error(), LockError::CardMac);
    let (_, session) = stand.operate();
    let earlier = stand.reset_message(nonce);
    assert_eq!(stand.factory_reset(session, &earlier).unwrap_err().error(), LockError::WrongNonce);
    let (nonce, superseded) = stand.operate();
    let _newer = stand.operate();
    let reset = stand.reset_message(nonce);
    assert_eq!(stand.factory_reset(superseded, &reset).unwrap_err().error(), LockError::SessionSuperseded);
}

//= spec/protocol.md#damage
//# DMG-5. A slot's record of an older epoch MUST be read as Inactive with floor 0.
#[test]
fn a_slot_of_an_older_epoch_reads_as_inactive_with_floor_0() {
    let (mut stand, key) = Stand::installed();
    let stored = stand.stored(SLOT_0);
    stand.transfer_to_oneself();
    for _ in 0..2 {
        assert_eq!(stand.stored(SLOT_0), stored);
        let report = stand.report(0).unwrap();
        assert_eq!((report.floor.value(), report.holding), (0, Holding::Inactive));
        assert_eq!(stand.open(&key).unwrap_err().error(), LockError::NotInstalled);
        assert_eq!(stand.download(0, 9, |_| ()).unwrap_err().error(), LockError::SlotInactive);
        stand.reboot();
    }
    stand.activate(0, 1);
}

//= spec/protocol.md#damage
//# DMG-9. A lock MUST take a slot's record of a later epoch than the header's for damaged.
#[test]
fn a_slot_of_a_newer_epoch_than_the_header_is_damaged_until_the_next() {
    let mut stand = Stand::active();
    let sound = stand.stored(SLOT_0);
    stand.forge(SLOT_0, &slot(2, 7, 2));
    stand.reboot();
    assert_eq!(stand.report(0), Err(LockError::SlotDamaged));
    assert_eq!(stand.lock.condition(SLOT_0), Ok(Condition::Damaged));
    let activate = Operation::Activate { slot: FIRST, generation: number(8) };
    assert_eq!(stand.command(activate).unwrap_err().error(), LockError::SlotDamaged);
    stand.activate(1, 1);
    // It may be read again, and what is older than what was read is not taken for it.
    for again in [stand.stored(SLOT_0), sound] {
        stand.store.set(SLOT_0, again);
        stand.reload(SLOT_0).unwrap();
        assert_eq!(stand.report(0), Err(LockError::SlotDamaged));
    }
    stand.transfer_to_oneself();
    let report = stand.report(0).unwrap();
    assert_eq!((report.floor.value(), report.holding), (0, Holding::Inactive));
}

/// A lock in epoch 2 with a key, whose header fell back: the store broke its contract.
fn fallen_back(header: impl FnOnce(&mut Stand) -> Vec<u8>) -> (Stand, Key) {
    let mut stand = Stand::provisioned();
    let header = header(&mut stand);
    stand.transfer_to_oneself();
    stand.activate(0, 1);
    let key = stand.download(0, 2, |_| ()).unwrap();
    let _ = stand.open(&key).unwrap();
    stand.store.set(Cell::Header, header);
    stand.reboot();
    (stand, key)
}

/// Against a draft the key opened again.
//= spec/protocol.md#operations
//# OPR-15. The epoch that a Transfer begins MUST be the next after the highest that any record of the lock shows.
#[test]
fn after_a_header_that_fell_back_and_a_transfer_to_oneself_no_key_of_an_epoch_that_was_comes_back() {
    for boots_between in [false, true] {
        let (mut stand, key) = fallen_back(|stand| stand.stored(Cell::Header));
        assert_eq!((stand.epoch().unwrap().value(), stand.report(0)), (1, Err(LockError::SlotDamaged)));
        if boots_between {
            stand.reboot();
        }
        stand.transfer_to_oneself();
        assert_eq!(stand.epoch().unwrap().value(), 3);
        for _ in 0..2 {
            assert_eq!(stand.open(&key).unwrap_err().error(), LockError::NotInstalled);
            stand.reboot();
        }
    }
}

//= spec/protocol.md#operations
//# OPR-15. The epoch that a Transfer begins MUST be the next after the highest that any record of the lock shows.
#[test]
fn the_counters_record_shows_an_epoch_too_and_what_was_shown_is_not_forgotten_when_it_is_written_over() {
    let mut stand = Stand::active();
    stand.forge(Cell::Counter, &counter(COUNTER_LEASE, NOON, 6));
    stand.reboot();
    let _ = stand.set_clock(NOON).unwrap();
    stand.transfer_to_oneself();
    assert_eq!(stand.epoch().unwrap().value(), 7);
}

//= spec/protocol.md#provisioning
//# PRV-13. A Provision that writes MUST be refused where any record of the lock shows an epoch.
#[test]
fn a_header_that_fell_back_to_nobody_lets_nobody_begin_the_first_epoch_again() {
    let (mut stand, _) = fallen_back(|_| Stand::fresh().stored(Cell::Header));
    assert_eq!(stand.owner(), Err(LockError::NotProvisioned));
    let (nonce, session) = stand.operate();
    let provision = stand.provision_message(nonce);
    assert_eq!(stand.provision(session, &provision).unwrap_err().error(), LockError::Damaged);
    let (nonce, session) = stand.operate();
    let reset = stand.reset_message(nonce);
    stand.factory_reset(session, &reset).unwrap();
}

/// Reloads a busy cell with a copy that is older than what this run has seen: refused, and again.
fn assert_outdated(stand: &mut Stand, cell: Cell, older: &[u8], damage: LockError) {
    //= spec/protocol.md#damage
    //# DMG-7. A cell that was found damaged MUST NOT be used again in its epoch unless its record is read again, sound and not older than known.
    for _ in 0..3 {
        stand.lock.reload(cell, Found::Bytes(older)).unwrap();
        assert_eq!(stand.report(0), Err(damage), "{cell:?}");
    }
    // Not for good: what was written last can be read after all.
    stand.reload(cell).unwrap();
    assert!(stand.report(0).is_ok(), "{cell:?}");
    assert_eq!(stand.reload(cell), Err(LockError::NotBusy));
}

//= spec/protocol.md#operations
//# OPR-13. An epoch, a counter and, within an epoch, a floor MUST NOT go down.
//= spec/protocol.md#damage
//# DMG-6. A record read back that is older than the newest one known since boot MUST be taken for damaged.
#[test]
fn a_slot_with_a_lower_floor_than_was_seen_is_damaged() {
    let mut stand = Stand::active();
    let older = stand.stored(SLOT_0);
    stand.activate(0, 2);
    make_busy(&mut stand, 0, 3);
    assert_outdated(&mut stand, SLOT_0, &older, LockError::SlotDamaged);
    assert_eq!(stand.report(0).unwrap().floor.value(), 2);
}

//= spec/protocol.md#damage
//# DMG-6. A record read back that is older than the newest one known since boot MUST be taken for damaged.
#[test]
fn a_slot_of_an_older_epoch_than_was_seen_is_damaged() {
    let mut stand = Stand::active();
    stand.activate(0, 9);
    let older = stand.stored(SLOT_0);
    stand.transfer_to_oneself();
    stand.activate(0, 1);
    make_busy(&mut stand, 0, 2);
    assert_outdated(&mut stand, SLOT_0, &older, LockError::SlotDamaged);
    assert_eq!(stand.report(0).unwrap().floor.value(), 1);
}

//= spec/protocol.md#damage
//# DMG-6. A record read back that is older than the newest one known since boot MUST be taken for damaged.
#[test]
fn a_slot_with_fewer_used_openings_than_were_seen_is_damaged() {
    let (mut stand, key) = Stand::installed_with(Rights::OPEN, uses(3));
    let _ = stand.open(&key).unwrap();
    let older = stand.stored(SLOT_0);
    let _ = stand.open(&key).unwrap();
    make_busy(&mut stand, 0, 3);
    assert_outdated(&mut stand, SLOT_0, &older, LockError::SlotDamaged);
    let _ = stand.open(&key).unwrap();
    assert_eq!(stand.open(&key).unwrap_err().error(), LockError::UsesSpent);
}

//= spec/protocol.md#operations
//# OPR-13. An epoch, a counter and, within an epoch, a floor MUST NOT go down.
//= spec/protocol.md#damage
//# DMG-6. A record read back that is older than the newest one known since boot MUST be taken for damaged.
#[test]
fn a_counter_with_a_lower_ceiling_than_was_seen_is_damaged() {
    let mut stand = Stand::active();
    let older = stand.stored(Cell::Counter);
    stand.reboot();
    drop(stand.operate());
    drop(stand.lock.challenge::<purpose::Install>(stand.now(), &mut stand.rng).unwrap().detach());
    assert_outdated(&mut stand, Cell::Counter, &older, LockError::Damaged);
}

//= spec/protocol.md#operations
//# OPR-13. An epoch, a counter and, within an epoch, a floor MUST NOT go down.
//= spec/protocol.md#damage
//# DMG-6. A record read back that is older than the newest one known since boot MUST be taken for damaged.
#[test]
fn a_header_of_an_older_epoch_than_was_seen_is_damaged() {
    let mut stand = Stand::fresh();
    let unprovisioned = stand.stored(Cell::Header);
    stand.take_ownership();
    let first = stand.stored(Cell::Header);
    stand.transfer_to_oneself();
    for older in [unprovisioned, first] {
        make_header_busy(&mut stand);
        assert_outdated(&mut stand, Cell::Header, &older, LockError::Damaged);
        assert_eq!(stand.epoch().unwrap().value(), 2);
    }
}

#[test]
fn a_header_that_comes_back_newer_ends_sessions_and_damage_like_the_transfer_it_is() {
    let (mut stand, ..) = with_slot_0_damaged();
    make_header_busy(&mut stand);
    stand.lock.reload(Cell::Header, Found::Nothing).unwrap();
    assert_eq!(stand.owner(), Err(LockError::Damaged));
    // The write had reached the flash.
    stand.forge(Cell::Header, &owned(2));
    stand.reload(Cell::Header).unwrap();
    assert_eq!(stand.report(0).unwrap().holding, Holding::Inactive);
    assert_eq!(stand.report(1).unwrap().holding, Holding::Inactive);
}
