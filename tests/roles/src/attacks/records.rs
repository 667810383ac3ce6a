//! Records that are damaged, missing, foreign or older, through the whole story.

use sharekey::error::{LoadError, LockError, OwnerError, RefuseReason};
use sharekey::lock::{Cell, Condition, Found, StoredSeed, purpose};
use sharekey::owner::Order;

use sharekey_stage::provider::Provider;
use sharekey_stage::store::{PowerCut, Store};
use sharekey_stage::world::guest::Guest;
use sharekey_stage::world::{ANA, BEN, HALL, STUDIO, Stop, World};

/// Ana's key is in the hall, Ben's in the studio.
fn both() -> (World, Guest, Guest) {
    let (mut w, ana) = World::downloaded();
    let ben = w.downloads(STUDIO, BEN);
    (w, ana, ben)
}

/// What the store may hand out in the place of a cell's record.
fn spoiled(store: &Store, cell: Cell) -> Vec<(&'static str, Option<Vec<u8>>)> {
    let mut other = World::active_at(2);
    let mut ana = other.guest(ANA);
    other.share(HALL, &ana).unwrap();
    other.download(&mut ana).unwrap();
    let foreign = other.door.store.get(cell).unwrap().to_vec();
    let honest = store.get(cell).unwrap().to_vec();
    let elsewhere = store.get(if cell == Cell::Slot(HALL) { Cell::Slot(STUDIO) } else { Cell::Slot(HALL) }).unwrap();
    let mut flipped = honest.clone();
    flipped[honest.len() / 2] ^= 1;
    let mut longer = honest.clone();
    longer.push(0);
    vec![
        ("missing", None),
        ("empty", Some(Vec::new())),
        ("cut short", Some(honest[..honest.len() - 1].to_vec())),
        ("longer", Some(longer)),
        ("damaged", Some(flipped)),
        ("foreign", Some(foreign)),
        ("of another cell", Some(elsewhere.to_vec())),
    ]
}

fn spoil(w: &mut World, cell: Cell, with: Option<Vec<u8>>) {
    match with {
        Some(bytes) => w.door.store.set(cell, bytes),
        None => w.door.store.remove(cell),
    }
    w.door.reboot();
    assert_eq!(w.door.lock.condition(cell), Ok(Condition::Damaged));
    // The first challenge after boot writes the counter.
    let _ = w.door.challenge::<purpose::Operate>();
}

#[test]
fn a_spoiled_slot_refuses_everything_until_the_next_epoch_while_the_others_go_on() {
    let cell = Cell::Slot(HALL);
    let (model, ..) = both();
    for (how, with) in spoiled(&model.door.store, cell) {
        let (mut w, mut ana, mut ben) = both();
        spoil(&mut w, cell, with);
        w.lock_refuses(LockError::SlotDamaged, |w| w.open(&mut ana));
        w.lock_refuses(LockError::SlotDamaged, |w| ana.fetch_colluding(&mut w.door));
        let damaged = Stop::Lock(LockError::SlotDamaged);
        assert_eq!(w.activate(HALL), Err(damaged), "{how}");
        assert_eq!(w.deactivate(HALL), Err(damaged), "{how}");
        assert_eq!(w.olga.inspect(&mut w.door, &mut w.cloud, HALL).err(), Some(damaged), "{how}");
        assert_eq!(w.olga.told, Some(OwnerError::Refused(RefuseReason::SlotDamaged)));
        w.open(&mut ben).unwrap();

        // A transfer to oneself, and the slot is as new.
        let (owner, service) = (w.olga.key(), w.cloud.key());
        let done = w.olga.transfer(&mut w.door, owner, service).unwrap();
        w.cloud.hear(&done).unwrap();
        w.activate(HALL).unwrap();
        w.lock_refuses(LockError::NotInstalled, |w| w.open(&mut ana));
        let mut again = w.downloads(HALL, ANA);
        w.open(&mut again).unwrap();
        w.door.reboot();
        w.open(&mut again).unwrap();
    }
}

#[test]
fn a_spoiled_header_or_counter_refuses_everything_but_a_factory_reset() {
    for cell in [Cell::Header, Cell::Counter] {
        let (model, ..) = both();
        for (how, with) in spoiled(&model.door.store, cell) {
            let (mut w, mut ana, _ben) = both();
            let old = w.door.id();
            spoil(&mut w, cell, with);
            assert_eq!(w.door.lock.ownership(), Err(LockError::Damaged), "{how}");
            w.lock_refuses(LockError::Damaged, |w| w.open(&mut ana));
            w.lock_refuses(LockError::Damaged, |w| ana.fetch_colluding(&mut w.door));
            w.lock_refuses(LockError::Damaged, |w| w.olga.act(&mut w.door, sharekey::limits::Action::Open));
            let (mut again, mut cloud) = (
                sharekey_stage::world::phone::Phone::new(1, &w.tape),
                sharekey_stage::world::cloud::Cloud::new(2, &w.tape),
            );
            w.lock_refuses(LockError::Damaged, |w| again.provision(&mut w.door, &mut cloud));

            w.door.reset_by_card().unwrap();
            assert_ne!(w.door.id(), old);
            w.olga.provision(&mut w.door, &mut w.cloud).unwrap();
            w.activate(HALL).unwrap();
            let mut again = w.downloads(HALL, ANA);
            w.open(&mut again).unwrap();
        }
    }
}

#[test]
fn a_spoiled_seed_is_not_taken_for_a_lock_to_be_made() {
    let (w, ..) = both();
    let seed = w.door.store.get(Cell::Seed).unwrap();
    for bad in [&seed[..seed.len() - 1], &[], w.door.store.get(Cell::Header).unwrap()] {
        assert_eq!(StoredSeed::read(&Provider, Found::Bytes(bad)).err(), Some(LoadError::SeedDamaged));
    }
    assert_eq!(StoredSeed::read(&Provider, Found::Unreadable).err(), Some(LoadError::SeedDamaged));
    assert_eq!(StoredSeed::read(&Provider, Found::Nothing).err(), Some(LoadError::NotMade));
}

#[test]
fn another_locks_seed_makes_every_record_foreign() {
    let (mut w, mut ana, _ben) = both();
    let other = World::active_at(2);
    w.door.store.set(Cell::Seed, other.door.store.get(Cell::Seed).unwrap().to_vec());
    w.door.reboot();
    assert_eq!(w.door.lock.ownership(), Err(LockError::Damaged));
    let (challenge, _session) = w.door.connect::<purpose::Operate>();
    let key = ana.key.as_ref().unwrap();
    let unlock =
        key.unlock(&sharekey_stage::provider::Provider, &challenge, sharekey::limits::Action::Open, &mut ana.rng);
    assert_eq!(unlock.err(), Some(sharekey::error::GuestError::WrongLock));
}

#[test]
fn an_older_slot_record_read_back_in_the_same_run_is_damage_and_revives_no_key() {
    let (mut w, mut ana) = World::downloaded();
    let cell = Cell::Slot(HALL);
    let older = w.door.store.get(cell).unwrap().to_vec();
    w.withdraw(HALL).unwrap();
    let mut ben = w.downloads(HALL, BEN);

    // A write to the slot fails, and then the store hands out Ana's record.
    let (session, installing, release) = w.released(&mut ben);
    let download = installing.bundle(&sharekey_stage::provider::Provider, &release).unwrap();
    let now = w.door.now();
    let staged = w.door.lock.install(session, download.bundle(), now, &mut w.door.rng).unwrap();
    assert_eq!(staged.commit(|_| Err(PowerCut)).err(), Some(PowerCut));
    w.door.lock.reload(cell, Found::Bytes(&older)).unwrap();
    assert_eq!(w.door.lock.condition(cell), Ok(Condition::Damaged));
    w.lock_refuses(LockError::SlotDamaged, |w| w.open(&mut ana));
    w.lock_refuses(LockError::SlotDamaged, |w| w.open(&mut ben));
    // Nor does it become sound by being read once more.
    w.door.lock.reload(cell, Found::Bytes(&older)).unwrap();
    w.lock_refuses(LockError::SlotDamaged, |w| w.open(&mut ana));
    // The right one does.
    let right = w.door.store.get(cell).unwrap().to_vec();
    w.door.lock.reload(cell, Found::Bytes(&right)).unwrap();
    w.open(&mut ben).unwrap();
}

#[test]
fn an_older_header_read_back_in_the_same_run_gives_the_lock_to_nobody() {
    let mut w = World::active();
    let older = w.door.store.get(Cell::Header).unwrap().to_vec();
    let (owner, service) = (w.olga.key(), w.cloud.key());
    w.olga.transfer(&mut w.door, owner, service).unwrap();
    let (session, command, _pending) = w.ordered(Order::Transfer { owner, service });
    let now = w.door.now();
    let staged = w.door.lock.command(session, &command, now).unwrap();
    assert_eq!(staged.commit(|_| Err(PowerCut)).err(), Some(PowerCut));
    assert_eq!(w.door.lock.ownership(), Err(LockError::Busy));
    w.door.lock.reload(Cell::Header, Found::Bytes(&older)).unwrap();
    assert_eq!(w.door.lock.ownership(), Err(LockError::Damaged));
}
