//! Nothing on a lock's paths allocates, accepted or refused, under any provider: counted.

use std::collections::BTreeMap;

use allocation_counter::measure;
use sharekey::crypto::Ring;
#[cfg(feature = "rustcrypto")]
use sharekey::crypto::RustCrypto;
use sharekey::error::LockError;
use sharekey::limits::{Action, Limits, OffsetChange, Schedule, Timestamp, UtcOffset, Weekdays};
use sharekey::lock::{Clock, Found, Lock, Making, Now, PhysicalPresence, StoredSeed, purpose};
use sharekey::message::{Challenge, FactoryReset};
use sharekey::owner::Owner;
use sharekey::secret::{ActivationSecret, Seed};
use sharekey::wire::Unverified;
use sharekey_stage::house::{House, NOW, stored};
use sharekey_stage::provider::Plain as Provider;
use sharekey_stage::rng;

const SLOTS: usize = 3;

type TestHouse<C> = House<C, SLOTS>;

fn card() -> ActivationSecret {
    ActivationSecret::from_bytes([7; 16])
}

/// The call's result. It allocated nothing.
#[track_caller]
fn free<T>(call: impl FnOnce() -> T) -> T {
    let mut result = None;
    let counted = measure(|| result = Some(call()));
    assert_eq!(counted.count_total, 0, "allocations");
    result.expect("the call was made")
}

/// Every limit that there is, met at [`NOW`].
fn every_limit() -> Limits {
    let at = Timestamp::from_unix_seconds;
    let next = OffsetChange { at: at(sharekey_stage::house::NOON * 2), offset: UtcOffset::UTC };
    let schedule = Schedule::new(Weekdays::ALL, 0, 1440, UtcOffset::UTC, Some(next)).unwrap();
    Limits::new(Some(at(1)), Some(at(sharekey_stage::house::NOON * 2)), Some(schedule), Some(1)).unwrap()
}

fn making_booting_and_provisioning<C: Provider>() {
    let (mut rng, mut flash) = (rng(9), BTreeMap::new());
    let mut making = free(|| Making::<C, SLOTS>::new(C::default(), card(), Found::Nothing, &mut rng)).unwrap();
    while let Some(record) = free(|| making.record()).unwrap() {
        flash.insert(record.cell().key(), record.as_bytes().to_vec());
        free(|| making.written());
    }
    let made = free(|| making.finish().ok()).expect("all records are written");

    let seed = free(|| StoredSeed::read(Found::Bytes(&flash[&0]))).unwrap();
    let mut lock = free(|| Lock::<C, SLOTS>::load(C::default(), card(), &seed)).unwrap();
    for cell in Lock::<C, SLOTS>::cells() {
        free(|| lock.reload(cell, flash.get(&cell.key()).map(Vec::as_slice))).unwrap();
    }
    assert_eq!(lock.id(), made.id());

    let owner = Owner::new(C::default(), &Seed::random(&mut rng)).unwrap();
    let Ok(given) =
        free(|| lock.challenge::<purpose::Operate>(NOW, &mut rng).map(|staged| staged.commit(stored))).unwrap();
    let (provision, _) = owner.provision(&card(), &given.challenge, *owner.key(), &mut rng).unwrap();
    let Ok(_) = free(|| lock.provision(given.session, &provision, NOW).map(|staged| staged.commit(stored))).unwrap();
}

fn downloading_and_opening<C: Provider>() {
    let mut house = TestHouse::<C>::new(1);
    let claimed = house.share(every_limit());
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

fn commanding<C: Provider>() {
    let mut house = TestHouse::<C>::new(2);
    let (slot, stranger) = (house.slot, *Owner::new(C::default(), &Seed::random(&mut rng(3))).unwrap().key());
    for order in 0..6 {
        let (challenge, session) = house.challenge();
        let House { owner, view, rng, .. } = &mut house;
        let ordered = match order {
            0 => owner.deactivate(view, slot, &challenge, rng),
            1 => owner.activate(view, slot, &challenge, rng),
            2 => owner.set_clock(view, Timestamp::from_unix_seconds(sharekey_stage::house::NOON), &challenge, rng),
            3 => owner.act(view, Action::Open, &challenge, rng),
            4 => owner.inspect(view, slot, &challenge, rng),
            _ => owner.transfer(view, stranger, stranger, &challenge, rng),
        };
        let Ok((command, pending)) = ordered.unwrap().commit(stored);
        let Ok(done) = free(|| house.lock.command(session, &command, NOW).map(|staged| staged.commit(stored))).unwrap();
        let House { owner, view, .. } = &mut house;
        let Ok(_) = pending.finish(owner, view, &done.done).unwrap().commit(stored);
    }
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
    let next = house.share(every_limit());
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

fn resetting<C: Provider>() {
    let mut house = TestHouse::<C>::new(5);
    let (challenge, session) = house.challenge();
    let claims = *Unverified::<Challenge>::parse(&challenge).unwrap().claims();
    let reset = FactoryReset::seal(&C::default(), &card(), &claims).unwrap();
    let House { lock, rng, .. } = &mut house;
    let button = PhysicalPresence::button_is_pressed();
    let Ok(_) =
        free(|| lock.factory_reset(session, &reset, button, NOW, rng).map(|staged| staged.commit(stored))).unwrap();
}

fn every_path<C: Provider>() {
    making_booting_and_provisioning::<C>();
    downloading_and_opening::<C>();
    commanding::<C>();
    refusing::<C>();
    resetting::<C>();
}

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
    let _ = free(|| std::hint::black_box(TestHouse::<Ring>::new(6)).view.lock());
}
