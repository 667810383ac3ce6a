//! The records on flash: their sizes, what is no record of a cell, and making a lock.

use sharekey::error::{LoadError, LockError};
use sharekey::id::SlotId;
use sharekey::limits::{Limits, Rights};
use sharekey::lock::{Cell, Found, MAX_RECORD, Making, StoredSeed};
use sharekey::message::Holding;
use sharekey_stage::cells::{
    SLOT_0, SLOT_1, SLOT_2, counter, every_limit, load, owned, prefix, record, slot, tag_record,
};
use sharekey_stage::provider::Provider;
use sharekey_stage::rng;
use sharekey_stage::stand::{NOON, SLOTS, Stand, TestLock, card};
use sharekey_stage::store::Store;

const CELLS: [Cell; 5] = [Cell::Header, Cell::Counter, SLOT_0, SLOT_1, SLOT_2];

/// A lock with a key in slot 0, slot 1 empty, slot 2 inactive.
fn stocked(entropy: u64) -> Stand {
    let mut stand = Stand::made_with(entropy);
    stand.take_ownership();
    stand.activate(0, 1);
    stand.download(0, 2, |_| ()).unwrap();
    stand.activate(1, 1);
    stand
}

/// Boots with `bytes` in a cell: that cell is damaged, and no other.
fn assert_damaged(stand: &mut Stand, cell: Cell, bytes: Option<&[u8]>, how: &str) {
    stand.boot_with(cell, bytes);
    if !matches!(cell, Cell::Slot(_)) {
        assert_eq!(stand.owner(), Err(LockError::Damaged), "{cell:?}: {how}");
        return;
    }
    for each in [SLOT_0, SLOT_1, SLOT_2] {
        let Cell::Slot(slot) = each else { continue };
        let error = stand.lock.report(slot).err();
        assert_eq!(error, (each == cell).then_some(LockError::SlotDamaged), "{cell:?}: {how}");
    }
}

#[test]
fn every_cell_has_a_key_of_its_own() {
    assert_eq!([Cell::Seed, Cell::Header, Cell::Counter].map(Cell::key), [0, 1, 2]);
    for index in 0..=u8::MAX {
        assert_eq!(Cell::Slot(SlotId::new(index)).key(), 3 + u16::from(index));
    }
    let cells: Vec<Cell> = TestLock::cells().collect();
    assert_eq!(cells, CELLS);
    assert_eq!(sharekey::lock::Lock::<Provider, 255>::cells().last(), Some(Cell::Slot(SlotId::new(254))));
}

#[test]
fn records_have_the_length_of_their_content() {
    let stand = Stand::fresh();
    let lengths =
        |stand: &Stand| [Cell::Seed, Cell::Header, Cell::Counter, SLOT_0].map(|cell| stand.stored(cell).len());
    assert_eq!(lengths(&stand), [54, 23, 41, 30]);
    let (stand, _) = Stand::installed();
    assert_eq!(lengths(&stand), [54, 91, 41, 135]);
    let (stand, _) = Stand::installed_with(Rights::OPEN, every_limit(9));
    assert_eq!(lengths(&stand), [54, 91, 41, 173]);
}

#[test]
fn the_longest_record_is_a_slot_with_a_key_under_every_limit() {
    let mut stand = Stand::active();
    let _ = stand.set_clock(NOON).unwrap();
    let all = every_limit(9);
    for bits in 0..16_u32 {
        let limits = Limits::new(
            all.valid_from().filter(|_| bits & 1 != 0),
            all.valid_until().filter(|_| bits & 2 != 0),
            all.schedule().copied().filter(|_| bits & 4 != 0),
            all.max_uses().filter(|_| bits & 8 != 0),
        );
        let key = stand.download(0, 2 + bits, |chain| chain.grant.limits = limits.unwrap()).unwrap();
        let length = stand.stored(SLOT_0).len();
        assert!(length <= MAX_RECORD && (length == MAX_RECORD) == (bits == 15), "{bits}: {length}");
        let _ = stand.open(&key).unwrap();
    }
}

//= spec/protocol.md#keys-of-a-lock
//# KDF-6. A lock MUST derive these four keys from its seed as the table says.
//= spec/protocol.md#records
//# REC-1. Every record MUST carry a MAC over its cell, its epoch where it has one, and its content.
#[test]
fn records_are_laid_out_as_specified() {
    let stand = stocked(7);
    assert_eq!(stand.stored(Cell::Header), record(&stand.store, Cell::Header, &owned(1)));
    assert_eq!(stand.stored(Cell::Counter), record(&stand.store, Cell::Counter, &counter(65_536, 0, 0)));
    assert_eq!(stand.stored(SLOT_1), record(&stand.store, SLOT_1, &slot(1, 1, 2)));
    assert_eq!(stand.stored(SLOT_2), record(&stand.store, SLOT_2, &slot(0, 0, 1)));
    let seed = stand.stored(Cell::Seed);
    assert_eq!(seed, tag_record(&stand.store, [&prefix(Cell::Seed)[..], &seed[5..37], &[1]].concat()));
}

//= spec/protocol.md#damage
//# DMG-4. A damaged record MUST NOT be read as a fresh one.
#[test]
fn a_missing_record_is_damaged_and_not_read_as_a_fresh_one() {
    let mut stand = stocked(7);
    for cell in CELLS {
        assert_damaged(&mut stand, cell, None, "missing");
    }
}

#[test]
fn a_truncated_record_is_damaged_at_every_length() {
    let mut stand = stocked(7);
    for cell in CELLS {
        let good = stand.stored(cell);
        for length in 0..good.len() {
            assert_damaged(&mut stand, cell, Some(&good[..length]), &format!("{length} bytes"));
        }
    }
}

//= spec/protocol.md#records
//# REC-2. A lock MUST take a record whose MAC does not hold for damaged.
#[test]
fn a_record_with_any_bit_flipped_is_damaged() {
    let mut stand = stocked(7);
    for cell in CELLS {
        let good = stand.stored(cell);
        for bit in 0..good.len() * 8 {
            let mut bad = good.clone();
            bad[bit / 8] ^= 1 << (bit % 8);
            assert_damaged(&mut stand, cell, Some(&bad), &format!("bit {bit}"));
        }
    }
}

#[test]
fn a_record_with_bytes_after_it_is_damaged() {
    let mut stand = stocked(7);
    for cell in CELLS {
        let good = stand.stored(cell);
        for more in [&[0][..], &[0xff], &good] {
            assert_damaged(&mut stand, cell, Some(&[&good, more].concat()), "more");
        }
    }
}

#[test]
fn a_record_of_another_cell_is_damaged() {
    let mut stand = stocked(7);
    for cell in CELLS {
        for other in CELLS.into_iter().chain([Cell::Seed]).filter(|other| *other != cell) {
            let theirs = stand.stored(other);
            assert_damaged(&mut stand, cell, Some(&theirs), &format!("{other:?}"));
        }
    }
}

//= spec/protocol.md#records
//# REC-2. A lock MUST take a record whose MAC does not hold for damaged.
#[test]
fn a_record_of_another_lock_is_damaged_though_the_cell_is_the_same() {
    let (mut stand, other) = (stocked(7), stocked(8));
    for cell in CELLS {
        let theirs = other.stored(cell);
        assert_damaged(&mut stand, cell, Some(&theirs), "another lock");
        // But for the MAC, it would be this lock's.
        let ours = tag_record(&stand.store, theirs[..theirs.len() - 16].to_vec());
        stand.boot_with(cell, Some(&ours));
        assert!(stand.report(0).is_ok(), "{cell:?}");
    }
}

//= spec/protocol.md#records
//# REC-3. A lock MUST take a record that does not decode exactly for damaged.
#[test]
fn a_record_under_a_good_mac_is_damaged_unless_it_decodes_exactly() {
    let mut stand = stocked(7);
    let installed = stand.stored(SLOT_0);
    let installed = &installed[5..installed.len() - 16];
    let contents: [(Cell, &[u8]); 4] = [
        (Cell::Header, &owned(1)),
        (Cell::Counter, &counter(65_536, 0, 0)),
        (SLOT_1, &slot(1, 1, 2)),
        (SLOT_0, installed),
    ];
    for (cell, good) in contents {
        let with = |prefix: [u8; 5], content: &[u8]| tag_record(&stand.store, [&prefix[..], content].concat());
        let mut bad = vec![
            with(prefix(cell), &good[..good.len() - 1]),
            with(prefix(cell), &[good, &[0]].concat()),
            with(prefix(cell), &[]),
        ];
        for at in 0..5 {
            let mut other = prefix(cell);
            other[at] ^= 1;
            bad.push(with(other, good));
        }
        let fine = with(prefix(cell), good);
        stand.boot_with(cell, Some(&fine));
        assert!(stand.report(0).is_ok() && stand.report(1).is_ok(), "{cell:?}");
        for (case, bad) in bad.iter().enumerate() {
            assert_damaged(&mut stand, cell, Some(bad), &format!("case {case}"));
        }
    }
    for tag in [0, 4, 0xff] {
        let bad = record(&stand.store, SLOT_1, &slot(1, 1, tag));
        assert_damaged(&mut stand, SLOT_1, Some(&bad), "unknown form");
    }
}

//= spec/protocol.md#making
//# LCK-4. A boot that finds no seed record, or one with `initialised` false, MUST make the lock again, from the first step.
#[test]
fn a_seed_that_is_missing_or_not_initialised_means_that_the_lock_was_not_made() {
    let stand = Stand::fresh();
    assert_eq!(StoredSeed::read(&Provider, Found::Nothing).unwrap_err(), LoadError::NotMade);
    let seed = stand.stored(Cell::Seed);
    assert!(StoredSeed::read(&Provider, Found::Bytes(&seed)).is_ok());
    let unmade = tag_record(&stand.store, [&seed[..37], &[0]].concat());
    assert_eq!(StoredSeed::read(&Provider, Found::Bytes(&unmade)).unwrap_err(), LoadError::NotMade);
}

//= spec/protocol.md#making
//# LCK-5. A boot that finds a damaged seed record MUST NOT take it for a missing one without an order from whoever services the lock.
#[test]
fn a_seed_record_that_is_garbage_is_damaged_and_not_taken_for_missing() {
    let stand = stocked(7);
    let seed = stand.stored(Cell::Seed);
    let damaged = |bytes: &[u8]| {
        assert_eq!(StoredSeed::read(&Provider, Found::Bytes(bytes)).unwrap_err(), LoadError::SeedDamaged)
    };
    (0..seed.len()).for_each(|length| damaged(&seed[..length]));
    damaged(&[&seed[..], &[0]].concat());
    damaged(&stand.stored(Cell::Header));
    assert_eq!(StoredSeed::read(&Provider, Found::Unreadable).unwrap_err(), LoadError::SeedDamaged);
    // Under a good MAC, too: another version, another cell, and what is neither made nor unmade.
    for (byte, value) in (0..5).map(|at| (at, seed[at] ^ 1)).chain([(37, 2), (37, 0xff)]) {
        let mut bad = seed[..38].to_vec();
        bad[byte] = value;
        damaged(&tag_record(&stand.store, bad));
    }
}

/// Against a draft a flipped bit of the seed was another lock, and one of `initialised` had the lock made anew.
//= spec/protocol.md#records
//# REC-4. The MAC of the seed's record MUST be under the record key of the seed in it.
#[test]
fn a_seed_record_with_any_bit_flipped_is_damage_and_never_another_lock_or_none() {
    let seed = stocked(7).stored(Cell::Seed);
    for bit in 0..seed.len() * 8 {
        let mut bad = seed.clone();
        bad[bit / 8] ^= 1 << (bit % 8);
        assert_eq!(StoredSeed::read(&Provider, Found::Bytes(&bad)).unwrap_err(), LoadError::SeedDamaged, "bit {bit}");
    }
}

//= spec/protocol.md#making
//# LCK-9. At making, what was before MUST be the SHA-256 of the bytes found in the seed's cell, or 32 zero bytes where there are none.
#[test]
fn what_was_found_goes_into_the_next_seed_be_it_damaged_or_not() {
    let seed = stocked(7).stored(Cell::Seed);
    let flipped = [&seed[..20], &[seed[20] ^ 1], &seed[21..]].concat();
    let made = |found: Found<'_>| {
        let making = Making::<Provider, SLOTS>::new(Provider, card(), found, &mut rng(7)).unwrap();
        making.record().unwrap().unwrap().as_bytes()[5..37].to_vec()
    };
    let all = [Found::Nothing, Found::Bytes(&seed), Found::Bytes(&flipped), Found::Bytes(&seed[..3])].map(made);
    assert_eq!(std::collections::BTreeSet::from(all).len(), 4);
    assert_eq!(made(Found::Unreadable), made(Found::Nothing));
}

#[test]
fn under_another_seed_it_is_another_lock_and_every_record_is_foreign() {
    let (mut stand, other) = (stocked(7), stocked(8));
    let before = stand.id();
    {
        stand.store.set(Cell::Seed, other.stored(Cell::Seed));
        stand.reboot();
        assert_ne!(stand.id(), before);
        assert_eq!(stand.owner(), Err(LockError::Damaged));
        // Even where header and counter are the new lock's own, the slots are not.
        stand.forge(Cell::Header, &owned(1));
        stand.forge(Cell::Counter, &counter(0, 0, 0));
        stand.reboot();
        assert_eq!((0..3).map(|slot| stand.report(slot)).collect::<Vec<_>>(), [Err(LockError::SlotDamaged); 3]);
    }
}

fn making(store: &Store) -> Making<Provider, SLOTS> {
    Making::new(Provider, card(), store.found(Cell::Seed), &mut rng(7)).unwrap()
}

//= spec/protocol.md#making
//# LCK-1. Making a lock MUST write the seed record with `initialised` false first.
//= spec/protocol.md#making
//# LCK-3. Making a lock MUST write the seed record with `initialised` true last.
#[test]
fn making_writes_the_seed_first_and_last_and_everything_else_once_in_between() {
    let (mut making, mut cells, mut seeds) = (making(&Store::default()), Vec::new(), Vec::new());
    while let Some(record) = making.record().unwrap() {
        cells.push(record.cell());
        if record.cell() == Cell::Seed {
            seeds.push(record.as_bytes()[37]);
        }
        making.written();
    }
    assert_eq!((cells.remove(0), cells.pop()), (Cell::Seed, Some(Cell::Seed)));
    //= spec/protocol.md#making
    //# LCK-2. Making a lock MUST write every other record, factory-fresh, after that and before the next step.
    assert_eq!(cells, CELLS);
    assert_eq!(seeds, [0, 1]);
}

//= spec/protocol.md#making
//# LCK-4. A boot that finds no seed record, or one with `initialised` false, MUST make the lock again, from the first step.
#[test]
fn a_making_that_is_cut_after_any_record_leaves_a_lock_to_be_made() {
    let all = CELLS.len() + 2;
    for cut in 0..=all {
        // What an earlier lock left on flash must not help.
        for mut store in [Store::default(), stocked(9).store] {
            let earlier = store.get(Cell::Seed).is_some();
            let mut making = making(&store);
            for _ in 0..cut {
                store.put(&making.record().unwrap().unwrap()).unwrap();
                making.written();
            }
            let seed = StoredSeed::read(&Provider, store.found(Cell::Seed));
            let lives = cut == all || (cut == 0 && earlier);
            assert_eq!(seed.err(), (!lives).then_some(LoadError::NotMade), "{cut}");
            assert_eq!(making.finish().is_ok(), cut == all, "{cut}");
        }
    }
}

#[test]
fn finishing_before_the_end_gives_the_making_back_to_go_on_with() {
    let mut store = Store::default();
    let mut making = making(&store);
    loop {
        making = match making.finish() {
            Ok(lock) => {
                assert_eq!(store.writes, CELLS.len() + 2);
                assert_eq!(lock.id(), load(&store).id());
                break;
            }
            Err(making) => making,
        };
        // A record that is not reported as written is given again.
        let again = making.record().unwrap().unwrap();
        let record = making.record().unwrap().unwrap();
        assert_eq!((again.cell(), again.as_bytes()), (record.cell(), record.as_bytes()));
        store.put(&record).unwrap();
        making.written();
    }
}

//= spec/protocol.md#making
//# LCK-2. Making a lock MUST write every other record, factory-fresh, after that and before the next step.
#[test]
fn the_lock_made_has_no_owner_and_every_slot_is_inactive() {
    let mut stand = Stand::fresh();
    let made = stand.id();
    for _ in 0..2 {
        assert_eq!(stand.owner(), Err(LockError::NotProvisioned));
        assert_eq!(stand.report(0), Err(LockError::NotProvisioned));
        stand.reboot();
        assert_eq!(stand.id(), made);
    }
    stand.take_ownership();
    for slot in 0..3 {
        let report = stand.report(slot).unwrap();
        assert_eq!((report.floor.value(), report.holding), (0, Holding::Inactive));
        let refused = stand.download(slot, 1, |_| ()).unwrap_err();
        assert_eq!(refused.error(), LockError::SlotInactive);
    }
}

#[test]
fn a_lock_made_again_is_another_lock_even_with_the_same_entropy() {
    let mut ids = vec![Stand::fresh().id()];
    let mut store = Stand::fresh().store;
    for _ in 0..3 {
        let mut making = making(&store);
        while let Some(record) = making.record().unwrap() {
            store.put(&record).unwrap();
            making.written();
        }
        let id = making.finish().unwrap_or_else(|_| panic!("all records are written")).id();
        assert!(!ids.contains(&id));
        ids.push(id);
    }
}
