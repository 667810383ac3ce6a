//! What the service makes of receipts and Dones.

use sharekey::counter::Epoch;
use sharekey::error::{ServiceError, SignatureError, WireError};
use sharekey::id::{LockId, SlotId};
use sharekey::limits::{Action, Timestamp};
use sharekey::message::{Completed, Done, Holding, Receipt, SlotReport};
use sharekey::service::ShareRecord;
use sharekey::slot::State;
use sharekey_stage::desk::*;
use sharekey_stage::forge::{signed, some_digest};
use sharekey_stage::{digest, public, seed};

fn refuses_receipt(record: &ShareRecord, receipt: &[u8]) -> ServiceError {
    let mut after = record.clone();
    let error = service().confirm(&mut after, receipt).err().unwrap();
    assert_eq!(after, *record);
    error
}

fn refuses_done(record: &ShareRecord, done: &[u8]) -> ServiceError {
    let mut after = record.clone();
    let error = service().done(&mut after, done).err().unwrap();
    assert_eq!(after, *record);
    error
}

//= spec/protocol.md#done-and-receipt
//# SLO-27. A receipt above the proven floor MUST make its own generation live, as confirmed with its device.
//= spec/protocol.md#done-and-receipt
//# SLO-28. A receipt for the grant that is being shared MUST make the share confirmed.
#[test]
fn a_receipt_confirms_the_share() {
    let mut record = shared_record(2);
    assert!(!record.slot().is_downloaded());
    take(&mut record, &receipt(2));
    assert_eq!(record.slot().state(), State::Shared);
    assert!(record.slot().is_downloaded());
    assert_eq!(record.evidence().receipt(), Some(receipt(2).as_slice()));
    let confirmation = *record.slot().may_open()[0].confirmation().unwrap();
    assert_eq!((confirmation.device, confirmation.proof), (device(), digest(&receipt(2))));
}

//= spec/protocol.md#states
//# SLO-2. A share MUST NOT become confirmed without the lock's signed statement, a Receipt or a Done of an Inspect, that the grant is installed.
//= spec/protocol.md#service-confirmation
//# SVC-14. The service MUST check a receipt's or a Done's signature under the lock id of the record before it acts on it.
#[test]
fn a_receipt_must_be_whole_signed_by_the_lock_and_for_this_record() {
    let record = shared_record(2);
    let good = receipt_of(2);
    assert_eq!(refuses_receipt(&record, &receipt(2)[..236]), ServiceError::Wire(WireError::Truncated));
    assert_eq!(
        refuses_receipt(&record, &signed(&good, &stranger_seed())),
        ServiceError::ReceiptSignature(SignatureError::Mismatch)
    );
    let cases = [
        (Receipt { lock: LockId::new(public(&seed(60))), ..good }, ServiceError::WrongLock),
        //= spec/protocol.md#done-and-receipt
        //# SLO-39. A receipt or a Done of another epoch than the record's MUST change nothing.
        (Receipt { epoch: Epoch::new(2), ..good }, ServiceError::WrongEpoch),
        (Receipt { slot: SlotId::new(4), ..good }, ServiceError::WrongSlot),
    ];
    for (receipt, error) in cases {
        assert_eq!(refuses_receipt(&record, &signed(&receipt, &lock_seed())), error);
    }
}

//= spec/protocol.md#states
//# SLO-2. A share MUST NOT become confirmed without the lock's signed statement, a Receipt or a Done of an Inspect, that the grant is installed.
#[test]
fn a_receipt_for_another_generation_does_not_confirm_the_share() {
    let mut record = shared_record(4);
    take(&mut record, &receipt(3));
    assert_eq!((record.slot().state(), record.slot().is_downloaded()), (State::Shared, false));
    let other_grant = signed(&receipt_naming(4, some_digest(1)), &lock_seed());
    take(&mut record, &other_grant);
    assert_eq!((record.slot().state(), record.grant()), (State::NotShared, None));
}

//= spec/protocol.md#service-confirmation
//# SVC-25. What is accepted and changes nothing MUST be answered without a write.
#[test]
fn an_old_receipt_changes_nothing() {
    let mut record = shared_record(2);
    take(&mut record, &receipt(2));
    let before = record.clone();
    let rekeyed = signed(&Receipt { install: some_digest(1), ..receipt_of(2) }, &lock_seed());
    take(&mut record, &rekeyed);
    assert_eq!(record, before);
}

#[test]
fn dones_open_and_close_the_slot_in_their_own_order() {
    let mut record = record();
    take(&mut record, &by_lock(&activated(3)));
    assert_eq!(record.slot().state(), State::NotShared);
    let before = record.clone();
    take(&mut record, &by_lock(&deactivated(2)));
    assert_eq!(record.slot().state(), State::NotShared);
    assert_eq!((record.slot(), record.evidence()), (before.slot(), before.evidence()));
    take(&mut record, &by_lock(&deactivated(4)));
    assert_eq!(record.slot().state(), State::Inactive);
    assert_eq!(record.evidence().done(), Some(by_lock(&deactivated(4)).as_slice()));
}

#[test]
fn a_done_that_ends_the_share_drops_its_grant() {
    for ending in [deactivated(3), activated(3), found(2, Holding::Empty)] {
        let mut record = shared_record(2);
        take(&mut record, &by_lock(&ending));
        assert_eq!((record.grant(), record.subject()), (None, None));
    }
}

#[test]
fn an_inspection_confirms_what_a_guest_withheld() {
    let mut record = shared_record(2);
    let found = by_lock(&found(2, Holding::Installed { grant: digest(&granted(2)), device: device() }));
    take(&mut record, &found);
    assert!(record.slot().is_downloaded());
    assert_eq!(record.evidence().inspected(), Some(found.as_slice()));
}

//= spec/protocol.md#done-and-receipt
//# SLO-39. A receipt or a Done of another epoch than the record's MUST change nothing.
//= spec/protocol.md#service-confirmation
//# SVC-14. The service MUST check a receipt's or a Done's signature under the lock id of the record before it acts on it.
#[test]
fn a_done_must_be_whole_signed_by_the_lock_and_for_this_record() {
    let record = shared_record(2);
    let mut trailing = by_lock(&activated(3));
    trailing.push(0);
    assert_eq!(refuses_done(&record, &trailing), ServiceError::Wire(WireError::Trailing));
    assert_eq!(
        refuses_done(&record, &signed(&activated(3), &stranger_seed())),
        ServiceError::DoneSignature(SignatureError::Mismatch)
    );
    let left = SlotReport { floor: generation(3), holding: Holding::Empty };
    for good in [activated(3), deactivated(3), found(3, Holding::Empty)] {
        let elsewhere = Done { lock: LockId::new(public(&seed(60))), ..good };
        assert_eq!(refuses_done(&record, &by_lock(&elsewhere)), ServiceError::WrongLock);
        let later = Done { epoch: Epoch::new(2), ..good };
        assert_eq!(refuses_done(&record, &by_lock(&later)), ServiceError::WrongEpoch);
    }
    let slot = SlotId::new(4);
    for completed in [
        Completed::Activate { slot, generation: generation(3), left },
        Completed::Deactivate { slot, generation: generation(3), left },
        Completed::Inspect { slot, slots: SLOTS, left },
    ] {
        assert_eq!(refuses_done(&record, &by_lock(&done(completed))), ServiceError::WrongSlot);
    }
    let to = Timestamp::from_unix_seconds(1);
    for completed in [Completed::SetClock { to }, Completed::Act { action: Action::Open }] {
        assert_eq!(refuses_done(&record, &by_lock(&done(completed))), ServiceError::NotOfASlot);
    }
}

//= spec/protocol.md#states
//# SLO-5. A view MUST name the version of the record that it is a view of.
#[test]
fn a_report_names_its_version_and_carries_the_evidence() {
    let mut record = shared_record(2);
    take(&mut record, &receipt(2));
    let (report, messages) = reported(&service(), &record);
    assert_eq!((report.version, report.state), (record.version(), State::Shared));
    assert_eq!(messages, [by_lock(&activated(1)), receipt(2), granted(2)]);
}
