//! The service: for every rule, a request in which only that rule is broken.

use sharekey::counter::{Epoch, Term};
use sharekey::error::{Fault, KeyError, Retry, ServiceError, SignatureError, SlotError, WireError};
use sharekey::id::{LockId, SlotId};
use sharekey::message::{Grant, Provisioned, Release, Withdraw, Withdrawn, WithdrawnOutcome};
use sharekey::service::{Changed, LockRecord, Service, ShareRecord, SlotRecord};
use sharekey::slot::State;
use sharekey::wire::Unverified;
use sharekey_stage::desk::*;
use sharekey_stage::forge::{signed, some_digest};
use sharekey_stage::provider::Provider;
use sharekey_stage::rows::joined;
use sharekey_stage::{digest, public, seed};

const MISMATCH: SignatureError = SignatureError::Mismatch;

/// The error of a request, and proof that the record stayed as it was.
fn refused<T>(
    record: &ShareRecord,
    request: impl FnOnce(&Service<Provider>, &mut ShareRecord) -> Result<T, ServiceError>,
) -> ServiceError {
    let mut after = record.clone();
    let error = request(&service(), &mut after).err().unwrap();
    assert_eq!(after, *record);
    error
}

fn refuses_grant(record: &ShareRecord, grant: &[u8]) -> ServiceError {
    refused(record, |service, record| service.publish(record, grant).map(drop))
}

fn refuses_withdraw(record: &ShareRecord, withdraw: &[u8]) -> ServiceError {
    refused(record, |service, record| service.withdraw(record, withdraw).map(drop))
}

fn refuses_release(record: &ShareRecord, claim: &[u8], install: &[u8]) -> ServiceError {
    refused(record, |service, record| service.release(record, claim, install).map(drop))
}

fn refuses_reopen(record: &ShareRecord, statement: &[u8]) -> ServiceError {
    refused(record, |service, record| reopen(service, record, statement))
}

// --- open ---------------------------------------------------------------------------------------

#[test]
fn a_record_opens_on_provisioned_and_on_a_transfer() {
    let record = record();
    assert_eq!((record.version(), record.epoch(), record.slot().state()), (1, EPOCH, State::Inactive));
    assert_eq!((record.lock(), record.slot_id(), *record.owner()), (lock(), SLOT, public(&owner_seed())));
    assert_eq!(record.of_lock().statement(), signed(&provisioned(), &lock_seed()));
    let transfer = transfer_to(public(&owner_seed()), public(&service_seed()), 4);
    let new = open(&service(), &by_lock(&transfer), SLOT).unwrap();
    assert_eq!((new.epoch(), service().serves(&new)), (Epoch::new(4), true));
}

//= spec/protocol.md#service
//# SVC-1. The service MUST open a lock's record only on a Provisioned or a Done of a Transfer, signed by that lock, that names the service's own key.
//= spec/protocol.md#service-confirmation
//# SVC-19. The service MUST refuse a statement of ownership whose owner key fails KEY-1 or KEY-2.
#[test]
fn a_record_opens_on_nothing_else() {
    let open = |statement: &[u8]| service().open(statement).unwrap_err();
    assert_eq!(open(&[]), ServiceError::Wire(WireError::Truncated));
    assert!(matches!(open(&granted(2)), ServiceError::Wire(WireError::Kind { .. })));
    assert_eq!(open(&by_lock(&activated(1))), ServiceError::NotATransfer);
    assert_eq!(open(&signed(&provisioned(), &stranger_seed())), ServiceError::OwnershipSignature(MISMATCH));
    let transfer = transfer_to(public(&owner_seed()), public(&service_seed()), 4);
    assert_eq!(open(&signed(&transfer, &stranger_seed())), ServiceError::OwnershipSignature(MISMATCH));
    let elsewhere = Provisioned { service: public(&stranger_seed()), ..provisioned() };
    assert_eq!(open(&signed(&elsewhere, &lock_seed())), ServiceError::OtherService);
    let bad_owner = Provisioned { owner: bad_key(), ..provisioned() };
    assert_eq!(open(&signed(&bad_owner, &lock_seed())), ServiceError::OwnerKey(KeyError::SmallOrder));
}

//= spec/protocol.md#slot-record
//# SLO-1. A record of a new epoch MUST begin Inactive, with all numbers 0 and nothing live.
#[test]
fn a_transfer_begins_the_record_anew() {
    let mut record = shared_record(2);
    let version = record.version();
    let transfer = by_lock(&transfer_to(public(&seed(50)), public(&service_seed()), 2));
    take(&mut record, &transfer);
    assert_eq!((record.version(), record.epoch(), *record.owner()), (version + 1, Epoch::new(2), public(&seed(50))));
    assert_eq!((record.slot().state(), record.slot().may_open().len(), record.grant()), (State::Inactive, 0, None));
    assert_eq!(record.of_lock().statement(), transfer);
    // The former owner is out.
    //= spec/protocol.md#service
    //# SVC-6. The service MUST check the grant's signature under the owner key of the record's epoch before it publishes the grant.
    assert_eq!(refuses_grant(&record, &granted(3)), ServiceError::GrantSignature(MISMATCH));
    //= spec/protocol.md#service
    //# SVC-7. The service MUST check the withdrawal's signature under the owner key of the record's epoch before it acts on it.
    assert_eq!(refuses_withdraw(&record, &withdraw(2)), ServiceError::WithdrawSignature(MISMATCH));
}

//= spec/protocol.md#service-confirmation
//# SVC-23. A second statement of ownership for the record's epoch that names the same keys, and no more slots, MUST change nothing.
#[test]
fn the_same_statement_again_changes_nothing() {
    let mut record = shared_record(2);
    take(&mut record, &withdraw(2));
    let before = record.clone();
    let transfer = transfer_to(public(&owner_seed()), public(&service_seed()), 1);
    for statement in [signed(&provisioned(), &lock_seed()), by_lock(&transfer)] {
        take(&mut record, &statement);
        assert_eq!(record, before);
    }
    let stale = ServiceError::Slot(SlotError::StaleNumber);
    assert_eq!(refuses_grant(&record, &granted(2)), stale, "a withdrawn grant stays withdrawn");
}

//= spec/protocol.md#service
//# SVC-2. The service MUST NOT lower a record's epoch.
//= spec/protocol.md#service-confirmation
//# SVC-17. The service MUST refuse a second statement of ownership for the same epoch that names other keys.
#[test]
fn epochs_only_rise_and_never_contradict() {
    let mut record = record();
    let (me, mine) = (public(&owner_seed()), public(&service_seed()));
    take(&mut record, &by_lock(&transfer_to(me, mine, 3)));
    assert_eq!(refuses_reopen(&record, &by_lock(&transfer_to(me, mine, 2))), ServiceError::OldEpoch);
    assert_eq!(refuses_reopen(&record, &signed(&provisioned(), &lock_seed())), ServiceError::OldEpoch);
    let other_owner = transfer_to(public(&seed(50)), mine, 3);
    assert_eq!(refuses_reopen(&record, &by_lock(&other_owner)), ServiceError::Contradiction);
    let other_service = transfer_to(me, public(&seed(50)), 3);
    assert_eq!(refuses_reopen(&record, &by_lock(&other_service)), ServiceError::Contradiction);
}

//= spec/protocol.md#service-confirmation
//# SVC-19. The service MUST refuse a statement of ownership whose owner key fails KEY-1 or KEY-2.
#[test]
fn a_reopening_is_checked_like_an_opening() {
    let record = record();
    let transfer = transfer_to(public(&owner_seed()), public(&service_seed()), 2);
    assert_eq!(
        refuses_reopen(&record, &signed(&transfer, &stranger_seed())),
        ServiceError::OwnershipSignature(MISMATCH)
    );
    let other_lock = sharekey::message::Done { lock: LockId::new(public(&seed(60))), ..transfer };
    assert_eq!(refuses_reopen(&record, &signed(&other_lock, &seed(60))), ServiceError::WrongLock);
    assert_eq!(refuses_reopen(&record, &by_lock(&activated(1))), ServiceError::NotATransfer);
    let bad_owner = transfer_to(bad_key(), public(&service_seed()), 2);
    assert_eq!(refuses_reopen(&record, &by_lock(&bad_owner)), ServiceError::OwnerKey(KeyError::SmallOrder));
}

//= spec/protocol.md#service-confirmation
//# SVC-16. The service MUST NOT publish, release or withdraw anything for a lock whose latest statement of ownership names another service.
#[test]
fn a_lock_that_went_to_another_service_is_served_no_more_until_it_comes_back() {
    let mut record = shared_record(2);
    let to = public(&seed(50));
    let away = by_lock(&transfer_to(public(&owner_seed()), to, 2));
    take(&mut record, &away);
    assert!(!service().serves(&record));
    let later = Grant { epoch: Epoch::new(2), ..grant(5) };
    assert_eq!(refuses_grant(&record, &signed(&later, &owner_seed())), ServiceError::Moved);
    assert_eq!(refuses_withdraw(&record, &signed(&withdraw_of(&later), &owner_seed())), ServiceError::Moved);
    assert_eq!(refuses_release(&record, &claimed(2), &install(2, 1)), ServiceError::Moved);
    let back = by_lock(&transfer_to(public(&owner_seed()), public(&service_seed()), 3));
    take(&mut record, &back);
    assert!(service().serves(&record));
}

// --- publish ------------------------------------------------------------------------------------

#[test]
fn a_published_grant_is_found_by_its_subject() {
    let record = sharing_record(2);
    assert_eq!(record.slot().state(), State::Sharing);
    assert_eq!(record.grant(), Some(granted(2).as_slice()));
    assert_eq!(record.subject(), Some(public(&subject_seed())));
    assert_eq!(active_record().subject(), None);
}

//= spec/protocol.md#frame
//# MSG-3. A reader MUST NOT rely on any field of a message whose authenticator it did not check, except to find the key to check it with.
#[test]
fn a_grant_must_be_whole_signed_and_for_this_record() {
    let record = active_record();
    let mut trailing = granted(2);
    trailing.push(0);
    assert_eq!(refuses_grant(&record, &trailing), ServiceError::Wire(WireError::Trailing));
    //= spec/protocol.md#service
    //# SVC-6. The service MUST check the grant's signature under the owner key of the record's epoch before it publishes the grant.
    assert_eq!(refuses_grant(&record, &signed(&grant(2), &stranger_seed())), ServiceError::GrantSignature(MISMATCH));
    let cases = [
        //= spec/protocol.md#service
        //# SVC-28. The service MUST refuse a message whose `by` names nobody whose key the record has: another one than 0.
        (Grant { by: Term::new(1), ..grant(2) }, ServiceError::UnknownSigner),
        (Grant { lock: LockId::new(public(&seed(60))), ..grant(2) }, ServiceError::WrongLock),
        //= spec/protocol.md#service
        //# SVC-3. The service MUST refuse a message of another epoch than the record's.
        (Grant { epoch: Epoch::new(2), ..grant(2) }, ServiceError::WrongEpoch),
        (Grant { epoch: Epoch::ZERO, ..grant(2) }, ServiceError::WrongEpoch),
        (Grant { slot: SlotId::new(4), ..grant(2) }, ServiceError::WrongSlot),
        //= spec/protocol.md#number-line
        //# SLO-8. A publication at or below the highest number MUST be refused.
        (grant(1), ServiceError::Slot(SlotError::StaleNumber)),
    ];
    for (grant, error) in cases {
        assert_eq!(refuses_grant(&record, &signed(&grant, &owner_seed())), error);
    }
}

//= spec/protocol.md#number-line
//# SLO-9. A publication that is refused for another reason than its authenticator, lock, epoch or slot MUST still raise the highest number.
#[test]
fn a_refused_grant_takes_its_number_and_the_record_is_stored_with_it() {
    let bad_subject = Grant { subject: bad_key(), ..grant(7) };
    let cases = [
        (record(), grant(7), ServiceError::Slot(SlotError::NotActive)),
        (sharing_record(2), grant(7), ServiceError::Slot(SlotError::AlreadyShared)),
        (shared_record(2), grant(7), ServiceError::Slot(SlotError::AlreadyShared)),
        //= spec/protocol.md#service-confirmation
        //# SVC-18. The service MUST refuse a grant whose subject fails KEY-1 or KEY-2.
        (active_record(), bad_subject, ServiceError::SubjectKey(KeyError::SmallOrder)),
    ];
    for (mut record, grant, error) in cases {
        let before = record.clone();
        let staged = service().publish(&mut record, &signed(&grant, &owner_seed())).unwrap();
        //= spec/protocol.md#service-confirmation
        //# SVC-21. The refusal of a publication that took its number MUST NOT be given before the record is stored.
        assert_eq!(staged.changed(), Changed::NumberTaken { number: generation(7) });
        assert_eq!(accept(staged).answer(), Err(error));
        assert_eq!(record.version(), before.version() + 1);
        assert_eq!((record.slot().highest(), record.grant()), (generation(7), before.grant()));
        assert_eq!(record.slot().state(), before.slot().state());
        // From now on nothing at that number is published, whatever is put right.
        take(&mut record, &by_lock(&activated(6)));
        assert_eq!(refuses_grant(&record, &granted(7)), ServiceError::Slot(SlotError::StaleNumber));
        take(&mut record, &granted(8));
    }
}

// --- withdraw -----------------------------------------------------------------------------------

fn answer(record: &mut ShareRecord, n: u32) -> WithdrawnOutcome {
    let withdraw = withdraw(n);
    let bytes = take(record, &withdraw);
    let answer = Unverified::<Withdrawn>::parse(&bytes).unwrap();
    let answer = answer.verify(&Provider, service().key()).unwrap();
    assert_eq!(answer.withdraw, withdraw_of(&grant(n)));
    answer.outcome
}

//= spec/protocol.md#withdrawal
//# SLO-21. Otherwise the answer MUST be NeverReleased.
#[test]
fn a_withdrawal_says_whether_the_release_came_first() {
    let released = WithdrawnOutcome::Released { install: digest(&install(2, 1)) };
    for (mut record, outcome) in [
        (active_record(), WithdrawnOutcome::NeverReleased),
        (record(), WithdrawnOutcome::NeverReleased),
        (sharing_record(2), WithdrawnOutcome::NeverReleased),
        (sharing_record(9), WithdrawnOutcome::NeverReleased),
        (shared_record(2), released),
    ] {
        let version = record.version();
        assert_eq!(answer(&mut record, 2), outcome);
        //= spec/protocol.md#withdrawal
        //# SLO-16. A withdrawal whose authenticator, lock, epoch and slot hold MUST be answered, however often it comes.
        assert_eq!(answer(&mut record, 2), outcome);
        assert!(record.version() <= version + 1, "nor does it change more than once");
        assert_eq!(refuses_grant(&record, &granted(2)), ServiceError::Slot(SlotError::StaleNumber));
    }
    let mut dead = shared_record(2);
    take(&mut dead, &by_lock(&deactivated(3)));
    //= spec/protocol.md#withdrawal
    //# SLO-20. The answer MUST be Settled where a Done or a receipt proved the grant's generation dead.
    assert_eq!(answer(&mut dead, 2), WithdrawnOutcome::Settled);
}

//= spec/protocol.md#service
//# SVC-3. The service MUST refuse a message of another epoch than the record's.
//= spec/protocol.md#service
//# SVC-7. The service MUST check the withdrawal's signature under the owner key of the record's epoch before it acts on it.
#[test]
fn a_withdrawal_must_be_whole_signed_and_for_this_record() {
    let record = sharing_record(2);
    let good = withdraw_of(&grant(2));
    assert_eq!(refuses_withdraw(&record, &withdraw(2)[1..]), ServiceError::Wire(WireError::Magic));
    assert_eq!(refuses_withdraw(&record, &signed(&good, &stranger_seed())), ServiceError::WithdrawSignature(MISMATCH));
    let cases = [
        //= spec/protocol.md#service
        //# SVC-28. The service MUST refuse a message whose `by` names nobody whose key the record has: another one than 0.
        (Withdraw { by: Term::MAX, ..good }, ServiceError::UnknownSigner),
        (Withdraw { lock: LockId::new(public(&seed(60))), ..good }, ServiceError::WrongLock),
        (Withdraw { epoch: Epoch::new(2), ..good }, ServiceError::WrongEpoch),
        (Withdraw { slot: SlotId::new(4), ..good }, ServiceError::WrongSlot),
    ];
    for (withdraw, error) in cases {
        assert_eq!(refuses_withdraw(&record, &signed(&withdraw, &owner_seed())), error);
    }
}

#[test]
fn a_withdrawal_of_another_grant_of_the_same_number_leaves_the_share() {
    let mut record = shared_record(2);
    let other = Withdraw { grant: some_digest(1), ..withdraw_of(&grant(2)) };
    let bytes = take(&mut record, &signed(&other, &owner_seed()));
    assert_eq!(Unverified::<Withdrawn>::parse(&bytes).unwrap().claims().outcome, WithdrawnOutcome::NeverReleased);
    assert_eq!((record.slot().state(), record.grant().is_some()), (State::Shared, true));
}

#[test]
fn the_last_answer_can_be_had_again() {
    let mut record = sharing_record(2);
    assert_eq!(record.evidence().withdrawn(), None);
    let first = take(&mut record, &withdraw(2));
    assert_eq!(record.evidence().withdrawn(), Some(first.as_slice()));
}

// --- release ------------------------------------------------------------------------------------

//= spec/protocol.md#release
//# SLO-15. A release MUST make the state Shared and the grant's generation live.
#[test]
fn a_release_names_the_install_and_is_the_same_for_the_same() {
    let mut record = sharing_record(2);
    let first = take(&mut record, (&claimed(2), &install(2, 1)));
    let release = Unverified::<Release>::parse(&first).unwrap().verify(&Provider, service().key()).unwrap();
    assert_eq!(release.install, digest(&install(2, 1)));
    assert_eq!((record.slot().state(), record.slot().device()), (State::Shared, Some(device())));
    let again = take(&mut record, (&claimed(2), &install(2, 1)));
    assert_eq!(again, first);
    let fresh = take(&mut record, (&claimed(2), &install(2, 2)));
    assert_ne!(fresh, first);
    assert_eq!(record.slot().may_open()[0].install(), Some(digest(&install(2, 2))));
}

#[test]
fn a_release_needs_the_subjects_claim_and_the_devices_install() {
    let good_claim = claim_of(&granted(2), device());
    for record in [sharing_record(2), shared_record(2)] {
        let claim = signed(&good_claim, &stranger_seed());
        let install_for_it = signed(&install_of(&claim, 1), &device_seed());
        //= spec/protocol.md#service-release-checks
        //# SVC-9. The claim's signature MUST verify under the grant's subject.
        assert_eq!(refuses_release(&record, &claim, &install_for_it), ServiceError::ClaimSignature(MISMATCH));
        //= spec/protocol.md#service-release-checks
        //# SVC-8. The claim MUST name the grant that is being shared.
        assert_eq!(refuses_release(&record, &claimed(3), &install(3, 1)), ServiceError::ClaimNamesOtherGrant);
        //= spec/protocol.md#service-release-checks
        //# SVC-10. The install MUST name the claim.
        assert_eq!(refuses_release(&record, &claimed(2), &install(3, 1)), ServiceError::InstallNamesOtherClaim);
        let by_subject = signed(&install_of(&claimed(2), 1), &subject_seed());
        //= spec/protocol.md#service-release-checks
        //# SVC-11. The install's signature MUST verify under the claim's device.
        assert_eq!(refuses_release(&record, &claimed(2), &by_subject), ServiceError::InstallSignature(MISMATCH));
        assert_eq!(refuses_release(&record, &[], &install(2, 1)), ServiceError::Wire(WireError::Truncated));
        let short = &install(2, 1)[..100];
        assert_eq!(refuses_release(&record, &claimed(2), short), ServiceError::Wire(WireError::Truncated));
    }
}

//= spec/protocol.md#service-release-checks
//# SVC-12. The record MUST allow the release, as SLO-14 says.
//= spec/protocol.md#service-release-checks
//# SVC-13. The service MUST fix the device of a grant with its first release.
#[test]
fn a_second_device_is_refused_and_a_withdrawn_grant_is_not_released() {
    let second = seed(6);
    let claim = signed(&claim_of(&granted(2), public(&second)), &subject_seed());
    let install_there = signed(&install_of(&claim, 1), &second);
    let record = shared_record(2);
    let error = refuses_release(&record, &claim, &install_there);
    assert_eq!(error, ServiceError::Slot(SlotError::ClaimedByOtherDevice));
    assert_eq!((error.fault(), error.retry()), (Fault::Guest, Retry::AskOwner));

    for mut record in [sharing_record(2), shared_record(2)] {
        answer(&mut record, 2);
        assert_eq!(refuses_release(&record, &claimed(2), &install(2, 1)), ServiceError::NothingShared);
        take(&mut record, &granted(3));
        assert_eq!(refuses_release(&record, &claimed(2), &install(2, 1)), ServiceError::ClaimNamesOtherGrant);
    }
    assert_eq!(refuses_release(&active_record(), &claimed(2), &install(2, 1)), ServiceError::NothingShared);
}

// --- the store ----------------------------------------------------------------------------------

//= spec/protocol.md#service
//# SVC-4. The service MUST NOT give out a Release or a Withdrawn before the store accepted the record that it belongs to.
#[test]
fn nothing_is_answered_that_the_store_did_not_accept() {
    let mut record = sharing_record(2);
    let before = record.clone();
    let staged = service().release(&mut record, &claimed(2), &install(2, 1)).unwrap();
    let version = staged.next().version();
    assert_eq!(version, before.version() + 1);
    assert_eq!(staged.commit(|_| Err("another came first")), Err("another came first"));
    assert_eq!(record, before);
    drop(service().withdraw(&mut record, &withdraw(2)).unwrap());
    assert_eq!(record, before);
}

#[test]
fn the_version_does_not_wrap() {
    let at_the_end = |record: serde_json::Value| {
        let mut value = record;
        value["version"] = u64::MAX.into();
        value
    };
    let record = sharing_record(2);
    let slot: SlotRecord = serde_json::from_value(at_the_end(serde_json::to_value(record.of_slot()).unwrap())).unwrap();
    let lock: LockRecord = serde_json::from_value(at_the_end(serde_json::to_value(record.of_lock()).unwrap())).unwrap();
    let mut record = joined(record.place(), &lock, Some(slot.to_bytes())).unwrap();
    assert_eq!(refuses_grant(&record, &granted(3)), ServiceError::Exhausted);
    assert_eq!(refuses_withdraw(&record, &withdraw(2)), ServiceError::Exhausted);
    assert_eq!(refuses_release(&record, &claimed(2), &install(2, 1)), ServiceError::Exhausted);
    let later = transfer_to(public(&owner_seed()), public(&service_seed()), 2);
    assert_eq!(refuses_reopen(&record, &by_lock(&later)), ServiceError::Exhausted);
    // What changes nothing is answered still.
    assert_eq!(reopen(&service(), &mut record, &signed(&provisioned(), &lock_seed())), Err(ServiceError::Exhausted));
}

#[test]
fn a_done_of_a_transfer_goes_through_reopen_only() {
    let done = by_lock(&transfer_to(public(&owner_seed()), public(&service_seed()), 1));
    let error = refused(&record(), |service, record| service.done(record, &done).map(drop));
    assert_eq!(error, ServiceError::NotOfASlot);
}
