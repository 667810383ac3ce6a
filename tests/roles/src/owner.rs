//! The owner at the lock: provisioning, commands, handing over. For every rule, an answer in which
//! only that rule is broken.

use sharekey::counter::Epoch;
use sharekey::crypto::{Digest, Nonce, PublicKey, Tag};
use sharekey::error::{KeyError, OwnerError, RefuseReason, Retry, SignatureError, SlotError, WireError};
use sharekey::id::{LockId, SlotId};
use sharekey::limits::{Action, Limits, Rights, Timestamp};
use sharekey::message::{
    Challenge, Command, Completed, Done, Holding, Operation, Provisioned, RefusedBody, SlotReport,
};
use sharekey::owner::{Learned, Method, Order, OwnedLock, Owner, PendingCommand, PendingProvision, Standing};
use sharekey::slot::State;
use sharekey::wire::Unverified;
use sharekey_stage::desk::*;
use sharekey_stage::forge::{bare, signed, some_digest};
use sharekey_stage::provider::Provider;
use sharekey_stage::{digest, public, seed};

const MISMATCH: SignatureError = SignatureError::Mismatch;

fn other_lock() -> LockId {
    LockId::new(public(&seed(60)))
}

fn challenge_of(lock: LockId) -> Vec<u8> {
    bare(&Challenge { lock, nonce: Nonce::from_bytes([7; 16]) })
}

// --- provision ----------------------------------------------------------------------------------

fn provision() -> (Vec<u8>, PendingProvision) {
    let (message, pending) = owner().provision(&card(), &challenge(), public(&service_seed()), &mut rng()).unwrap();
    (message.to_vec(), pending)
}

//= spec/protocol.md#owner
//# OWN-43. A view MUST NOT say that a slot is Inactive of which it took in neither a report of the present epoch nor the lock's own word on it.
#[test]
fn a_provisioned_lock_is_this_owners_and_no_slot_is_called_closed() {
    let view = view();
    assert_eq!((view.lock(), view.epoch(), view.standing()), (lock(), Epoch::FIRST, Standing::Owned));
    assert_eq!((*view.owner(), *view.service()), (public(&owner_seed()), public(&service_seed())));
    let status = view.status(SLOT);
    assert_eq!((status.state, status.inspected, status.may_open.len()), (None, false, 0));
}

#[test]
fn a_provision_needs_good_keys_and_a_challenge() {
    let service_key = public(&service_seed());
    let error = |challenge: &[u8], service| owner().provision(&card(), challenge, service, &mut rng()).unwrap_err();
    assert_eq!(error(&challenge()[..51], service_key), OwnerError::Wire(WireError::Truncated));
    assert_eq!(error(&challenge_of(LockId::new(bad_key())), service_key), OwnerError::LockKey(KeyError::SmallOrder));
    assert_eq!(error(&challenge(), bad_key()), OwnerError::ServiceKey(KeyError::SmallOrder));
}

#[test]
fn every_part_of_a_provisioned_is_checked() {
    let (message, pending) = provision();
    let good = answer_provision(&message);
    let error = |answer: &[u8]| pending.finish(&owner(), answer).unwrap_err();
    let by_lock = |body: Provisioned| error(&signed(&body, &lock_seed()));

    assert_eq!(error(&[]), OwnerError::Wire(WireError::Truncated));
    assert!(matches!(error(&granted(2)), OwnerError::Wire(WireError::Kind { .. })));
    //= spec/protocol.md#owner
    //# OWN-1. The owner MUST check the signature of a Provisioned under the lock id of the challenge that its Provision answered.
    assert_eq!(error(&signed(&good, &stranger_seed())), OwnerError::ProvisionedSignature(MISMATCH));
    //= spec/protocol.md#owner
    //# OWN-22. The owner MUST refuse a Provisioned of another lock than the one whose challenge its Provision answered.
    assert_eq!(by_lock(Provisioned { lock: other_lock(), ..good }), OwnerError::WrongLock);
    //= spec/protocol.md#owner
    //# OWN-21. The owner MUST refuse a Provisioned of another epoch than 1.
    assert_eq!(by_lock(Provisioned { epoch: Epoch::new(2), ..good }), OwnerError::WrongEpoch);
    //= spec/protocol.md#owner
    //# OWN-3. The owner MUST refuse a Provisioned with other keys than its own Provision carried.
    assert_eq!(by_lock(Provisioned { owner: public(&seed(50)), ..good }), OwnerError::WrongOwner);
    assert_eq!(by_lock(Provisioned { service: public(&seed(50)), ..good }), OwnerError::WrongService);
    //= spec/protocol.md#owner
    //# OWN-2. The owner MUST check the card tag of the answer to its Provision under the activation secret and the digest of that Provision.
    assert_eq!(by_lock(Provisioned { card: Tag::from_bytes([0; 16]), ..good }), OwnerError::CardTag);
    // The answer to another provision under the same card.
    assert_eq!(by_lock(answer_provision(b"another")), OwnerError::CardTag);
    // And the good one still serves.
    assert!(pending.finish(&owner(), &signed(&good, &lock_seed())).is_ok());
}

fn refusal(request: Digest, reason: RefuseReason) -> RefusedBody {
    RefusedBody { request, reason }
}

#[test]
fn a_refused_provision_says_why_only_under_the_locks_signature() {
    let (message, pending) = provision();
    let error = |answer: &[u8]| pending.finish(&owner(), answer).unwrap_err();
    let owned = refusal(digest(&message), RefuseReason::AlreadyProvisioned);
    assert_eq!(error(&signed(&owned, &lock_seed())), OwnerError::Refused(RefuseReason::AlreadyProvisioned));
    assert_eq!(error(&signed(&owned, &stranger_seed())), OwnerError::RefusalSignature(MISMATCH));
    let other = refusal(some_digest(1), RefuseReason::AlreadyProvisioned);
    assert_eq!(error(&signed(&other, &lock_seed())), OwnerError::RefusedOther);
    assert_eq!(error(b"SK\x01\x0e"), OwnerError::RefusedOpaque);
    assert_eq!(error(b"SK\x01\x0e\x00"), OwnerError::Wire(WireError::Truncated));
}

// --- commands -----------------------------------------------------------------------------------

fn activate(view: &mut OwnedLock) -> (Vec<u8>, PendingCommand) {
    let (message, pending) =
        accept(owner().order(view, Order::Activate { slot: SLOT }, &challenge(), &mut rng()).unwrap());
    (message.to_vec(), pending)
}

fn done_for(command: &[u8], completed: Completed) -> Done {
    Done { command: digest(command), ..done(completed) }
}

fn finish(pending: &PendingCommand, view: &mut OwnedLock, answer: &[u8]) -> Learned {
    accept(pending.finish(&owner(), view, answer).unwrap())
}

//= spec/protocol.md#owner
//# OWN-4. The owner MUST draw the owner nonce of each Provision and each Command fresh and unpredictable.
#[test]
fn a_command_is_signed_over_the_locks_nonce_and_a_fresh_one() {
    let mut view = view();
    let (first, second) = {
        let mut rng = rng();
        let first = accept(owner().order(&mut view, Order::Activate { slot: SLOT }, &challenge(), &mut rng).unwrap()).0;
        (first, accept(owner().order(&mut view, Order::Activate { slot: SLOT }, &challenge(), &mut rng).unwrap()).0)
    };
    let parse =
        |bytes: &[u8]| *Unverified::<Command>::parse(bytes).unwrap().verify(&Provider, &public(&owner_seed())).unwrap();
    let (first, second) = (parse(&first), parse(&second));
    assert_eq!((first.lock, first.epoch, first.lock_nonce), (lock(), EPOCH, Nonce::from_bytes([7; 16])));
    assert_ne!(first.owner_nonce, second.owner_nonce);
    // Each takes its own number.
    assert_eq!(first.operation, Operation::Activate { slot: SLOT, generation: generation(1) });
    assert_eq!(second.operation, Operation::Activate { slot: SLOT, generation: generation(2) });
}

//= spec/protocol.md#owner
//# OWN-8. The owner MUST store the number that a grant or a command takes before the message exists for anybody else.
#[test]
fn the_number_is_stored_before_the_command_leaves() {
    let mut view = view();
    let before = view.clone();
    let mut rng = rng();
    let staged = owner().order(&mut view, Order::Activate { slot: SLOT }, &challenge(), &mut rng).unwrap();
    assert_eq!(staged.next().slot(SLOT).unwrap().highest(), generation(1));
    assert_eq!(staged.commit(|_| Err("disk full")).unwrap_err(), "disk full");
    assert_eq!(view, before);
}

#[test]
fn an_activation_and_a_deactivation_move_the_view_once_done() {
    let mut view = view();
    let (command, pending) = activate(&mut view);
    assert_eq!(view.status(SLOT).state, None);
    let done = done_for(&command, activated(1).completed);
    let learned = finish(&pending, &mut view, &by_lock(&done));
    assert_eq!((view.status(SLOT).state, learned.news), (Some(State::NotShared), true));
    assert_eq!(learned.fact, told(done.completed));

    let (command, pending) =
        accept(owner().order(&mut view, Order::Deactivate { slot: SLOT }, &challenge(), &mut rng()).unwrap());
    let done = done_for(&command, deactivated(2).completed);
    let _ = finish(&pending, &mut view, &by_lock(&done));
    assert_eq!(view.status(SLOT).state, Some(State::Inactive));
    // The same answer again changes nothing.
    let before = view.clone();
    assert!(!finish(&pending, &mut view, &by_lock(&done)).news);
    assert_eq!(view, before);
}

//= spec/protocol.md#owner
//# OWN-30. The owner MUST refuse a Done for the answer to its command where it names another operation, or another epoch than that operation can leave.
#[test]
fn every_part_of_a_done_is_checked() {
    let mut view = view();
    let (command, pending) = activate(&mut view);
    let good = done_for(&command, activated(1).completed);
    let before = view.clone();
    let mut error = |answer: &[u8]| {
        let error = pending.finish(&owner(), &mut view, answer).err().unwrap();
        assert_eq!(view, before);
        error
    };
    assert_eq!(error(&[]), OwnerError::Wire(WireError::Truncated));
    assert!(matches!(error(&granted(2)), OwnerError::Wire(WireError::Kind { .. })));
    //= spec/protocol.md#owner
    //# OWN-6. The owner MUST check a Done, a Receipt and a signed Refused under the lock id.
    assert_eq!(error(&signed(&good, &stranger_seed())), OwnerError::DoneSignature(MISMATCH));
    assert_eq!(error(&by_lock(&Done { lock: other_lock(), ..good })), OwnerError::WrongLock);
    assert_eq!(error(&by_lock(&Done { epoch: Epoch::new(2), ..good })), OwnerError::WrongEpoch);
    //= spec/protocol.md#owner
    //# OWN-5. The owner MUST NOT take a Done for the answer to a command whose digest it does not name.
    assert_eq!(error(&by_lock(&Done { command: some_digest(1), ..good })), OwnerError::OtherCommand);
    let left = SlotReport { floor: generation(1), holding: Holding::Empty };
    for other in [
        deactivated(1).completed,
        activated(2).completed,
        Completed::Activate { slot: SlotId::new(4), generation: generation(1), left },
        Completed::Inspect { slot: SLOT, slots: SLOTS, left },
        Completed::Act { action: Action::Open },
    ] {
        assert_eq!(error(&by_lock(&Done { completed: other, ..good })), OwnerError::OtherOperation);
    }
}

//= spec/protocol.md#owner
//# OWN-6. The owner MUST check a Done, a Receipt and a signed Refused under the lock id.
//= spec/protocol.md#owner
//# OWN-13. An opaque Refused MUST NOT be taken for a statement of the lock.
#[test]
fn a_refused_command_says_why_only_under_the_locks_signature() {
    let mut view = view();
    let (command, pending) = activate(&mut view);
    let before = view.clone();
    let mut error = |answer: &[u8]| {
        let error = pending.finish(&owner(), &mut view, answer).err().unwrap();
        assert_eq!(view, before);
        error
    };
    let stale = refusal(digest(&command), RefuseReason::StaleNumber);
    let refused = error(&signed(&stale, &lock_seed()));
    assert_eq!((refused, refused.retry()), (OwnerError::Refused(RefuseReason::StaleNumber), Retry::Inspect));
    assert_eq!(error(&signed(&stale, &stranger_seed())), OwnerError::RefusalSignature(MISMATCH));
    assert_eq!(error(&signed(&refusal(some_digest(1), stale.reason), &lock_seed())), OwnerError::RefusedOther);
    assert_eq!(error(b"SK\x01\x0e"), OwnerError::RefusedOpaque);
}

//= spec/protocol.md#number-line
//# SLO-6. An owner MUST give each grant, Activate and Deactivate a number above the highest seen.
#[test]
fn an_inspection_tells_the_floor_that_a_stale_number_must_pass() {
    let mut view = view();
    let (command, pending) =
        accept(owner().order(&mut view, Order::Inspect { slot: SLOT }, &challenge(), &mut rng()).unwrap());
    let _ = finish(&pending, &mut view, &by_lock(&done_for(&command, found(41, Holding::Empty).completed)));
    let (_, pending) = activate(&mut view);
    assert_eq!(*pending.operation(), Operation::Activate { slot: SLOT, generation: generation(42) });
}

#[test]
fn a_clock_or_bolt_command_ends_with_its_own_echo() {
    let mut view = view();
    let (now, later) = (Timestamp::from_unix_seconds(1), Timestamp::from_unix_seconds(2));
    let (command, pending) =
        accept(owner().order(&mut view, Order::SetClock { to: now }, &challenge(), &mut rng()).unwrap());
    let wrong = by_lock(&done_for(&command, Completed::SetClock { to: later }));
    assert_eq!(pending.finish(&owner(), &mut view, &wrong).err(), Some(OwnerError::OtherOperation));
    let _ = finish(&pending, &mut view, &by_lock(&done_for(&command, Completed::SetClock { to: now })));

    let (command, pending) =
        accept(owner().order(&mut view, Order::Act { action: Action::Open }, &challenge(), &mut rng()).unwrap());
    let wrong = by_lock(&done_for(&command, Completed::Act { action: Action::Lock }));
    assert_eq!(pending.finish(&owner(), &mut view, &wrong).err(), Some(OwnerError::OtherOperation));
    let right = by_lock(&done_for(&command, Completed::Act { action: Action::Open }));
    assert!(!finish(&pending, &mut view, &right).news);
}

#[test]
fn a_pending_command_survives_storage() {
    let mut view = view();
    let (_, pending) = activate(&mut view);
    let stored = postcard::to_allocvec(&pending).unwrap();
    assert_eq!(postcard::from_bytes::<PendingCommand>(&stored).unwrap(), pending);
}

#[test]
fn a_command_is_for_ones_own_lock_and_its_own_challenge() {
    let mut view = view();
    let stranger = Owner::new(Provider, &stranger_seed()).unwrap();
    let error = stranger.order(&mut view, Order::Activate { slot: SLOT }, &challenge(), &mut rng()).err().unwrap();
    assert_eq!(error, OwnerError::NotOwner);
    let error = owner()
        .order(&mut view, Order::Activate { slot: SLOT }, &challenge_of(other_lock()), &mut rng())
        .err()
        .unwrap();
    assert_eq!(error, OwnerError::WrongLock);
    let error = owner().order(&mut view, Order::Activate { slot: SLOT }, &[], &mut rng()).err().unwrap();
    assert_eq!(error, OwnerError::Wire(WireError::Truncated));
    assert_eq!(view.slot(SLOT), None);

    let (command, pending) = activate(&mut view);
    let answer = by_lock(&done_for(&command, activated(1).completed));
    assert_eq!(pending.finish(&stranger, &mut view, &answer).err(), Some(OwnerError::NotOwner));
}

#[test]
fn the_last_number_is_not_passed() {
    let mut view = view();
    let inspected = by_lock(&found(u32::MAX, Holding::Empty));
    let _ = accept(owner().learn(&mut view, &inspected).unwrap());
    let error = owner().order(&mut view, Order::Activate { slot: SLOT }, &challenge(), &mut rng()).err().unwrap();
    assert_eq!(error, OwnerError::Slot(SlotError::Exhausted));
    let error = owner().order(&mut view, Order::Deactivate { slot: SLOT }, &challenge(), &mut rng()).err().unwrap();
    assert_eq!(error, OwnerError::Slot(SlotError::Exhausted));
}

// --- handing over -------------------------------------------------------------------------------

fn transfer(view: &mut OwnedLock, to: PublicKey, service: PublicKey) -> (Vec<u8>, PendingCommand) {
    let (message, pending) =
        accept(owner().order(view, Order::Transfer { owner: to, service }, &challenge(), &mut rng()).unwrap());
    (message.to_vec(), pending)
}

#[test]
fn a_lock_that_was_handed_over_is_commanded_no_more() {
    let mut view = active_view();
    let (buyer, service) = (public(&seed(50)), public(&seed(51)));
    let (command, pending) = transfer(&mut view, buyer, service);
    let done = Done { command: digest(&command), ..transfer_to(buyer, service, 2) };
    let same_epoch = by_lock(&Done { epoch: EPOCH, ..done });
    assert_eq!(pending.finish(&owner(), &mut view, &same_epoch).err(), Some(OwnerError::WrongEpoch));
    for (owner_key, service_key) in [(public(&seed(52)), service), (buyer, public(&seed(52)))] {
        let completed = Completed::Transfer { owner: owner_key, service: service_key, slots: SLOTS };
        let other = by_lock(&Done { completed, ..done });
        assert_eq!(pending.finish(&owner(), &mut view, &other).err(), Some(OwnerError::OtherOperation));
    }
    let _ = finish(&pending, &mut view, &by_lock(&done));
    assert_eq!((view.standing(), view.epoch()), (Standing::Transferred, Epoch::new(2)));
    let error = owner().order(&mut view, Order::Activate { slot: SLOT }, &challenge(), &mut rng()).err().unwrap();
    assert_eq!(error, OwnerError::Transferred);
    assert_eq!(owner().learn(&mut view, &by_lock(&activated(2))).err(), Some(OwnerError::Transferred));
}

#[test]
fn a_transfer_to_oneself_ends_every_key_and_asks_for_an_inspection() {
    let mut view = sharing_view();
    let (me, service) = (public(&owner_seed()), public(&seed(51)));
    let (command, pending) = transfer(&mut view, me, service);
    let before_transfer = activate(&mut view).1;
    let _ = finish(&pending, &mut view, &by_lock(&Done { command: digest(&command), ..transfer_to(me, service, 2) }));
    assert_eq!((view.standing(), *view.service(), view.epoch()), (Standing::Owned, service, Epoch::new(2)));
    let status = view.status(SLOT);
    assert_eq!((status.state, status.may_open.len(), status.inspected), (None, 0, false));
    // What was pending is of the epoch that ended.
    let answer = by_lock(&activated(3));
    assert_eq!(before_transfer.finish(&owner(), &mut view, &answer).err(), Some(OwnerError::WrongEpoch));
}

#[test]
fn a_transfer_needs_good_keys() {
    let mut view = view();
    let good = public(&seed(50));
    let mut error = |owner_key, service_key| {
        owner()
            .order(&mut view, Order::Transfer { owner: owner_key, service: service_key }, &challenge(), &mut rng())
            .err()
            .unwrap()
    };
    assert_eq!(error(bad_key(), good), OwnerError::OwnerKey(KeyError::SmallOrder));
    assert_eq!(error(good, bad_key()), OwnerError::ServiceKey(KeyError::SmallOrder));
}

//= spec/protocol.md#owner
//# OWN-12. A new owner MUST NOT rely on any statement about a slot that it did not get from the lock in its own epoch.
#[test]
fn a_new_owner_trusts_only_its_own_inspection() {
    let (me, service) = (public(&owner_seed()), public(&service_seed()));
    let mut view = keep(owner().adopt(lock(), &service, &by_lock(&transfer_to(me, service, 7))).unwrap());
    assert_eq!((view.epoch(), view.status(SLOT).inspected), (Epoch::new(7), false));
    let found = |command: Digest| Done { command, epoch: Epoch::new(7), ..found(0, Holding::Inactive) };
    // Somebody else's inspection does not count as one's own.
    let _ = accept(owner().learn(&mut view, &by_lock(&found(some_digest(9)))).unwrap());
    assert!(!view.status(SLOT).inspected);
    let (command, pending) =
        accept(owner().order(&mut view, Order::Inspect { slot: SLOT }, &challenge(), &mut rng()).unwrap());
    let _ = finish(&pending, &mut view, &by_lock(&found(digest(&command))));
    assert!(view.status(SLOT).inspected);
    assert!(!view.status(SlotId::new(4)).inspected);
}

//= spec/protocol.md#owner
//# OWN-20. A new owner MUST refuse a statement of ownership that names another service than the one that this owner uses.
#[test]
fn every_part_of_a_handover_is_checked() {
    let (me, service) = (public(&owner_seed()), public(&service_seed()));
    let good = transfer_to(me, service, 7);
    let error = |bytes: &[u8]| owner().adopt(lock(), &service, bytes).unwrap_err();
    assert_eq!(error(&[]), OwnerError::Wire(WireError::Truncated));
    assert_eq!(error(&signed(&good, &stranger_seed())), OwnerError::DoneSignature(MISMATCH));
    assert_eq!(error(&by_lock(&Done { lock: other_lock(), ..good })), OwnerError::WrongLock);
    assert_eq!(error(&by_lock(&activated(1))), OwnerError::NotATransfer);
    assert_eq!(error(&by_lock(&transfer_to(public(&seed(50)), service, 7))), OwnerError::WrongOwner);
    assert_eq!(error(&by_lock(&transfer_to(me, public(&seed(50)), 7))), OwnerError::WrongService);
}

//= spec/protocol.md#owner
//# OWN-44. An owner without a view MUST take up a Provisioned as it takes up a Done of a Transfer.
#[test]
fn every_part_of_a_provisioned_that_is_taken_up_without_a_view_is_checked() {
    let (me, service) = (public(&owner_seed()), public(&service_seed()));
    // Another phone of the owner ordered it: its tag says nothing to this one.
    let good = answer_provision(&provision().0);
    let adopt = |body: &Provisioned| owner().adopt(lock(), &service, &signed(body, &lock_seed()));
    let error = |body: &Provisioned| adopt(body).unwrap_err();
    let stranger = public(&seed(50));
    assert_eq!(
        owner().adopt(lock(), &service, &signed(&good, &stranger_seed())).unwrap_err(),
        OwnerError::ProvisionedSignature(MISMATCH)
    );
    assert_eq!(error(&Provisioned { lock: other_lock(), ..good }), OwnerError::WrongLock);
    assert_eq!(error(&Provisioned { epoch: Epoch::new(2), ..good }), OwnerError::WrongEpoch);
    assert_eq!(error(&Provisioned { owner: stranger, ..good }), OwnerError::WrongOwner);
    assert_eq!(error(&Provisioned { service: stranger, ..good }), OwnerError::WrongService);
    let view = keep(adopt(&Provisioned { card: Tag::from_bytes([0; 16]), ..good }).unwrap());
    assert_eq!((view.lock(), view.epoch(), *view.owner()), (lock(), Epoch::FIRST, me));
    assert_eq!((view.slot_count(), view.status(SLOT).state), (good.slots, None), "and of no slot is anything known");
}

//= spec/protocol.md#owner
//# OWN-42. The owner MUST NOT sign a Grant, an Activate or a Deactivate for a slot at or above the number of slots that its view knows the lock to have.
#[test]
fn an_owner_signs_nothing_for_a_slot_that_the_lock_does_not_have() {
    let mut view = active_view();
    let before = view.clone();
    let (last, beyond) = (SlotId::new(SLOTS.value() - 1), SlotId::new(SLOTS.value()));
    let subject = public(&subject_seed());
    let grant = |view: &mut OwnedLock, slot| {
        owner().share(view, slot, subject, Method::Account, Rights::OPEN, Limits::NONE).map(drop)
    };
    let order = |view: &mut OwnedLock, order| owner().order(view, order, &challenge(), &mut rng()).map(drop);
    assert_eq!(grant(&mut view, beyond), Err(OwnerError::NoSuchSlot));
    for slot in [beyond, SlotId::new(u8::MAX)] {
        assert_eq!(order(&mut view, Order::Activate { slot }), Err(OwnerError::NoSuchSlot));
        assert_eq!(order(&mut view, Order::Deactivate { slot }), Err(OwnerError::NoSuchSlot));
    }
    assert_eq!(view, before, "no row is left of it");
    assert_eq!(order(&mut view, Order::Activate { slot: last }), Ok(()));
}
