//! What the owner does at the lock beside sharing: set the clock, open, inspect, sell, reset.

use sharekey::counter::{Epoch, Generation};
use sharekey::error::{LockError, OwnerError, ServiceError};
use sharekey::limits::{Action, Timestamp};
use sharekey::lock::{Clock, purpose};
use sharekey::message::{Completed, Holding, SlotReport};
use sharekey::owner;
use sharekey::owner::{Fact, Order};
use sharekey::slot::State;
use sharekey::wire::Kind;

use sharekey_stage::desk::keep;
use sharekey_stage::world::cloud::Cloud;
use sharekey_stage::world::door::NOON;
use sharekey_stage::world::phone::Phone;
use sharekey_stage::world::{ANA, BEN, HALL, OLGA, OTHER_CLOUD, OTTO, STUDIO, Stop, World, through_storage};

#[test]
fn the_owner_opens_and_locks_without_any_key() {
    let mut w = World::provisioned(1);
    let before = w.snapshot();
    w.olga.act(&mut w.door, Action::Open).unwrap();
    w.olga.act(&mut w.door, Action::Lock).unwrap();
    assert_eq!(w.door.bolt, [Action::Open, Action::Lock]);
    assert_eq!(w.snapshot().store, before.store, "and nothing is written for it");
}

#[test]
fn only_the_owner_sets_the_clock_forward_and_back() {
    let mut w = World::provisioned(1);
    for to in [NOON + 1_000_000, NOON - 1_000_000] {
        w.olga.set_clock(&mut w.door, Timestamp::from_unix_seconds(to)).unwrap();
        assert_eq!(w.door.clock, Clock::At(Timestamp::from_unix_seconds(to)));
    }
    w.door.clock = Clock::Absent;
    let refused = w.olga.set_clock(&mut w.door, Timestamp::from_unix_seconds(NOON));
    assert_eq!(refused, Err(Stop::Lock(LockError::NoClock)));
}

#[test]
fn an_inspection_finds_the_key_whose_receipt_was_withheld() {
    let (mut w, mut ana) = World::shared();
    ana.fetch(&mut w.door, &mut w.cloud).unwrap();
    w.sync();
    assert_eq!(w.olga.downloaded(HALL), None);

    let fact = w.olga.inspect(&mut w.door, &mut w.cloud, HALL).unwrap();
    let (grant, device) = (ana.key().grant(), ana.key().device());
    let left = SlotReport { floor: Generation::new(2), holding: Holding::Installed { grant, device } };
    assert!(
        matches!(fact, Fact::Done { completed: Completed::Inspect { slot: HALL, left: found, .. }, .. } if found == left)
    );
    assert_eq!((w.state(HALL), w.olga.downloaded(HALL)), (State::Shared, Some(device)));
    assert!(w.record(HALL).slot().is_downloaded(), "the cloud has it from the owner");
}

#[test]
fn an_inspection_of_an_empty_slot_ends_a_share_whose_number_the_lock_has_passed() {
    let mut w = World::active();
    let (ana, mut tablet) = (w.guest(ANA), w.olga.twin());
    w.share(HALL, &ana).unwrap();
    // The tablet turned the slot with the same number, and its Done got lost.
    let order = tablet.order(&mut w.door, Order::Activate { slot: HALL });
    let _ = order.unwrap();
    assert_eq!(w.state(HALL), State::Sharing);
    w.olga.inspect(&mut w.door, &mut w.cloud, HALL).unwrap();
    assert_eq!(w.state(HALL), State::NotShared);
    assert_eq!(w.olga.may_open(HALL), [0_u32; 0]);
}

/// The lock closed the slot, and its answer reached one phone only, which is lost: an inspection tells as much.
#[test]
fn an_inspection_tells_that_the_slot_was_closed_where_the_answer_was_lost() {
    for downloaded in [false, true] {
        let (mut w, mut ana) = World::shared();
        if downloaded {
            w.download(&mut ana).unwrap();
            w.sync();
        }
        let mut lost = w.olga.twin();
        let _ = lost.order(&mut w.door, Order::Deactivate { slot: HALL }).unwrap();
        assert_eq!(w.state(HALL), if downloaded { State::Shared } else { State::Sharing });
        w.olga.inspect(&mut w.door, &mut w.cloud, HALL).unwrap();
        assert_eq!((w.state(HALL), w.record(HALL).slot().state()), (State::Inactive, State::Inactive));
        assert_eq!(w.olga.may_open(HALL), [0_u32; 0]);
        // It is not offered again, and opened again in the usual way.
        let ben = w.guest(BEN);
        assert!(w.share(HALL, &ben).is_err());
        w.activate(HALL).unwrap();
        w.share(HALL, &ben).unwrap();
    }
}

/// A phone has the owner's key from a backup, and nothing else: no view, no card. No key ends for it to begin.
#[test]
fn a_phone_with_the_owners_key_alone_begins_without_the_card_and_ends_no_key() {
    for epoch in [1, 2] {
        let mut w = World::provisioned(1);
        if epoch == 2 {
            let (owner, service) = (w.olga.key(), w.cloud.key());
            let done = w.olga.transfer(&mut w.door, owner, service).unwrap();
            w.cloud.hear(&done).unwrap();
        }
        w.activate(HALL).unwrap();
        let mut ana = w.downloads(HALL, ANA);
        let mut found = Phone::new(OLGA, &w.tape);
        found.begin_anew(w.door.id(), &mut w.cloud, HALL).unwrap();
        assert_eq!((found.view().epoch(), found.may_open(HALL)), (Epoch::new(epoch), vec![2]));
        assert_eq!((found.state(HALL), found.view().status(STUDIO).state), (State::Shared, None));
        found.inspect(&mut w.door, &mut w.cloud, HALL).unwrap();
        w.open(&mut ana).unwrap();
        // Nobody else is answered.
        let mut otto = Phone::new(OTTO, &w.tape);
        let refused = otto.begin_anew(w.door.id(), &mut w.cloud, HALL);
        assert!(matches!(refused, Err(Stop::Service(ServiceError::RequestSignature(_)))), "{refused:?}");
    }
}

#[test]
fn a_lock_is_sold_to_another_owner_with_another_cloud() {
    let (mut w, mut ana) = World::downloaded();
    let (mut otto, mut cloud) = (Phone::new(OTTO, &w.tape), Cloud::new(OTHER_CLOUD, &w.tape));
    let done = w.olga.transfer(&mut w.door, otto.key(), cloud.key()).unwrap();
    let lock = w.door.id();
    let owned = w.door.lock.ownership().unwrap();
    assert_eq!((owned.epoch, owned.owner, owned.service), (Epoch::new(2), otto.key(), cloud.key()));
    otto.adopt(lock, cloud.key(), &done).unwrap();
    cloud.hear(&done).unwrap();
    w.cloud.hear(&done).unwrap();

    // Nothing of Olga's is left.
    assert_eq!(w.open(&mut ana), Err(Stop::Lock(LockError::NotInstalled)));
    assert_eq!(w.olga.view().standing(), owner::Standing::Transferred);
    assert_eq!(w.olga.act(&mut w.door, Action::Open), Err(Stop::Owner(OwnerError::Transferred)));
    assert_eq!(*w.record(HALL).service(), cloud.key());
    assert_eq!((w.record(HALL).slot().state(), w.record(HALL).grant()), (State::Inactive, None));

    // Otto trusts what he inspects, and shares as Olga did.
    assert!(!otto.view().status(HALL).inspected);
    let fact = otto.inspect(&mut w.door, &mut cloud, HALL).unwrap();
    let left = SlotReport { floor: Generation::ZERO, holding: Holding::Inactive };
    assert!(
        matches!(fact, Fact::Done { completed: Completed::Inspect { slot: HALL, left: found, .. }, .. } if found == left)
    );
    assert!(otto.view().status(HALL).inspected);
    otto.activate(&mut w.door, &mut cloud, HALL).unwrap();
    let mut ben = w.guest(BEN);
    let (rights, limits) = (sharekey::limits::Rights::OPEN, sharekey::limits::Limits::NONE);
    otto.share(&mut cloud, HALL, ben.subject(), rights, limits).unwrap();
    ben.download(&mut w.door, &mut cloud).unwrap();
    w.open(&mut ben).unwrap();
    assert_eq!(w.door.bolt.len(), 1);
}

#[test]
fn a_lock_that_is_sold_back_opens_its_record_at_the_first_cloud_again() {
    let mut w = World::active();
    let (mut otto, mut other) = (Phone::new(OTTO, &w.tape), Cloud::new(OTHER_CLOUD, &w.tape));
    let lock = w.door.id();
    let there = w.olga.transfer(&mut w.door, otto.key(), other.key()).unwrap();
    otto.adopt(lock, other.key(), &there).unwrap();
    other.hear(&there).unwrap();
    w.cloud.hear(&there).unwrap();

    let back = otto.transfer(&mut w.door, w.olga.key(), w.cloud.key()).unwrap();
    w.olga.adopt(lock, w.cloud.key(), &back).unwrap();
    w.cloud.hear(&back).unwrap();
    other.hear(&back).unwrap();
    assert_eq!((*w.record(HALL).service(), w.record(HALL).epoch()), (w.cloud.key(), Epoch::new(3)));
    assert_eq!(*other.record((lock, HALL)).service(), w.cloud.key());
    w.activate(HALL).unwrap();
    let mut ana = w.downloads(HALL, ANA);
    w.open(&mut ana).unwrap();
}

/// The lock carries a transfer out, and its answer is lost.
fn transfer_unheard(w: &mut World, owner: &Phone, cloud: &Cloud) {
    let (challenge, session) = w.door.connect::<purpose::Operate>();
    let (to, service) = (owner.key(), cloud.key());
    let (command, _lost) = w.olga.sign_order(Order::Transfer { owner: to, service }, &challenge).unwrap();
    w.door.command(session, &command).unwrap();
    w.door.reboot();
}

#[test]
fn a_lock_whose_done_of_a_transfer_was_lost_is_taken_over_by_its_new_owner() {
    let (mut w, mut ana) = World::downloaded();
    let (mut otto, mut cloud) = (Phone::new(OTTO, &w.tape), Cloud::new(OTHER_CLOUD, &w.tape));
    let (lock, epoch) = (w.door.id(), w.olga.view().epoch().next().unwrap());
    transfer_unheard(&mut w, &otto, &cloud);

    let (challenge, session) = w.door.connect::<purpose::Operate>();
    let (command, pending) = otto.owner.take_over((lock, epoch), cloud.key(), &challenge, &mut otto.rng).unwrap();
    let pending = through_storage(&pending);
    let done = w.door.command(session, &command).unwrap();
    // On a phone with two accounts, the other one has not taken it over.
    assert_eq!(pending.finish(&w.olga.owner, &done).unwrap_err(), OwnerError::WrongOwner);
    let view = keep(pending.finish(&otto.owner, &done).unwrap());
    assert_eq!((view.epoch(), view.service()), (Epoch::new(3), &cloud.key()));
    assert!(!view.status(HALL).inspected);
    otto.view = Some(view);
    cloud.hear(&done).unwrap();
    w.cloud.hear(&done).unwrap();
    assert_eq!(*w.record(HALL).service(), cloud.key());

    assert_eq!(w.open(&mut ana), Err(Stop::Lock(LockError::NotInstalled)));
    otto.activate(&mut w.door, &mut cloud, HALL).unwrap();
    assert_eq!(otto.state(HALL), State::NotShared);
}

#[test]
fn nobody_but_the_owner_that_the_lock_stores_takes_it_over_and_only_with_its_own_done() {
    let mut w = World::active();
    let (mut otto, cloud) = (Phone::new(OTTO, &w.tape), Cloud::new(OTHER_CLOUD, &w.tape));
    let (lock, epoch) = (w.door.id(), w.olga.view().epoch());
    for guess in [epoch, epoch.next().unwrap()] {
        let (challenge, session) = w.door.connect::<purpose::Operate>();
        let (command, pending) = otto.owner.take_over((lock, guess), cloud.key(), &challenge, &mut otto.rng).unwrap();
        assert!(w.door.command(session, &command).is_err());
        assert_eq!(pending.finish(&otto.owner, &w.door.refusal).unwrap_err(), OwnerError::RefusedOpaque);
    }
    assert_eq!(w.door.lock.ownership().unwrap().owner, w.olga.key());

    // Done of another transfer, and the challenge of another lock.
    let (challenge, session) = w.door.connect::<purpose::Operate>();
    let (_, pending) = otto.owner.take_over((lock, epoch), cloud.key(), &challenge, &mut otto.rng).unwrap();
    let (key, service) = (otto.key(), cloud.key());
    let (command, _) = w.olga.sign_order(Order::Transfer { owner: key, service }, &challenge).unwrap();
    let done = w.door.command(session, &command).unwrap();
    assert_eq!(pending.finish(&otto.owner, &done).unwrap_err(), OwnerError::OtherCommand);
    let elsewhere = sharekey::id::LockId::new(otto.key());
    let error = otto.owner.take_over((elsewhere, epoch), cloud.key(), &challenge, &mut otto.rng).unwrap_err();
    assert_eq!(error, OwnerError::WrongLock);
}

//= spec/protocol.md#owner
//# OWN-16. A Provisioned MUST NOT be taken for a statement about any slot.
#[test]
fn provisioning_again_gives_a_view_that_claims_to_know_nothing() {
    let (mut w, mut ana) = World::downloaded();
    let mut again = Phone::new(sharekey_stage::world::OLGA, &w.tape);
    again.provision(&mut w.door, &mut w.cloud).unwrap();
    w.open(&mut ana).unwrap();
    let status = again.view().status(HALL);
    assert!(status.may_open.is_empty() && !status.inspected, "nobody can open only where both say so");

    again.sync(&mut w.cloud).unwrap();
    again.inspect(&mut w.door, &mut w.cloud, HALL).unwrap();
    let status = again.view().status(HALL);
    assert_eq!((status.may_open.len(), status.inspected), (1, true));
}

#[test]
fn a_transfer_to_oneself_ends_every_key_and_begins_anew() {
    let (mut w, mut ana) = World::downloaded();
    let (olga, cloud) = (w.olga.key(), w.cloud.key());
    let done = w.olga.transfer(&mut w.door, olga, cloud).unwrap();
    w.cloud.hear(&done).unwrap();
    assert_eq!(w.olga.view().standing(), owner::Standing::Owned);
    assert_eq!((w.olga.view().epoch(), w.record(HALL).epoch()), (Epoch::new(2), Epoch::new(2)));
    assert_eq!((w.state(HALL), w.state(STUDIO)), (State::Inactive, State::Inactive));
    assert_eq!(w.open(&mut ana), Err(Stop::Lock(LockError::NotInstalled)));

    w.activate(HALL).unwrap();
    let mut ben = w.downloads(HALL, BEN);
    w.open(&mut ben).unwrap();
    assert_eq!(ben.key().generation(), Generation::new(2), "the numbers begin again");
}

#[test]
fn a_factory_reset_makes_another_lock_which_is_provisioned_anew() {
    let (mut w, mut ana) = World::downloaded();
    let (old, view) = (w.door.id(), w.olga.view().clone());
    w.door.reset_by_card().unwrap();

    assert_ne!(w.door.id(), old);
    assert_eq!(w.door.lock.ownership(), Err(LockError::NotProvisioned));
    let (challenge, _session) = w.door.connect::<purpose::Operate>();
    let unlock =
        ana.key.as_ref().unwrap().unlock(&sharekey_stage::provider::Provider, &challenge, Action::Open, &mut ana.rng);
    assert_eq!(unlock.err(), Some(sharekey::error::GuestError::WrongLock), "Ana's phone sees another lock");

    w.olga.provision(&mut w.door, &mut w.cloud).unwrap();
    assert_ne!(*w.olga.view(), view);
    w.activate(HALL).unwrap();
    let mut ben = w.downloads(HALL, BEN);
    w.open(&mut ben).unwrap();
}

#[test]
fn a_cloud_opens_no_record_for_a_lock_that_names_another_cloud() {
    let mut w = World::provisioned(1);
    let mut other = Cloud::new(OTHER_CLOUD, &w.tape);
    let provisioned = w.tape.last(Kind::Provisioned);
    assert_eq!(other.hear(&provisioned), Err(ServiceError::OtherService));
    let (olga, key) = (w.olga.key(), other.key());
    let done = w.olga.transfer(&mut w.door, olga, key).unwrap();
    let mut third = Cloud::new(99, &w.tape);
    assert_eq!(third.hear(&done), Err(ServiceError::OtherService));
    assert!(other.records.is_empty() && third.records.is_empty());
    other.hear(&done).unwrap();
    assert_eq!(other.records.len(), 1);
}
