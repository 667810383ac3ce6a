//! What a view keeps of reports: the latest version, and what it learned by them.

use sharekey::error::{OwnerError, Retry, SignatureError, SlotError};
use sharekey::owner::{AsOf, OwnedLock};
use sharekey::slot::{MAX_LIVE, State};
use sharekey_stage::desk::{self, *};
use sharekey_stage::forge::signed;
use sharekey_stage::public;

use super::owner_view::{NEVER, NOTHING, key, learn, live};

const MISMATCH: SignatureError = SignatureError::Mismatch;

fn as_of(version: u64) -> AsOf {
    AsOf { version, time: NOW }
}

#[test]
fn a_report_is_taken_in_whole_and_never_an_older_one() {
    let mut view = sharing_view();
    assert_eq!(view.status(SLOT).as_of, None);
    let (done, receipt) = (by_lock(&activated(1)), receipt(2));
    let learned = accept(desk::see(&mut view, (7, State::NotShared), &[&done, &receipt]).unwrap());
    let [done, receipt] = learned.learned.try_into().unwrap();
    assert_eq!((done.news, receipt.news), (false, true));
    //= spec/protocol.md#states
    //# SLO-5. A view MUST name the version of the record that it is a view of.
    assert_eq!((view.status(SLOT).as_of, view.status(SLOT).state), (Some(as_of(7)), Some(State::Shared)));

    let before = view.clone();
    //= spec/protocol.md#owner
    //# OWN-27. The owner MUST refuse a report whose version is below that of a report of the same slot and epoch that it took in before.
    assert_eq!(desk::see(&mut view, (6, State::NotShared), &NOTHING).err(), Some(OwnerError::OlderReport));
    let forged = signed(&activated(3), &stranger_seed());
    let good = by_lock(&deactivated(3));
    //= spec/protocol.md#owner
    //# OWN-28. A report MUST NOT change anything where one of its messages is refused.
    let error = desk::see(&mut view, (8, State::NotShared), &[&good, &forged]).err();
    assert_eq!(error, Some(OwnerError::DoneSignature(MISMATCH)));
    assert_eq!(view, before);
    let _ = accept(desk::see(&mut view, (7, State::NotShared), &NOTHING).unwrap());
}

//= spec/protocol.md#owner
//# OWN-27. The owner MUST refuse a report whose version is below that of a report of the same slot and epoch that it took in before.
#[test]
fn a_version_that_the_record_never_reaches_is_forgotten_with_its_epoch() {
    let mut view = active_view();
    let _ = accept(desk::see(&mut view, (u64::MAX, State::NotShared), &NOTHING).unwrap());
    assert_eq!(desk::see(&mut view, (8, State::NotShared), &NOTHING).err(), Some(OwnerError::OlderReport));
    let _ = learn(&mut view, &by_lock(&transfer_to(public(&owner_seed()), public(&service_seed()), 2)));
    assert_eq!(view.status(SLOT).as_of, None);
    let _ = accept(desk::see(&mut view, (8, State::NotShared), &NOTHING).unwrap());
    assert_eq!(view.status(SLOT).as_of, Some(as_of(8)));
}

/// A phone that saw each of `MAX_LIVE` grants while it was shared, and none of the answers to their withdrawals.
fn full_of_dead_grants() -> OwnedLock {
    let mut view = active_view();
    for n in 2..18 {
        let _ = accept(desk::see(&mut view, (u64::from(n), State::NotShared), &[&granted(n)]).unwrap());
    }
    assert_eq!(live(&view).len(), MAX_LIVE);
    let error = desk::see(&mut view, (18, State::NotShared), &[&granted(18)]).err().unwrap();
    assert_eq!((error, error.retry()), (OwnerError::Slot(SlotError::LiveFull), Retry::Inspect));
    view
}

#[test]
fn a_phone_that_missed_the_answers_to_withdrawals_asks_again_and_takes_reports_in_again() {
    let mut view = full_of_dead_grants();
    let _ = accept(owner().withdraw_key(&mut view, SLOT, key(2)).unwrap());
    let _ = learn(&mut view, &withdrawn(2, NEVER));
    let _ = accept(desk::see(&mut view, (18, State::NotShared), &[&granted(18)]).unwrap());
    assert_eq!((view.status(SLOT).shared.unwrap().key, live(&view).len()), (key(18), MAX_LIVE));
}

#[test]
fn an_activate_at_the_lock_ends_what_a_phone_missed_the_withdrawals_of() {
    let mut view = full_of_dead_grants();
    let _ = accept(desk::see(&mut view, (18, State::NotShared), &[&by_lock(&activated(17)), &granted(18)]).unwrap());
    assert_eq!((view.status(SLOT).shared.unwrap().key, live(&view)), (key(18), vec![18]));
}
