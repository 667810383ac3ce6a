//! What the owner's view makes of shares, withdrawals and whatever messages come, in any order.

use sharekey::counter::{Epoch, Term};
use sharekey::error::{KeyError, OwnerError, SignatureError, SlotError, WireError};
use sharekey::guest::Invitation;
use sharekey::id::{LockId, SlotId};
use sharekey::limits::{Limits, Rights};
use sharekey::message::{Done, Grant, Holding, Receipt, Withdraw, Withdrawn, WithdrawnOutcome};
use sharekey::owner::{Equivocation, Learned, Method, OwnedLock, Owner, Standing};
use sharekey::slot::{GrantRef, State};
use sharekey_stage::desk::*;
use sharekey_stage::forge::{last_signature, signed, some_digest};
use sharekey_stage::provider::Provider;
use sharekey_stage::{digest, public, seed};

const MISMATCH: SignatureError = SignatureError::Mismatch;
/// A report without messages.
pub(super) const NOTHING: [&[u8]; 0] = [];
pub(super) const NEVER: WithdrawnOutcome = WithdrawnOutcome::NeverReleased;

fn released() -> WithdrawnOutcome {
    WithdrawnOutcome::Released { install: digest(&install(2, 1)) }
}

fn share(view: &mut OwnedLock) -> Result<Vec<u8>, OwnerError> {
    let subject = public(&subject_seed());
    let staged = owner().share(view, SLOT, subject, Method::Account, Rights::OPEN, Limits::NONE)?;
    Ok(accept(staged).to_vec())
}

pub(super) fn learn(view: &mut OwnedLock, message: &[u8]) -> Learned {
    accept(owner().learn(view, message).unwrap())
}

/// The error of what does not teach, and proof that the view stayed as it was.
fn refuses(view: &OwnedLock, message: &[u8]) -> OwnerError {
    let mut after = view.clone();
    let error = owner().learn(&mut after, message).err().unwrap();
    assert_eq!(after, *view);
    error
}

pub(super) fn live(view: &OwnedLock) -> Vec<u32> {
    view.status(SLOT).may_open.iter().map(|key| key.key.generation.value()).collect()
}

pub(super) fn key(n: u32) -> GrantRef {
    GrantRef { generation: generation(n), grant: digest(&granted(n)) }
}

// --- share --------------------------------------------------------------------------------------

//= spec/protocol.md#owner
//# OWN-9. The owner's view MUST show Sharing for every grant that it signed until a Withdrawn, a Done or a receipt says otherwise.
#[test]
fn a_share_says_to_whom_how_and_what() {
    let view = sharing_view();
    let status = view.status(SLOT);
    let shared = status.shared.unwrap();
    assert_eq!((status.state, shared.key), (Some(State::Sharing), key(2)));
    assert_eq!((shared.subject(), shared.method), (Some(public(&subject_seed())), Some(Method::Account)));
    assert_eq!((shared.rights(), shared.limits()), (Some(Rights::OPEN), Some(Limits::NONE)));
    assert_eq!((shared.downloaded, shared.withdrawing), (None, false));
    assert_eq!(shared.grant, Some(grant(2)));
    assert_eq!(live(&view), [2]);
}

#[test]
fn a_share_says_within_which_limits() {
    let (mut view, subject) = (active_view(), public(&subject_seed()));
    let limits = Limits::new(None, None, None, Some(5)).unwrap();
    accept(owner().share(&mut view, SLOT, subject, Method::Account, Rights::OPEN, limits).unwrap());
    assert_eq!(view.status(SLOT).shared.unwrap().limits(), Some(limits));
}

//= spec/protocol.md#owner
//# OWN-8. The owner MUST store the number that a grant or a command takes before the message exists for anybody else.
#[test]
fn a_grant_leaves_only_once_its_number_is_stored() {
    let mut view = active_view();
    let before = view.clone();
    let staged =
        owner().share(&mut view, SLOT, public(&subject_seed()), Method::Code, Rights::OPEN, Limits::NONE).unwrap();
    assert_eq!(staged.next().slot(SLOT).unwrap().highest(), generation(2));
    assert_eq!(staged.commit(|_| Err("disk full")).unwrap_err(), "disk full");
    assert_eq!(view, before);
}

#[test]
fn a_share_needs_an_active_free_slot_a_good_subject_and_ones_own_lock() {
    assert_eq!(share(&mut view()), Err(OwnerError::Slot(SlotError::NotActive)));
    assert_eq!(share(&mut sharing_view()), Err(OwnerError::Slot(SlotError::AlreadyShared)));
    let mut view = active_view();
    let mut error = |owner: Owner<Provider>, subject| {
        let staged = owner.share(&mut view, SLOT, subject, Method::Code, Rights::OPEN, Limits::NONE);
        staged.err().unwrap()
    };
    assert_eq!(error(owner(), bad_key()), OwnerError::SubjectKey(KeyError::SmallOrder));
    let stranger = Owner::new(Provider, &stranger_seed()).unwrap();
    assert_eq!(error(stranger, public(&subject_seed())), OwnerError::NotOwner);
}

#[test]
fn a_seventeenth_key_that_may_open_is_not_signed() {
    let mut view = active_view();
    for n in 2..18 {
        share(&mut view).unwrap();
        let _ = learn(&mut view, &withdrawn(n, released()));
    }
    assert_eq!(share(&mut view), Err(OwnerError::Slot(SlotError::LiveFull)));
}

// --- withdraw -----------------------------------------------------------------------------------

//= spec/protocol.md#owner
//# OWN-9. The owner's view MUST show Sharing for every grant that it signed until a Withdrawn, a Done or a receipt says otherwise.
#[test]
fn a_withdrawal_is_pending_until_it_is_answered() {
    let mut view = sharing_view();
    let message = accept(owner().withdraw(&mut view, SLOT).unwrap());
    assert_eq!(message.as_bytes(), withdraw(2));
    let status = view.status(SLOT);
    assert_eq!((status.state, status.shared.unwrap().withdrawing), (Some(State::Sharing), true));
    let _ = learn(&mut view, &withdrawn(2, released()));
    let status = view.status(SLOT);
    assert_eq!((status.state, status.shared, status.may_open[0].withdrawing), (Some(State::NotShared), None, false));
    assert_eq!(status.may_open[0].subject(), Some(public(&subject_seed())));
    assert_eq!(status.may_open[0].install, Some(digest(&install(2, 1))));
}

#[test]
fn only_what_is_shared_or_may_open_is_withdrawn() {
    let mut active = active_view();
    assert_eq!(owner().withdraw(&mut active, SLOT).err(), Some(OwnerError::NothingShared));
    assert_eq!(owner().withdraw_key(&mut active, SLOT, key(2)).err(), Some(OwnerError::UnknownGrant));
    let mut view = sharing_view();
    let other = GrantRef { grant: some_digest(1), ..key(2) };
    assert_eq!(owner().withdraw_key(&mut view, SLOT, other).err(), Some(OwnerError::UnknownGrant));
    let stranger = Owner::new(Provider, &stranger_seed()).unwrap();
    assert_eq!(stranger.withdraw(&mut view, SLOT).err(), Some(OwnerError::NotOwner));
    assert_eq!(stranger.withdraw_key(&mut view, SLOT, key(2)).err(), Some(OwnerError::NotOwner));
}

//= spec/protocol.md#states
//# SLO-4. A view MUST show every live generation, whatever the state.
#[test]
fn a_key_that_outlived_its_share_can_still_be_withdrawn() {
    let mut view = sharing_view();
    // Ordered before the grant was signed.
    let _ = learn(&mut view, &by_lock(&found(1, Holding::Empty)));
    let _ = learn(&mut view, &signed(&grant(5), &owner_seed()));
    let _ = learn(&mut view, &by_lock(&deactivated(4)));
    assert_eq!((view.status(SLOT).state, live(&view)), (Some(State::Inactive), vec![5]));
    accept(owner().withdraw_key(&mut view, SLOT, key(5)).unwrap());
    assert!(view.status(SLOT).may_open[0].withdrawing);
    let _ = learn(&mut view, &withdrawn(5, NEVER));
    assert_eq!(live(&view), Vec::<u32>::new());
}

//= spec/protocol.md#owner
//# OWN-29. A Withdrawn of the grant that a view shows as shared MUST end that share in the view, whatever its outcome.
#[test]
fn a_denied_grant_is_gone_and_a_settled_one_stays_until_the_lock_says_so() {
    let mut view = sharing_view();
    let _ = learn(&mut view, &withdrawn(2, NEVER));
    assert_eq!((view.status(SLOT).state, live(&view)), (Some(State::NotShared), vec![]));

    let mut view = sharing_view();
    let _ = learn(&mut view, &withdrawn(2, WithdrawnOutcome::Settled));
    assert_eq!((view.status(SLOT).state, live(&view)), (Some(State::NotShared), vec![2]));
    let _ = learn(&mut view, &by_lock(&activated(3)));
    assert_eq!(live(&view), Vec::<u32>::new());
}

// --- receipts and inspections -------------------------------------------------------------------

//= spec/protocol.md#states
//# SLO-3. A view MUST NOT say that a key was downloaded before the share is confirmed.
#[test]
fn downloaded_is_said_only_with_the_locks_proof() {
    let mut view = sharing_view();
    assert!(learn(&mut view, &receipt(2)).news);
    let status = view.status(SLOT);
    let downloaded = status.shared.unwrap().downloaded.unwrap();
    assert_eq!(
        (status.state, downloaded.device, downloaded.proof),
        (Some(State::Shared), device(), digest(&receipt(2)))
    );
    assert!(!learn(&mut view, &receipt(2)).news);
}

#[test]
fn an_inspection_shows_what_a_guest_withheld() {
    let mut view = sharing_view();
    let found = by_lock(&found(2, Holding::Installed { grant: digest(&granted(2)), device: device() }));
    assert!(learn(&mut view, &found).news);
    assert_eq!(view.status(SLOT).shared.unwrap().downloaded.unwrap().proof, digest(&found));
}

#[test]
fn an_old_done_does_not_move_the_view() {
    let mut view = active_view();
    let _ = learn(&mut view, &by_lock(&deactivated(6)));
    for old in [activated(1), activated(5), deactivated(6)] {
        assert!(!learn(&mut view, &by_lock(&old)).news);
        assert_eq!(view.status(SLOT).state, Some(State::Inactive));
    }
}

//= spec/protocol.md#frame
//# MSG-3. A reader MUST NOT rely on any field of a message whose authenticator it did not check, except to find the key to check it with.
//= spec/protocol.md#encoding
//# MSG-21. Where messages of several kinds may come, a reader MUST check the header, and then that the kind may come, before it reads anything behind the header.
#[test]
fn every_message_is_checked_before_it_teaches() {
    let view = sharing_view();
    let elsewhere = LockId::new(public(&seed(60)));
    let later = Epoch::new(2);

    assert_eq!(refuses(&view, &[]), OwnerError::Wire(WireError::Truncated));
    assert_eq!(refuses(&view, &challenge()), OwnerError::NothingToLearn);
    assert_eq!(refuses(&view, &claimed(2)[..40]), OwnerError::NothingToLearn, "nothing behind the header is read");
    assert_eq!(refuses(&view, &claimed(2)[..3]), OwnerError::Wire(WireError::Truncated));
    assert_eq!(refuses(&view, &receipt(2)[..236]), OwnerError::Wire(WireError::Truncated));

    //= spec/protocol.md#owner
    //# OWN-26. A grant MUST NOT be learned unless its signature verifies under the owner key of the view's epoch.
    assert_eq!(refuses(&view, &signed(&grant(3), &stranger_seed())), OwnerError::GrantSignature(MISMATCH));
    //= spec/protocol.md#owner
    //# OWN-32. The owner MUST refuse a Grant, and a Withdrawn, whose `by` names nobody whose key the view has: another one than 0.
    let body = Grant { by: Term::new(1), ..grant(3) };
    assert_eq!(refuses(&view, &signed(&body, &owner_seed())), OwnerError::UnknownSigner);
    let body = Grant { lock: elsewhere, ..grant(3) };
    assert_eq!(refuses(&view, &signed(&body, &owner_seed())), OwnerError::WrongLock);
    let body = Grant { epoch: later, ..grant(3) };
    assert_eq!(refuses(&view, &signed(&body, &owner_seed())), OwnerError::WrongEpoch);

    //= spec/protocol.md#owner
    //# OWN-6. The owner MUST check a Done, a Receipt and a signed Refused under the lock id.
    assert_eq!(refuses(&view, &signed(&receipt_of(2), &stranger_seed())), OwnerError::ReceiptSignature(MISMATCH));
    let body = Receipt { lock: elsewhere, ..receipt_of(2) };
    assert_eq!(refuses(&view, &signed(&body, &lock_seed())), OwnerError::WrongLock);
    //= spec/protocol.md#done-and-receipt
    //# SLO-39. A receipt or a Done of another epoch than the record's MUST change nothing.
    let body = Receipt { epoch: later, ..receipt_of(2) };
    assert_eq!(refuses(&view, &signed(&body, &lock_seed())), OwnerError::WrongEpoch);

    assert_eq!(refuses(&view, &signed(&activated(3), &stranger_seed())), OwnerError::DoneSignature(MISMATCH));
    assert_eq!(refuses(&view, &by_lock(&Done { lock: elsewhere, ..activated(3) })), OwnerError::WrongLock);
    assert_eq!(refuses(&view, &by_lock(&Done { epoch: later, ..activated(3) })), OwnerError::WrongEpoch);

    let withdraw = withdraw_of(&grant(2));
    let answer = withdrawn_of(&grant(2), NEVER);
    //= spec/protocol.md#owner
    //# OWN-7. The owner MUST check a Withdrawn under the service key of the epoch.
    assert_eq!(refuses(&view, &signed(&answer, &stranger_seed())), OwnerError::WithdrawnSignature(MISMATCH));
    // The owner did not ask for it.
    //= spec/protocol.md#owner
    //# OWN-31. The owner MUST check the signature of the Withdraw that a Withdrawn carries under the owner key of the epoch.
    let other = withdrawn_of(&grant(3), NEVER).withdraw_signature;
    let body = Withdrawn { withdraw_signature: other, ..answer };
    assert_eq!(refuses(&view, &signed(&body, &service_seed())), OwnerError::WithdrawSignature(MISMATCH));
    //= spec/protocol.md#owner
    //# OWN-32. The owner MUST refuse a Grant, and a Withdrawn, whose `by` names nobody whose key the view has: another one than 0.
    let by_another = Withdraw { by: Term::new(1), ..withdraw };
    let withdraw_signature = last_signature(&signed(&by_another, &owner_seed()));
    let body = Withdrawn { withdraw: by_another, withdraw_signature, ..answer };
    assert_eq!(refuses(&view, &signed(&body, &service_seed())), OwnerError::UnknownSigner);
    let body = Withdrawn { withdraw: Withdraw { lock: elsewhere, ..withdraw }, ..answer };
    assert_eq!(refuses(&view, &signed(&body, &service_seed())), OwnerError::WrongLock);
    let body = Withdrawn { withdraw: Withdraw { epoch: later, ..withdraw }, ..answer };
    assert_eq!(refuses(&view, &signed(&body, &service_seed())), OwnerError::WrongEpoch);
}

#[test]
fn another_phones_transfer_is_learned_once() {
    let (me, service) = (public(&owner_seed()), public(&seed(51)));
    let mut view = sharing_view();
    // To another service only by a call that names it: else whoever owned the lock in between could choose one.
    //= spec/protocol.md#reports
    //# RPT-13. A phone MUST refuse a statement of ownership that names another service key than its view's, unless its owner names that key as the one expected.
    let moved = by_lock(&transfer_to(me, service, 3));
    assert_eq!(refuses(&view, &moved), OwnerError::WrongService);
    let named = owner().moved(&mut view, &moved, &public(&seed(52))).map(drop).unwrap_err();
    assert_eq!(named, OwnerError::WrongService);
    assert_eq!(owner().moved(&mut view, &by_lock(&activated(3)), &service).map(drop), Err(OwnerError::NotATransfer));
    let _ = accept(owner().moved(&mut view, &moved, &service).unwrap());
    assert_eq!((view.epoch(), *view.service(), view.standing()), (Epoch::new(3), service, Standing::Owned));
    assert_eq!(refuses(&view, &by_lock(&transfer_to(me, service, 3))), OwnerError::OldEpoch);
    assert_eq!(refuses(&view, &by_lock(&transfer_to(public(&seed(50)), service, 2))), OwnerError::OldEpoch);
    let _ = learn(&mut view, &by_lock(&transfer_to(public(&seed(50)), service, 4)));
    assert_eq!(view.standing(), Standing::Transferred);
}

// --- other phones -------------------------------------------------------------------------------

//= spec/protocol.md#number-line
//# SLO-6. An owner MUST give each grant, Activate and Deactivate a number above the highest seen.
#[test]
fn another_phones_grant_shows_as_sharing_until_it_is_withdrawn() {
    let mut view = active_view();
    assert!(learn(&mut view, &granted(4)).news);
    let shared = view.status(SLOT).shared.unwrap();
    assert_eq!((shared.key, shared.subject(), shared.method), (key(4), Some(public(&subject_seed())), None));
    assert!(!learn(&mut view, &granted(4)).news);
    let _ = learn(&mut view, &withdrawn(4, NEVER));
    // Its late copy does not bring it back.
    assert!(!learn(&mut view, &granted(4)).news);
    assert_eq!((view.status(SLOT).state, live(&view)), (Some(State::NotShared), vec![]));
    // And this phone signs higher.
    assert_eq!(share(&mut view).unwrap(), granted(5));
}

//= spec/protocol.md#owner
//# OWN-24. A Withdrawn of Released MUST make its grant live, with the install that it names, unless the grant was proved dead.
#[test]
fn a_release_that_another_phone_asked_about_is_not_hidden() {
    let mut view = active_view();
    let _ = learn(&mut view, &withdrawn(3, released()));
    assert_eq!((view.status(SLOT).state, live(&view)), (Some(State::NotShared), vec![3]));
}

// --- a service that lies ------------------------------------------------------------------------

fn convicted(learned: Learned) -> (Vec<u8>, Vec<u8>) {
    let found = learned.equivocation.expect("it convicts");
    let Equivocation::Release { slot: SLOT, key: of, denial, release } = found else { panic!("{found:?}") };
    assert_eq!(of, key(2));
    (denial, release)
}

//= spec/protocol.md#owner
//# OWN-11. A Withdrawn of NeverReleased and a Receipt for the same grant MUST be reported as equivocation of the service, with both messages as evidence.
//= spec/protocol.md#owner
//# OWN-23. A Withdrawn of NeverReleased MUST be reported in the same way beside a Done of an Inspect that found the same grant installed, and beside a Withdrawn of Released of the same grant.
#[test]
fn a_denial_beside_a_proof_convicts_the_service_whichever_comes_first() {
    let denial = withdrawn(2, NEVER);
    let inspection = by_lock(&found(2, Holding::Installed { grant: digest(&granted(2)), device: device() }));
    for release in [receipt(2), inspection, withdrawn(2, released())] {
        for order in [[&denial, &release], [&release, &denial]] {
            let mut view = sharing_view();
            let _ = learn(&mut view, order[0]);
            assert_eq!(convicted(learn(&mut view, order[1])), (denial.clone(), release.clone()));
            assert_eq!(view.equivocations().count(), 1);
            assert_eq!(
                (view.status(SLOT).state, live(&view)),
                (Some(State::NotShared), vec![2]),
                "the key is not hidden"
            );
        }
    }
}

#[test]
fn a_denial_convicts_the_service_also_once_the_key_is_dead() {
    let mut view = sharing_view();
    let _ = learn(&mut view, &receipt(2));
    let _ = learn(&mut view, &by_lock(&deactivated(3)));
    assert!(live(&view).is_empty());
    let denial = withdrawn(2, NEVER);
    assert_eq!(convicted(learn(&mut view, &denial)), (denial, receipt(2)));
}

#[test]
fn an_honest_service_is_not_convicted() {
    let mut view = sharing_view();
    let _ = learn(&mut view, &withdrawn(2, released()));
    let _ = learn(&mut view, &receipt(2));
    share(&mut view).unwrap();
    let _ = learn(&mut view, &withdrawn(3, NEVER));
    let _ = learn(&mut view, &withdrawn(3, WithdrawnOutcome::Settled));
    assert_eq!(view.equivocations().count(), 0);
}

#[test]
fn what_the_service_says_of_unheard_of_grants_convicts_it_too_and_is_bounded() {
    let mut view = active_view();
    (2..260).for_each(|n| drop(learn(&mut view, &withdrawn(n, NEVER))));
    let _ = learn(&mut view, &receipt(2));
    assert_eq!(view.equivocations().count(), 0, "the latest 256");
    let _ = learn(&mut view, &receipt(4));
    assert_eq!(view.equivocations().count(), 1);
    assert_eq!(share(&mut view).unwrap(), granted(260));
}

// --- storage ------------------------------------------------------------------------------------

#[test]
fn a_view_survives_storage_and_one_that_contradicts_itself_is_refused() {
    let mut withdrawing = sharing_view();
    accept(owner().withdraw(&mut withdrawing, SLOT).unwrap());
    let mut shared = sharing_view();
    let _ = learn(&mut shared, &receipt(2));
    for view in [view(), active_view(), sharing_view(), withdrawing, shared] {
        let stored = postcard::to_allocvec(&view).unwrap();
        assert_eq!(postcard::from_bytes::<OwnedLock>(&stored).unwrap(), view);
        let json = serde_json::to_string(&view).unwrap();
        assert_eq!(serde_json::from_str::<OwnedLock>(&json).unwrap(), view);
    }
    let complaint = |value| serde_json::from_value::<OwnedLock>(value).unwrap_err().to_string();
    let mut value = serde_json::to_value(sharing_view()).unwrap();
    value["epoch"] = 2.into();
    assert_eq!(complaint(value), "a slot's state is of another epoch");
    let mut value = serde_json::to_value(sharing_view()).unwrap();
    value["slots"]["3"]["issued"] = serde_json::json!([]);
    assert_eq!(complaint(value), "a grant is missing, or of another slot");
    for other in [grant(5), Grant { epoch: Epoch::new(2), ..grant(2) }, Grant { slot: SlotId::new(4), ..grant(2) }] {
        let mut value = serde_json::to_value(sharing_view()).unwrap();
        let other = Invitation::read(&signed(&other, &owner_seed())).unwrap();
        value["slots"]["3"]["issued"][0]["grant"] = serde_json::to_value(other).unwrap();
        assert_eq!(complaint(value), "a grant is missing, or of another slot");
    }
}

/// Found by fuzzing: one message stood as both halves of the evidence.
#[test]
fn a_stored_view_whose_evidence_is_none_is_refused() {
    let inspection = by_lock(&found(2, Holding::Installed { grant: digest(&granted(2)), device: device() }));
    for release in [receipt(2), inspection, withdrawn(2, released())] {
        let mut view = sharing_view();
        let _ = learn(&mut view, &withdrawn(2, NEVER));
        let _ = learn(&mut view, &release);
        let stored = serde_json::to_value(&view).unwrap();
        assert_eq!(serde_json::from_value::<OwnedLock>(stored.clone()).unwrap(), view);

        let refused = |tamper: &dyn Fn(&mut serde_json::Value)| {
            let mut value = stored.clone();
            tamper(value.pointer_mut("/slots/3").unwrap());
            let complaint = serde_json::from_value::<OwnedLock>(value).unwrap_err().to_string();
            assert_eq!(complaint, "a kept message is no evidence of what it is kept for");
        };
        refused(&|slot| *slot.pointer_mut("/denials/0").unwrap() = slot["releases"][0].clone());
        refused(&|slot| *slot.pointer_mut("/releases/0").unwrap() = slot["denials"][0].clone());
        refused(&|slot| *slot.pointer_mut("/denials/0/key/generation").unwrap() = 3.into());
        refused(&|slot| *slot.pointer_mut("/releases/0/bytes").unwrap() = "AwMD".into());
    }
}
