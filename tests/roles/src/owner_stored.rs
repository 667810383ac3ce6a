//! How a view is stored: never in place of one that knows more, or that somebody else changed meanwhile.

use std::convert::Infallible;

use sharekey::counter::Epoch;
use sharekey::id::LockId;
use sharekey::limits::{Limits, Rights};
use sharekey::message::{Done, Grant};
use sharekey::owner::{Method, Order, OwnedLock};
use sharekey::wire::Unverified;
use sharekey_stage::desk::*;
use sharekey_stage::forge::signed;
use sharekey_stage::world::through_storage;
use sharekey_stage::{public, seed};

//= spec/protocol.md#owner
//# OWN-37. A view MUST NOT be stored in place of another of the same lock and owner whose epoch is not lower.
#[test]
fn a_new_view_takes_no_place_of_one_that_knows_more() {
    let me = public(&owner_seed());
    let adopted = |epoch| {
        let done = by_lock(&transfer_to(me, public(&service_seed()), epoch));
        owner().adopt(lock(), &public(&service_seed()), &done).unwrap()
    };
    // The same card again, with a key installed.
    let mut held = sharing_view();
    let _ = accept(owner().learn(&mut held, &receipt(2)).unwrap());
    let (message, pending) = owner().provision(&card(), &challenge(), public(&service_seed()), &mut rng()).unwrap();
    let again = pending.finish(&owner(), &signed(&answer_provision(&message), &lock_seed())).unwrap();
    let never = |_: &OwnedLock| Err("written");
    assert_eq!(again.clone().put_new(Some(held.clone()), never), Ok(held.clone()));
    assert_eq!(again.clone().put_new(None, never), Err("written"));
    // A later ownership, and an old Done.
    let second = adopted(2).put_new(Some(held.clone()), |_| Ok::<_, Infallible>(())).unwrap();
    assert_eq!((second.epoch(), second.version()), (Epoch::new(2), held.version() + 1));
    assert!(second.follows(Some(&held)) && second.status(SLOT).as_of.is_none());
    assert_eq!(adopted(2).put_new(Some(second.clone()), never), Ok(second.clone()));
    assert_eq!(adopted(1).put_new(Some(second.clone()), never), Ok(second.clone()));
    // Another lock's, or another owner's, is not in its place.
    let other = keep_view_of_another_lock();
    assert_eq!(adopted(2).put_new(Some(other), |_| Ok::<_, Infallible>(())).map(|view| view.version()), Ok(1));
}

fn keep_view_of_another_lock() -> OwnedLock {
    let (lock, me) = (LockId::new(public(&seed(50))), public(&owner_seed()));
    let body = Done { lock, ..transfer_to(me, public(&service_seed()), 9) };
    keep(owner().adopt(lock, &public(&service_seed()), &signed(&body, &seed(50))).unwrap())
}

//= spec/protocol.md#owner
//# OWN-38. A view MUST be stored only in place of the version that it was made from.
#[test]
fn of_two_processes_on_one_stored_view_the_later_is_refused_and_decides_again() {
    let mut disk = active_view();
    let (mut app, mut widget) = (through_storage(&disk), through_storage(&disk));
    let mut write = |next: &OwnedLock| {
        if !next.follows(Some(&disk)) {
            return Err("changed meanwhile");
        }
        disk = through_storage(next);
        Ok(())
    };
    let ordered = owner().order(&mut app, Order::Activate { slot: SLOT }, &challenge(), &mut rng()).unwrap();
    assert!(ordered.commit(&mut write).is_ok());
    let shared = |view: &mut OwnedLock, write: &mut dyn FnMut(&OwnedLock) -> Result<(), &'static str>| {
        let to = public(&subject_seed());
        owner().share(view, SLOT, to, Method::Account, Rights::OPEN, Limits::NONE).unwrap().commit(write)
    };
    assert_eq!(shared(&mut widget, &mut write).map(drop), Err("changed meanwhile"), "or number 2 were signed twice");
    let before = widget.clone();
    widget = through_storage(&app);
    assert_ne!(before, widget);
    let grant = shared(&mut widget, &mut write).unwrap();
    let generation = Unverified::<Grant>::parse(&grant).unwrap().claims().generation;
    assert_eq!((generation.value(), disk.follows(Some(&widget)), disk.follows(None)), (3, true, false));
}
