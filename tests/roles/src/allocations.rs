//! Nothing on a lock's paths allocates, accepted or refused, under any provider: counted.

use allocation_counter::measure;
#[cfg(feature = "ring")]
use sharekey::crypto::Ring;
#[cfg(feature = "rustcrypto")]
use sharekey::crypto::RustCrypto;
use sharekey::error::LockError;
use sharekey::limits::Limits;
use sharekey::lock::{Accepted, Cell, Clock, Door, Found, Lock, Making, Now, Pending, Record, StoredSeed, purpose};
use sharekey::message::Connect;
use sharekey::wire::Kind;
use sharekey_stage::cells::every_limit;
use sharekey_stage::firmware::Outcome;
use sharekey_stage::house::{House, NOW, stored};
use sharekey_stage::ops::Op;
use sharekey_stage::provider::{Plain as Provider, Provider as Cast};
use sharekey_stage::ready::{Finish, Ready};
use sharekey_stage::rng;
use sharekey_stage::stand::card;
use sharekey_stage::store::Store;

const SLOTS: usize = 3;

type TestHouse<C> = House<C, SLOTS>;

/// The call's result. It allocated nothing.
#[track_caller]
fn free<T>(call: impl FnOnce() -> T) -> T {
    let mut result = None;
    let counted = measure(|| result = Some(call()));
    assert_eq!(counted.count_total, 0, "allocations");
    result.expect("the call was made")
}

fn making_and_booting<C: Provider>() {
    let (mut rng, mut store) = (rng(9), Store::default());
    let mut making = free(|| Making::<C, SLOTS>::new(C::default(), card(), Found::Nothing, &mut rng)).unwrap();
    // Not the stage's: each record is counted for itself, and the store allocates.
    while let Some(record) = free(|| making.record()).unwrap() {
        store.put(&record).unwrap();
        free(|| making.written());
    }
    let made = free(|| making.finish().ok()).expect("all records are written");

    let seed = free(|| StoredSeed::read(&C::default(), store.found(Cell::Seed))).unwrap();
    let mut lock = free(|| Lock::<C, SLOTS>::load(C::default(), card(), &seed)).unwrap();
    for cell in Lock::<C, SLOTS>::cells() {
        free(|| lock.reload(cell, store.found(cell))).unwrap();
    }
    assert_eq!(lock.id(), made.id());

    let mut door = free(|| Door::<_, _, SLOTS>::boot(C::default(), card(), &mut store, &mut rng)).unwrap();
    // The first of a run writes a lease, and the store allocates.
    let _ = door.serve(&Connect::OPERATE, NOW, None, &mut rng).unwrap();
    for (frame, answered) in [(&Connect::OPERATE[..], Kind::Challenge), (b"", Kind::Refused)] {
        let served = free(|| door.serve(frame, NOW, None, &mut rng)).unwrap();
        assert_eq!(Kind::of(served.answer()), Ok(answered));
    }
}

/// Commits to a store that keeps nothing.
struct Commit;

impl Finish for Commit {
    fn now<T: Outcome>(&mut self, staged: Accepted<'_, T>, _: &mut Store) -> Option<(Option<Record>, Pending<T>)> {
        let Ok(_) = staged.commit(stored);
        None
    }
}

fn every_operation<C: Provider>() {
    for op in Op::ALL {
        let ready = Ready::<C>::under(op);
        free(|| ready.end(&mut Commit));
    }
}

fn downloading_and_opening<C: Provider>() {
    let mut house = TestHouse::<C>::new(1);
    let claimed = house.share(every_limit(1));
    // Anew, and then as a re-key.
    for _ in 0..2 {
        let (session, bundle) = house.bundle(&claimed);
        let House { lock, rng, .. } = &mut house;
        let Ok(_) = free(|| lock.install(session, &bundle, NOW, rng).map(|staged| staged.commit(stored))).unwrap();
    }
    let key = house.download(&claimed);
    let (session, unlock) = house.unlock_message(&key);
    let Ok(_) = free(|| house.lock.unlock(session, &unlock, NOW).map(|staged| staged.commit(stored))).unwrap();
    // The one use is spent: refused, with the reason under MAC.
    let (session, unlock) = house.unlock_message(&key);
    assert!(free(|| house.lock.unlock(session, &unlock, NOW).is_err()));
}

fn refusing<C: Provider>() {
    let mut house = TestHouse::<C>::new(4);
    let claimed = house.share(Limits::NONE);
    // No bundle; another lock's; and one that the last of its four signatures fails.
    for spoil in 0..3 {
        let (session, mut bundle) = house.bundle(&claimed);
        match spoil {
            0 => bundle.truncate(9),
            1 => bundle[10] ^= 1,
            _ => *bundle.last_mut().unwrap() ^= 1,
        }
        let House { lock, rng, .. } = &mut house;
        assert!(free(|| lock.install(session, &bundle, NOW, rng).is_err()));
    }
    let (session, bundle) = house.bundle(&claimed);
    let _newer = house.challenge::<purpose::Install>();
    let House { lock, rng, .. } = &mut house;
    assert!(free(|| lock.install(session, &bundle, NOW, rng).is_err()), "an older session");

    // Refused after all four signatures, with the reason, signed.
    let (session, bundle) = house.bundle(&claimed);
    let _ = house.install(session, &bundle);
    house.withdraw();
    let next = house.share(every_limit(1));
    let (session, bundle) = house.bundle(&next);
    let (House { lock, rng, .. }, clockless) = (&mut house, Now { clock: Clock::Absent, ..NOW });
    let refusal = free(|| lock.install(session, &bundle, clockless, rng).map(drop)).unwrap_err();
    assert_eq!(refusal.error(), LockError::NoClock);

    let (session, command) = house.command_message();
    let mut command = command.to_vec();
    *command.last_mut().unwrap() ^= 1;
    assert!(free(|| house.lock.command(session, &command, NOW).is_err()), "a forged command");
    let key = house.download(&next);
    let (session, unlock) = house.unlock_message(&key);
    let mut unlock = unlock.to_vec();
    *unlock.last_mut().unwrap() ^= 1;
    assert!(free(|| house.lock.unlock(session, &unlock, NOW).is_err()), "a forged unlock");
}

fn every_path<C: Provider>() {
    making_and_booting::<C>();
    every_operation::<C>();
    downloading_and_opening::<C>();
    refusing::<C>();
}

#[cfg(feature = "ring")]
#[test]
fn no_path_of_a_lock_on_ring_allocates() {
    every_path::<Ring>();
}

#[cfg(feature = "rustcrypto")]
#[test]
fn no_path_of_a_lock_on_rustcrypto_allocates() {
    every_path::<RustCrypto>();
}

#[test]
fn an_allocation_is_counted() {
    let counted = measure(|| drop(std::hint::black_box(vec![1_u8])));
    assert_eq!(counted.count_total, 1);
}

#[test]
#[should_panic(expected = "allocations")]
fn a_path_that_allocates_is_noticed() {
    let _ = free(|| std::hint::black_box(TestHouse::<Cast>::new(6)).view.lock());
}
