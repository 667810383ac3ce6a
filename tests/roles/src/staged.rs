//! A change that waits for a store that calls back: nothing leaves before it is stored, and no second change is
//! decided on what the first one changes.

use sharekey::error::{Fault, NotPending, OwnerError, Retry, ServiceError};
use sharekey::limits::{Limits, Rights};
use sharekey::message::{Command, Grant, ReportRequest};
use sharekey::owner::{Method, Order, OwnedLock, PendingCommand, PendingReport};
use sharekey::service::ShareRecord;
use sharekey::slot::State;
use sharekey::staged::{Detached, Staged};
use sharekey::wire::{Encoded, Kind};
use sharekey_stage::desk::*;
use sharekey_stage::public;
use sharekey_stage::world::through_storage;

const ACTIVATE: Order = Order::Activate { slot: SLOT };

type Waiting = Detached<OwnedLock, (Encoded<Command>, PendingCommand)>;

fn ordered(view: &mut OwnedLock) -> Waiting {
    owner().order(view, ACTIVATE, &challenge(), &mut rng()).unwrap().detach()
}

fn sharing(view: &mut OwnedLock) -> Staged<'_, OwnedLock, Encoded<Grant>> {
    owner().share(view, SLOT, public(&subject_seed()), Method::Account, Rights::OPEN, Limits::NONE).unwrap()
}

//= spec/protocol.md#owner
//# OWN-8. The owner MUST store the number that a grant or a command takes before the message exists for anybody else.
#[test]
fn a_detached_change_gives_its_message_once_the_view_is_stored() {
    let mut view = active_view();
    let before = view.clone();
    let waiting = sharing(&mut view).detach();
    assert_eq!((view.status(SLOT).state, &view), (Some(State::NotShared), &before), "nothing has happened yet");
    assert!(!format!("{waiting:?}").contains("output"), "and its result does not show");
    let disk = through_storage(waiting.next());
    let grant = waiting.stored(&mut view).unwrap();
    assert_eq!((view.status(SLOT).state, &view, grant.as_bytes()), (Some(State::Sharing), &disk, &*granted(2)));
}

fn asked(view: &OwnedLock) -> (Encoded<ReportRequest>, PendingReport) {
    owner().ask(view, SLOT, NOW, &mut rng()).unwrap()
}

#[test]
fn while_a_change_waits_nothing_else_is_decided_on_the_view() {
    let mut view = sharing_view();
    let (_, earlier) = accept(owner().order(&mut view, ACTIVATE, &challenge(), &mut rng()).unwrap());
    let mut asked = vec![asked(&view), asked(&view)];
    let waiting = ordered(&mut view);
    let before = view.clone();
    let copy = &mut view.clone();
    for view in [&mut view, copy] {
        let (owner, subject) = (owner(), public(&subject_seed()));
        let key = view.status(SLOT).shared.unwrap().key;
        let share = owner.share(view, SLOT, subject, Method::Code, Rights::OPEN, Limits::NONE).map(drop);
        assert_eq!(share, Err(OwnerError::Busy));
        assert_eq!(owner.order(view, ACTIVATE, &challenge(), &mut rng()).map(drop), Err(OwnerError::Busy));
        assert_eq!(owner.withdraw(view, SLOT).map(drop), Err(OwnerError::Busy));
        assert_eq!(owner.withdraw_key(view, SLOT, key).map(drop), Err(OwnerError::Busy));
        assert_eq!(owner.learn(view, &receipt(2)).map(drop), Err(OwnerError::Busy));
        let (request, pending) = asked.pop().unwrap();
        let report = answer(&request, (9, State::Shared), &[receipt(2)]);
        assert_eq!(owner.see(view, pending, &report).map(drop), Err(OwnerError::Busy));
        assert_eq!(owner.ask(view, SLOT, NOW, &mut rng()).map(drop), Err(OwnerError::Busy));
        assert_eq!(earlier.finish(&owner, view, &by_lock(&activated(3))).map(drop), Err(OwnerError::Busy));
        assert_eq!(*view, before);
    }
    assert_eq!((OwnerError::Busy.fault(), OwnerError::Busy.retry()), (Fault::Caller, Retry::Later));
    waiting.stored(&mut view).unwrap();
    accept(owner().withdraw(&mut view, SLOT).unwrap());
}

/// Two that were decided on the same view would take the same number.
#[test]
fn of_two_changes_on_two_copies_neither_passes_for_the_other() {
    let disk = active_view();
    let (mut one, mut other) = (through_storage(&disk), through_storage(&disk));
    let (first, second) = (ordered(&mut one), ordered(&mut other));
    assert_eq!(first.next(), second.next());
    assert_eq!(first.stored(&mut other).err(), Some(NotPending));
    assert_eq!(other, disk);
    assert_eq!(owner().withdraw(&mut other, SLOT).map(drop), Err(OwnerError::Busy), "the other still waits");
    second.stored(&mut other).unwrap();
    assert_eq!(other.slot(SLOT).unwrap().highest(), generation(2));
}

#[test]
fn a_change_that_is_dropped_holds_the_view_until_that_is_read_again() {
    let mut view = active_view();
    drop(sharing(&mut view).detach());
    assert_eq!(owner().withdraw(&mut view, SLOT).map(drop), Err(OwnerError::Busy));
    // What is held is this copy, and nothing that is stored.
    let mut read = through_storage(&view);
    assert_eq!(read, view);
    assert_eq!(accept(sharing(&mut read)).as_bytes(), granted(2));
}

#[test]
fn a_change_that_the_store_did_not_take_is_given_up() {
    let mut view = active_view();
    let before = view.clone();
    let waiting = sharing(&mut view).detach();
    waiting.abandon(&mut view).unwrap();
    assert_eq!(view, before);
    assert_eq!(sharing(&mut view).detach().stored(&mut view).unwrap().as_bytes(), granted(2), "its number is free");
    let waiting = ordered(&mut view);
    let mut read = through_storage(&view);
    assert_eq!(waiting.abandon(&mut read), Err(NotPending));
}

#[test]
fn a_report_about_a_view_that_was_read_again_changes_nothing() {
    let mut view = active_view();
    let waiting = sharing(&mut view).detach();
    view = through_storage(&view);
    let before = view.clone();
    assert_eq!(waiting.stored(&mut view).err(), Some(NotPending));
    assert_eq!(view, before);
    assert_eq!((NotPending.fault(), NotPending.retry()), (Fault::Caller, Retry::Refresh));
}

//= spec/protocol.md#service
//# SVC-4. The service MUST NOT give out a Release or a Withdrawn before the store accepted the record that it belongs to.
#[test]
fn a_record_waits_for_its_store_as_a_view_does() {
    let mut record = sharing_record(2);
    let before = record.clone();
    let waiting = service().release(&mut record, &claimed(2), &install(2, 1)).unwrap().detach();
    assert_eq!(record, before);
    let refused = |record: &mut ShareRecord| service().withdraw(record, &withdraw(2)).map(drop);
    assert_eq!(refused(&mut record), Err(ServiceError::Busy));
    assert_eq!(service().publish(&mut record, &granted(3)).map(drop), Err(ServiceError::Busy));
    assert_eq!(service().confirm(&mut record, &receipt(2)).map(drop), Err(ServiceError::Busy));
    assert_eq!((ServiceError::Busy.fault(), ServiceError::Busy.retry()), (Fault::Service, Retry::Later));
    let stored = through_storage(waiting.next().of_slot());
    let release = waiting.stored(&mut record).unwrap().answer().unwrap();
    assert_eq!(Kind::of(&release), Ok(Kind::Release));
    assert_eq!((record.of_slot(), record.version()), (&stored, before.version() + 1));
    assert_eq!(refused(&mut record), Ok(()));
}
