//! Provision, activate, share, revoke, download, open, reset, overwrite, kill.

use sharekey::code::ShareCode;
use sharekey::contacts::{ContactBook, Fingerprint, Trust};
use sharekey::counter::{Epoch, Generation};
use sharekey::error::{GuestError, LockError, OwnerError, ServiceError};
use sharekey::id::AccountId;
use sharekey::limits::{Action, Limits, Rights};
use sharekey::message::{Holding, WithdrawnOutcome};
use sharekey::owner::{Method, Whom};
use sharekey::slot::State;
use sharekey::wire::Kind;
use sharekey_stage::provider::Provider;

use sharekey_stage::world::guest::Guest;
use sharekey_stage::world::{ANA, BEN, HALL, STUDIO, Stop, World, digest, key_of, rng, through_storage};

#[test]
fn a_provisioned_lock_is_olgas_with_every_slot_closed() {
    let w = World::provisioned(1);
    let owned = w.door.lock.ownership().unwrap();
    assert_eq!((owned.epoch, owned.owner, owned.service), (Epoch::FIRST, w.olga.key(), w.cloud.key()));
    for slot in [HALL, STUDIO] {
        assert_eq!(w.state(slot), State::Inactive);
        assert_eq!(w.door.lock.report(slot).unwrap().holding, Holding::Inactive);
        assert!(!w.olga.view().status(slot).inspected, "a Provisioned says nothing of the slots");
    }
}

#[test]
fn an_activated_slot_is_open_at_the_lock_the_cloud_and_the_phone() {
    let mut w = World::provisioned(1);
    w.activate(HALL).unwrap();
    assert_eq!(w.state(HALL), State::NotShared);
    assert_eq!(w.door.lock.report(HALL).unwrap().holding, Holding::Empty);
    assert_eq!(w.state(STUDIO), State::Inactive, "the other slot stays closed");
}

#[test]
fn a_closed_slot_cannot_be_shared() {
    let mut w = World::provisioned(1);
    let ana = w.guest(ANA);
    let refused = Stop::Owner(sharekey::error::SlotError::NotActive.into());
    assert_eq!(w.share(HALL, &ana), Err(refused));
    assert_eq!(w.state(HALL), State::Inactive);
}

//= spec/protocol.md#contacts
//# CON-4. A grant to a contact MUST name the contact's pinned key.
#[test]
fn a_share_to_a_contact_is_downloaded_and_then_opens_offline() {
    let mut w = World::active();
    let mut ana = w.guest(ANA);
    let id = "ana@example".parse().unwrap();
    let mut book = ContactBook::new();
    book.add("ana@example".parse().unwrap(), "Ana".parse().unwrap(), ana.subject()).unwrap();
    book.verify(&Provider, &id, &Fingerprint::of(&Provider, &ana.subject())).unwrap();
    let book = through_storage(&book);
    assert_eq!(book.get(&id).unwrap().trust(), Trust::Verified);

    let grant = w
        .olga
        .change(|owner, view, _| {
            owner.share_with_verified_contact(view, HALL, (&book, &id), Rights::OPEN, Limits::NONE)
        })
        .unwrap();
    w.cloud.take(w.place(HALL), &grant).unwrap();
    assert_eq!(w.state(HALL), State::Sharing);
    let status = w.olga.view().status(HALL).shared.unwrap();
    assert_eq!((status.subject(), status.rights()), (Some(ana.subject()), Some(Rights::OPEN)));
    assert_eq!((status.contact_then, status.method), (Some(id), Some(Method::Account)));

    w.download(&mut ana).unwrap();
    // Opening takes the door only: the cloud is not asked.
    ana.act(&mut w.door, Action::Open).unwrap();
    ana.act(&mut w.door, Action::Open).unwrap();
    assert_eq!(w.door.bolt, [Action::Open, Action::Open]);
}

#[test]
fn a_share_by_code_goes_to_whoever_types_the_code() {
    let mut w = World::active();
    let code = ShareCode::issue(&mut rng(5));
    let shared =
        w.olga.change(|owner, view, _| owner.share_by_code(view, STUDIO, code, Rights::OPEN_AND_LOCK, Limits::NONE));
    let text = shared.unwrap().as_str().to_lowercase().replace('-', " ");
    let grant = w.olga.change(|owner, view, _| owner.code_shown(view, STUDIO)).unwrap();
    w.cloud.take(w.place(STUDIO), &grant).unwrap();
    assert_eq!(w.olga.view().status(STUDIO).shared.unwrap().method, Some(Method::Code));

    let mut ben = Guest::new(ShareCode::parse(&text).unwrap().redeem(&Provider), &w.tape);
    assert_eq!(w.cloud.find(w.door.id(), ben.subject()).unwrap(), (w.place(STUDIO), grant.to_vec()));
    w.download(&mut ben).unwrap();
    ben.act(&mut w.door, Action::Open).unwrap();
    ben.act(&mut w.door, Action::Lock).unwrap();
    assert_eq!(w.door.bolt, [Action::Open, Action::Lock]);
}

//= spec/protocol.md#issuing-and-using-a-code
//# COD-14. A party MUST NOT send a code or its seed to the service.
#[test]
fn neither_a_code_nor_its_seed_stands_in_any_message() {
    let mut w = World::active();
    let code = ShareCode::issue(&mut rng(5));
    let shared =
        w.olga.change(|owner, view, _| owner.share_by_code(view, HALL, code, Rights::OPEN, Limits::NONE)).unwrap();
    let text = shared.as_str().to_owned();
    let grant = w.olga.change(|owner, view, _| owner.code_shown(view, HALL)).unwrap();
    w.tape.note(&grant);
    w.cloud.take(w.place(HALL), &grant).unwrap();
    let mut ben = Guest::new(ShareCode::parse(&text).unwrap().redeem(&Provider), &w.tape);
    w.download(&mut ben).unwrap();
    w.open(&mut ben).unwrap();
    w.sync();
    w.withdraw(HALL).unwrap();

    let seed = *ShareCode::parse(&text).unwrap().redeem(&Provider).expose();
    let symbols = text.replace('-', "");
    let messages = w.tape.everything();
    for kind in [Kind::Grant, Kind::Claim, Kind::Install, Kind::Release, Kind::Receipt, Kind::Withdraw] {
        assert!(messages.iter().any(|message| Kind::of(message) == Ok(kind)), "no {kind:?}");
    }
    for bytes in messages.iter().chain(w.cloud.records.values()) {
        for secret in [text.as_bytes(), symbols.as_bytes(), &seed] {
            assert!(!bytes.windows(secret.len()).any(|window| window == secret));
        }
    }
}

#[test]
fn a_share_revoked_before_its_download_never_installs() {
    let (mut w, mut ana) = World::claimed();
    assert_eq!(w.withdraw(HALL), Ok(WithdrawnOutcome::NeverReleased));
    assert_eq!(w.state(HALL), State::NotShared);
    assert_eq!(w.olga.may_open(HALL), [0_u32; 0]);
    assert_eq!(w.download(&mut ana), Err(Stop::Service(ServiceError::NothingShared)));
    assert_eq!(w.door.lock.report(HALL).unwrap().holding, Holding::Empty);
}

//= spec/protocol.md#states
//# SLO-3. A view MUST NOT say that a key was downloaded before the share is confirmed.
#[test]
fn a_status_says_downloaded_only_with_the_locks_proof() {
    let (mut w, mut ana) = World::shared();
    assert_eq!((w.state(HALL), w.olga.downloaded(HALL)), (State::Sharing, None));

    let receipt = ana.fetch(&mut w.door, &mut w.cloud).unwrap();
    w.sync();
    assert_eq!(w.record(HALL).slot().state(), State::Shared);
    assert_eq!(w.olga.downloaded(HALL), None, "that the cloud released it proves nothing");
    assert_eq!(w.olga.may_open(HALL), [2], "and yet it may open");

    // Her phone keeps it until the cloud has it.
    assert_eq!(ana.key().receipt().as_bytes(), receipt);
    w.cloud.prove(w.place(HALL), ana.key().receipt()).unwrap();
    w.sync();
    assert_eq!((w.state(HALL), w.olga.downloaded(HALL)), (State::Shared, Some(ana.key().device())));
    let status = w.olga.view().status(HALL);
    assert_eq!(status.shared.unwrap().downloaded.unwrap().proof, digest(&receipt));
    assert_eq!(status.as_of.map(|as_of| as_of.version), Some(w.record(HALL).version()));
}

#[test]
fn after_a_reset_the_old_key_lives_until_the_next_download_overwrites_it() {
    let (mut w, mut ana) = World::downloaded();
    w.sync();
    let WithdrawnOutcome::Released { .. } = w.withdraw(HALL).unwrap() else { panic!("it was released") };
    assert_eq!(w.state(HALL), State::NotShared);
    assert_eq!(w.olga.may_open(HALL), [2], "a reset hides no key");
    w.open(&mut ana).unwrap();

    let mut ben = w.guest(BEN);
    w.share(HALL, &ben).unwrap();
    w.open(&mut ana).unwrap();
    assert_eq!(w.olga.may_open(HALL), [2, 3]);

    w.download(&mut ben).unwrap();
    assert_eq!(w.open(&mut ana), Err(Stop::Lock(LockError::UnlockMac)));
    assert_eq!(ana.told, Some(GuestError::RefusedOpaquely));
    w.open(&mut ben).unwrap();
    w.sync();
    assert_eq!(w.olga.may_open(HALL), [3]);
    assert_eq!(w.olga.downloaded(HALL), Some(ben.key().device()));
}

#[test]
fn deactivating_at_the_lock_kills_the_key_at_once() {
    let (mut w, mut ana) = World::downloaded();
    w.open(&mut ana).unwrap();
    w.deactivate(HALL).unwrap();
    assert_eq!(w.open(&mut ana), Err(Stop::Lock(LockError::NotInstalled)));
    assert_eq!(w.state(HALL), State::Inactive);
    assert_eq!(w.olga.may_open(HALL), [0_u32; 0]);
    assert_eq!(w.door.bolt.len(), 1);
    let left = w.door.lock.report(HALL).unwrap();
    assert_eq!((left.floor, left.holding), (Generation::new(3), Holding::Inactive), "for good: it took a number");
}

#[test]
fn a_slot_that_was_closed_is_opened_again_for_somebody_else() {
    let (mut w, mut ana) = World::downloaded();
    w.deactivate(HALL).unwrap();
    w.activate(HALL).unwrap();
    assert_eq!(w.state(HALL), State::NotShared);
    assert_eq!(w.open(&mut ana), Err(Stop::Lock(LockError::NotInstalled)), "her key stays dead");

    let mut ben = w.downloads(HALL, BEN);
    w.open(&mut ben).unwrap();
    assert_eq!(ben.key().generation().value(), 5, "every grant and every turn took a number");
}

//= spec/protocol.md#contacts
//# CON-11. A key MUST NOT be shown as shared with a contact whose pinned key is another than the grant's subject.
#[test]
fn a_key_is_shown_as_the_contacts_whose_key_it_is_for_today() {
    let mut w = World::active();
    let (ana, name) = (w.guest(ANA), || "Ana".parse().unwrap());
    let (id, other): (AccountId, AccountId) = ("ana@example".parse().unwrap(), "ana.new@example".parse().unwrap());
    let mut book = ContactBook::new();
    book.add(id.clone(), name(), ana.subject()).unwrap();
    let with = (&book, &id);
    w.olga
        .change(|owner, view, _| owner.share_with_unverified_contact(view, HALL, with, Rights::OPEN, Limits::NONE))
        .unwrap();
    let shared = w.olga.view().status(HALL).shared.unwrap();
    assert_eq!(shared.whom(&book), Whom::Contact(&id, Trust::Unverified));
    book.verify_key(&id, &ana.subject()).unwrap();
    assert_eq!(shared.whom(&book), Whom::Contact(&id, Trust::Verified));
    // The same id with another key is somebody else.
    book.delete(&id).unwrap();
    assert_eq!(shared.whom(&book), Whom::FormerContact(&id));
    book.accept_changed_key(&id, key_of(BEN)).unwrap();
    book.add(id.clone(), name(), key_of(BEN)).unwrap();
    assert_eq!(shared.whom(&book), Whom::FormerContact(&id));
    // And the same key under another id is the same person.
    book.add(other.clone(), name(), ana.subject()).unwrap();
    assert_eq!(shared.whom(&book), Whom::Contact(&other, Trust::Unverified));
    let empty = ContactBook::new();
    w.share(STUDIO, &ana).unwrap();
    let shared = w.olga.view().status(STUDIO).shared.unwrap();
    assert_eq!(
        (shared.whom(&empty), shared.whom(&book)),
        (Whom::Key(ana.subject()), Whom::Contact(&other, Trust::Unverified))
    );
}

//= spec/protocol.md#contacts
//# CON-12. An app MUST NOT share with a contact that is not verified other than by a call that says so.
#[test]
fn a_contact_that_nobody_compared_is_shared_with_by_a_call_that_says_so() {
    let mut w = World::active();
    let id: AccountId = "ana@example".parse().unwrap();
    let mut book = ContactBook::new();
    book.add(id.clone(), "Ana".parse().unwrap(), key_of(ANA)).unwrap();
    let share = |w: &mut World, book: &ContactBook| {
        let with = (book, &id);
        w.olga
            .change(|owner, view, _| owner.share_with_verified_contact(view, HALL, with, Rights::OPEN, Limits::NONE))
            .map(drop)
    };
    let before = w.olga.view().clone();
    assert_eq!(share(&mut w, &ContactBook::new()), Err(OwnerError::UnknownContact));
    assert_eq!(share(&mut w, &book), Err(OwnerError::UnverifiedContact));
    assert_eq!(*w.olga.view(), before);
    book.verify_key(&id, &key_of(ANA)).unwrap();
    assert_eq!(share(&mut w, &book), Ok(()));
    let shared = w.olga.view().status(HALL).shared.unwrap();
    assert_eq!((shared.whom(&book), shared.subject()), (Whom::Contact(&id, Trust::Verified), Some(key_of(ANA))));
}
