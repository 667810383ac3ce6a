//! How many slots a lock has: a firmware that has more gives them to a lock that was made with fewer, and none takes one's
//! floor away.

use sharekey::counter::{Generation, Term};
use sharekey::crypto::Nonce;
use sharekey::error::LockError;
use sharekey::id::SlotId;
use sharekey::lock::{Battery, Cell, Clock, Condition, Door, Found, Lock, Now, purpose};
use sharekey::message::{Command, Holding, Operation};
use sharekey_stage::board::{Bench, Fault};
use sharekey_stage::cells::{SLOT_0, owned, slot, transfer};
use sharekey_stage::provider::Provider;
use sharekey_stage::stand::{CARD, OWNER, SLOTS, Stand, card};
use sharekey_stage::store::{PowerCut, Store};
use sharekey_stage::{firmware, forge, nonce_of, rng, seed};

const MORE: usize = SLOTS + 2;
const NOW: Now = Now { ticks: 1_000, clock: Clock::Unset, battery: Battery::UNKNOWN };

fn cell(index: usize) -> Cell {
    Cell::Slot(SlotId::new(u8::try_from(index).unwrap()))
}

/// The lock of this store under a firmware with another number of slots.
fn load<const N: usize>(store: &Store) -> Lock<Provider, N> {
    firmware::load(Provider, CARD, store, |_| true).unwrap()
}

/// Writes what the store lacks, up to so many records; gives the cells.
fn complete<const N: usize>(lock: &mut Lock<Provider, N>, store: &mut Store, writes: usize) -> Vec<Cell> {
    let mut cells = Vec::new();
    while cells.len() < writes
        && let Some(accepted) = lock.complete().unwrap()
    {
        cells.push(accepted.cell());
        accepted.commit(|record| store.put(record)).unwrap();
    }
    cells
}

/// The owner orders something.
fn order<const N: usize>(
    lock: &mut Lock<Provider, N>,
    store: &mut Store,
    operation: Operation,
) -> Result<(), LockError> {
    let given = lock.challenge::<purpose::Operate>(NOW, &mut rng(3)).unwrap();
    let given = given.commit(|record| store.put(record)).unwrap();
    let command = Command {
        lock: lock.id(),
        epoch: lock.ownership().unwrap().epoch,
        by: Term::OWNER,
        lock_nonce: nonce_of(&given.challenge),
        owner_nonce: Nonce::from_bytes([7; 16]),
        operation,
    };
    let message = forge::signed(&command, &seed(OWNER));
    let accepted = lock.command(given.session, &message, NOW).map_err(|refusal| refusal.error())?;
    accepted.commit(|record| store.put(record)).map(drop).unwrap();
    Ok(())
}

fn floors<const N: usize>(lock: &Lock<Provider, N>, slots: usize) -> Vec<Result<u32, LockError>> {
    let slots = (0..u8::try_from(slots).unwrap()).map(SlotId::new);
    slots.map(|slot| lock.report(slot).map(|report| report.floor.value())).collect()
}

fn close(index: usize, generation: u32) -> Operation {
    let slot = SlotId::new(u8::try_from(index).unwrap());
    Operation::Deactivate { slot, generation: Generation::new(generation) }
}

//= spec/protocol.md#making
//# LCK-12. A slot at or above the firmware's number of slots, or the header's, MUST NOT exist.
//= spec/protocol.md#making
//# LCK-13. A lock whose firmware has more slots than its header says MUST write a record, Inactive with floor 0 and epoch 0, for each further slot that has no sound one, before the header that says so.
#[test]
fn a_firmware_with_more_slots_gives_them_to_the_lock_and_takes_nothing() {
    let mut store = Stand::installed().0.store;
    let mut lock = load::<MORE>(&store);
    let none = Err(LockError::NoSuchSlot);
    assert_eq!(floors(&lock, MORE), [Ok(2), Ok(0), Ok(0), none, none]);
    assert_eq!(order(&mut lock, &mut store, close(SLOTS, 1)), Err(LockError::NoSuchSlot));
    let before = store.get(SLOT_0).unwrap().to_vec();
    assert_eq!(complete(&mut lock, &mut store, 99), [cell(SLOTS), cell(SLOTS + 1), Cell::Header]);
    for _ in 0..2 {
        assert_eq!(floors(&lock, MORE), [Ok(2), Ok(0), Ok(0), Ok(0), Ok(0)]);
        assert_eq!(lock.report(SlotId::new(3)).unwrap().holding, Holding::Inactive);
        assert_eq!(complete(&mut lock, &mut store, 99), []);
        lock = load::<MORE>(&store);
    }
    assert_eq!(store.get(SLOT_0).unwrap(), before);
    order(&mut lock, &mut store, close(SLOTS, 1)).unwrap();
}

//= spec/protocol.md#making
//# LCK-13. A lock whose firmware has more slots than its header says MUST write a record, Inactive with floor 0 and epoch 0, for each further slot that has no sound one, before the header that says so.
/// A lock that is not provisioned yet grows, too.
#[test]
fn a_power_cut_at_any_step_leaves_the_slots_that_there_were_or_all() {
    for stand in [Stand::fresh(), Stand::installed().0] {
        let provisioned = stand.owner().is_ok();
        for cut in 0..=3 {
            for reaches in [false, true] {
                let mut store = stand.store.clone();
                let mut lock = load::<MORE>(&store);
                assert_eq!(complete(&mut lock, &mut store, cut).len(), cut);
                // The write in which the power goes.
                let last = lock.complete().unwrap().map(|accepted| {
                    let cell = accepted.cell();
                    let put = |record: &_| if reaches { store.put(record).and(Err(PowerCut)) } else { Err(PowerCut) };
                    accepted.commit(put).unwrap_err();
                    cell
                });
                assert_eq!(lock.unsettled(), last);
                assert_eq!(lock.complete().is_err(), last.is_some());
                // What there was serves on, under the firmware before as well.
                let older = load::<SLOTS>(&store);
                let mut lock = load::<MORE>(&store);
                if provisioned {
                    let grown = cut == 3 || (cut == 2 && reaches);
                    let further = if grown { Ok(0) } else { Err(LockError::NoSuchSlot) };
                    assert_eq!(floors(&lock, MORE), [Ok(2), Ok(0), Ok(0), further, further], "{cut} {reaches}");
                    assert_eq!(floors(&older, SLOTS), [Ok(2), Ok(0), Ok(0)]);
                }
                let written = cut + usize::from(reaches && cut < 3);
                assert_eq!(complete(&mut lock, &mut store, 99).len(), 3 - written, "{cut} {reaches}");
                assert_eq!(load::<MORE>(&store).condition(cell(MORE - 1)), Ok(Condition::Ready));
            }
        }
    }
}

//= spec/protocol.md#making
//# LCK-11. The header MUST carry the number of slots, in every write, and never a lower one.
#[test]
fn a_firmware_with_fewer_slots_in_between_resets_the_floor_of_none() {
    let mut store = Stand::provisioned().store;
    let mut lock = load::<MORE>(&store);
    let _ = complete(&mut lock, &mut store, 99);
    order(&mut lock, &mut store, transfer()).unwrap();
    order(&mut lock, &mut store, close(MORE - 1, 9)).unwrap();

    let mut fewer = load::<2>(&store);
    assert_eq!(floors(&fewer, 3), [Ok(0), Ok(0), Err(LockError::NoSuchSlot)]);
    assert_eq!(order(&mut fewer, &mut store, close(2, 1)), Err(LockError::NoSuchSlot));
    assert_eq!(complete(&mut fewer, &mut store, 99), []);

    let mut lock = load::<MORE>(&store);
    assert_eq!(complete(&mut lock, &mut store, 99), []);
    assert_eq!(floors(&lock, MORE)[MORE - 1], Ok(9));
    let mut fewer = load::<2>(&store);
    order(&mut fewer, &mut store, transfer()).unwrap();
    assert_eq!(store.get(Cell::Header).unwrap()[5], u8::try_from(MORE).unwrap(), "a transfer carries the number on");
}

/// A header that fell back, which takes a store that broke its contract.
#[test]
fn a_further_slot_whose_record_is_sound_keeps_it_and_a_header_with_fewer_slots_is_older() {
    let mut stand = Stand::provisioned();
    let fewer = stand.stored(Cell::Header);
    let further = cell(SLOTS);
    stand.forge(further, &slot(1, 9, 1));
    let mut lock = load::<MORE>(&stand.store);
    assert_eq!(complete(&mut lock, &mut stand.store, 99), [cell(SLOTS + 1), Cell::Header]);
    assert_eq!(floors(&lock, MORE)[SLOTS], Ok(9));
    // A transfer whose write fails, and a store that then hands out the header before.
    let given = lock.challenge::<purpose::Operate>(NOW, &mut rng(3)).unwrap();
    let given = given.commit(|record| stand.store.put(record)).unwrap();
    let message = forge::signed(&stand.command_body(nonce_of(&given.challenge), transfer()), &seed(OWNER));
    lock.command(given.session, &message, NOW).unwrap().commit(|_| Err(())).unwrap_err();
    assert_eq!((fewer[5], &fewer[5..10]), (u8::try_from(SLOTS).unwrap(), &owned(1)[..5]));
    lock.reload(Cell::Header, Found::Bytes(&fewer)).unwrap();
    assert_eq!(lock.condition(Cell::Header), Ok(Condition::Damaged));
}

fn boot<const N: usize>(bench: Bench) -> Door<Provider, Bench, N> {
    Door::boot(Provider, card(), bench, &mut rng(7)).unwrap()
}

#[test]
fn a_door_completes_its_lock_at_the_boot_and_goes_on_without_where_it_cannot() {
    let store = Stand::installed().0.store;
    let bench = |fault| Bench { store: store.clone(), fault, ..Bench::default() };
    assert_eq!(boot::<MORE>(bench(None)).lock().report(SlotId::new(4)).unwrap().floor, Generation::ZERO);
    let mut door = boot::<MORE>(bench(Some(Fault::Write { reaches: false })));
    assert_eq!(floors(door.lock(), MORE)[..4], [Ok(2), Ok(0), Ok(0), Err(LockError::NoSuchSlot)]);
    let _ = door.serve(&sharekey::message::Connect::OPERATE, NOW, None, &mut rng(8)).unwrap();
    assert_eq!(floors(door.lock(), MORE)[3..], [Ok(0), Ok(0)], "the next frame sees to it");
}
