//! Provision, activate, share, revoke, download, open, reset, overwrite, kill.

use sharekey::code::ShareCode;
use sharekey::contacts::{ContactBook, Fingerprint, Trust};
use sharekey::counter::{Epoch, Generation};
use sharekey::error::{GuestError, LockError, ServiceError};
use sharekey::limits::{Action, Limits, Rights};
use sharekey::message::{Holding, WithdrawnOutcome};
use sharekey::owner::Method;
use sharekey::slot::State;
use sharekey::wire::Kind;
use sharekey_stage::provider::Provider;

use sharekey_stage::world::guest::Guest;
use sharekey_stage::world::{ANA, BEN, HALL, STUDIO, Stop, World, digest, rng, through_storage};

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
        .change(|owner, view, _| owner.share_with_contact(view, HALL, (&book, &id), Rights::OPEN, Limits::NONE))
        .unwrap();
    w.cloud.take(w.place(HALL), &grant).unwrap();
    assert_eq!(w.state(HALL), State::Sharing);
    let status = w.olga.view().status(HALL).shared.unwrap();
    assert_eq!((status.subject(), status.rights()), (Some(ana.subject()), Some(Rights::OPEN)));
    assert_eq!((status.contact, status.method), (Some(id), Some(Method::Account)));

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
    assert_eq!(w.cloud.find(ben.subject()).unwrap(), (w.place(STUDIO), grant.to_vec()));
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
    let record = postcard::to_allocvec(w.record(HALL)).unwrap();
    for bytes in messages.iter().chain([&record]) {
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
