//! What is lost, late or in a race: receipts, Dones, bundles, withdrawals, numbers.

use sharekey::counter::Generation;
use sharekey::error::{LockError, OwnerError, RefuseReason, ServiceError, SlotError};
use sharekey::limits::{Limits, Rights};
use sharekey::message::{Holding, Receipt, WithdrawnOutcome};
use sharekey::owner::Order;
use sharekey::slot::{MAX_LIVE, State};
use sharekey::wire::{Kind, Unverified};
use sharekey_stage::provider::Provider;

use sharekey_stage::world::cloud::Conflict;
use sharekey_stage::world::door::Moment;
use sharekey_stage::world::{ANA, BEN, CLOUD, HALL, STUDIO, Stop, World, digest, seed};

#[test]
fn a_lost_receipt_is_made_up_for_by_installing_again_on_the_same_device() {
    let (mut w, mut ana) = World::shared();
    // The next call is the challenge; the one after it is the install.
    w.door.cut = Some((w.door.calls + 1, Moment::Answering));
    assert_eq!(ana.fetch(&mut w.door, &mut w.cloud), Err(Stop::PowerCut));
    let Holding::Installed { device, .. } = w.door.lock.report(HALL).unwrap().holding else { panic!("installed") };

    let receipt = ana.fetch(&mut w.door, &mut w.cloud).unwrap();
    assert_eq!(ana.key().device(), device, "a retry is no second device");
    assert_eq!(ana.key().generation(), Generation::new(2), "and takes no number");
    w.open(&mut ana).unwrap();
    w.cloud.prove(ana.place(), &receipt).unwrap();
    w.sync();
    assert_eq!(w.olga.downloaded(HALL), Some(device));
}

#[test]
fn a_connection_that_drops_before_the_bundle_arrives_is_released_again_for_a_new_challenge() {
    let (mut w, mut ana) = World::claimed();
    let (_session, _lost, first) = w.released(&mut ana);
    assert_eq!(w.door.lock.report(HALL).unwrap().holding, Holding::Empty);

    w.download(&mut ana).unwrap();
    assert_ne!(w.tape.last(Kind::Release), first, "it is another release, for another challenge");
    w.open(&mut ana).unwrap();
}

#[test]
fn a_release_that_got_lost_is_given_again_for_the_same_install() {
    let (mut w, mut ana) = World::claimed();
    let (session, installing, lost) = w.released(&mut ana);
    let again = w.cloud.take(ana.place(), (ana.claimed().claim(), installing.install())).unwrap();
    assert_eq!(again, lost);
    let download = installing.bundle(&Provider, &again).unwrap();
    ana.finish(&mut w.door, session, &download).unwrap();
    w.open(&mut ana).unwrap();
}

#[test]
fn a_late_receipt_of_an_overwritten_key_changes_nothing() {
    let mut w = World::active();
    let (mut ana, mut ben) = (w.guest(ANA), w.guest(BEN));
    w.share(HALL, &ana).unwrap();
    let late = ana.fetch(&mut w.door, &mut w.cloud).unwrap();
    w.withdraw(HALL).unwrap();
    w.share(HALL, &ben).unwrap();
    w.download(&mut ben).unwrap();
    w.sync();
    let (slot, view) = (w.record(HALL).slot().clone(), w.olga.view().clone());

    assert_eq!(w.cloud.prove(w.place(HALL), &late), Ok(State::Shared));
    assert_eq!(*w.record(HALL).slot(), slot);
    // It is evidence that Ana's grant was released, and nothing else.
    let _ = w.olga.learn(&late).unwrap();
    assert_eq!(w.olga.view().slot(HALL), view.slot(HALL));
    assert_eq!(w.olga.may_open(HALL), [3]);
}

//= spec/protocol.md#done-and-receipt
//# SLO-37. A receipt or a Done that comes late MUST still have these effects.
#[test]
fn a_late_receipt_of_a_key_that_still_opens_is_taken_in_beside_the_next_share() {
    let mut w = World::active();
    let (mut ana, ben) = (w.guest(ANA), w.guest(BEN));
    w.share(HALL, &ana).unwrap();
    let late = ana.fetch(&mut w.door, &mut w.cloud).unwrap();
    w.withdraw(HALL).unwrap();
    w.share(HALL, &ben).unwrap();

    assert_eq!(w.cloud.prove(w.place(HALL), &late), Ok(State::Sharing), "Ben's share goes on");
    w.sync();
    assert_eq!(w.state(HALL), State::Sharing);
    assert_eq!(w.record(HALL).slot().floor(), Generation::new(2));
    let status = w.olga.view().status(HALL);
    let proved: Vec<_> = status.may_open.iter().map(|key| key.downloaded.map(|proof| proof.device)).collect();
    assert_eq!(proved, [Some(ana.key().device()), None]);
}

#[test]
fn late_dones_in_reverse_order_do_not_turn_a_slot_back() {
    let mut w = World::provisioned(1);
    for turn in [true, false, true] {
        let order = if turn { Order::Activate { slot: HALL } } else { Order::Deactivate { slot: HALL } };
        let _ = w.olga.order(&mut w.door, order).unwrap();
    }
    let dones = w.tape.all(Kind::Done);
    assert_eq!(w.record(HALL).slot().state(), State::Inactive, "the cloud has heard of none");
    assert_eq!(w.cloud.prove(w.place(HALL), &dones[2]), Ok(State::NotShared));
    let slot = w.record(HALL).slot().clone();
    assert_eq!(w.cloud.prove(w.place(HALL), &dones[1]), Ok(State::NotShared));
    assert_eq!(w.cloud.prove(w.place(HALL), &dones[0]), Ok(State::NotShared));
    assert_eq!(*w.record(HALL).slot(), slot);
    w.olga.learns_nothing(&dones[1]);
    assert_eq!(w.state(HALL), State::NotShared);
}

//= spec/protocol.md#done-and-receipt
//# SLO-37. A receipt or a Done that comes late MUST still have these effects.
#[test]
fn a_late_done_below_the_share_proves_older_keys_dead_and_leaves_the_share() {
    let mut w = World::provisioned(1);
    let order = w.olga.order(&mut w.door, Order::Activate { slot: HALL });
    let (first, ..) = order.unwrap();
    w.cloud.prove(w.place(HALL), &first).unwrap();
    let (mut ana, ben) = (w.guest(ANA), w.guest(BEN));
    w.share(HALL, &ana).unwrap();
    ana.fetch(&mut w.door, &mut w.cloud).unwrap();
    w.withdraw(HALL).unwrap();
    let order = w.olga.order(&mut w.door, Order::Activate { slot: HALL });
    let (late, ..) = order.unwrap();
    w.share(HALL, &ben).unwrap();
    let live = |w: &World| w.record(HALL).slot().may_open().len();
    assert_eq!(live(&w), 1, "Ana's, which the cloud does not know to be dead");

    assert_eq!(w.cloud.prove(w.place(HALL), &late), Ok(State::Sharing));
    assert_eq!(live(&w), 0);
}

#[test]
fn a_withdrawal_that_loses_the_race_is_answered_with_the_install_that_won() {
    let (mut w, mut ana) = World::shared();
    let withdraw = w.olga.sign_withdrawal(HALL).unwrap();
    let receipt = ana.fetch(&mut w.door, &mut w.cloud).unwrap();
    let install = Unverified::<Receipt>::parse(&receipt).unwrap().claims().install;

    let answer = w.cloud.take(w.place(HALL), &withdraw).unwrap();
    let _ = w.olga.learn(&answer).unwrap();
    let status = w.olga.view().status(HALL);
    assert_eq!((status.state, status.shared), (Some(State::NotShared), None));
    assert_eq!(status.may_open[0].install, Some(install), "the owner sees that it was too late");
    assert!(!status.may_open[0].withdrawing);
    w.open(&mut ana).unwrap();
}

//= spec/protocol.md#service
//# SVC-4. The service MUST NOT give out a Release or a Withdrawn before the store accepted the record that it belongs to.
#[test]
fn of_a_release_and_a_withdrawal_decided_on_one_record_only_one_is_stored() {
    let (mut w, mut ana) = World::claimed();
    let (_session, installing) = w.asks(&mut ana);
    let withdraw = w.olga.sign_withdrawal(HALL).unwrap();

    // Two servers read the same record.
    let (mut one, mut two) = (w.record(HALL).clone(), w.record(HALL).clone());
    let World { cloud, .. } = &mut w;
    let (claim, install) = (ana.claimed().claim().to_vec(), installing.install().to_vec());
    let other = sharekey::service::Service::new(Provider, &seed(CLOUD)).unwrap();
    let withdrawn = other.take(&mut one, &withdraw).unwrap().commit(|next| cloud.swap(next));
    assert!(withdrawn.is_ok());
    let released = other.take(&mut two, (&claim, &install)).unwrap().commit(|next| cloud.swap(next));
    assert_eq!(released.err(), Some(Conflict), "the signature never came out");
    assert_eq!(two.slot().state(), State::Sharing, "nor did the loser's copy change");
    assert_eq!(w.cloud.take(ana.place(), (&claim, &install)), Err(ServiceError::NothingShared));
}

#[test]
fn a_grant_withdrawn_before_it_was_published_never_is() {
    let mut w = World::active();
    let (ana, mut ben) = (w.guest(ANA), w.guest(BEN));
    let grant = w.olga.sign(HALL, ana.subject(), Rights::OPEN, Limits::NONE).unwrap();
    assert_eq!(w.withdraw(HALL), Ok(WithdrawnOutcome::NeverReleased));
    assert_eq!(w.state(HALL), State::NotShared);
    assert_eq!(w.olga.may_open(HALL), [0_u32; 0]);
    let record = w.record(HALL).clone();
    let stale = ServiceError::Slot(SlotError::StaleNumber);
    assert_eq!(w.cloud.take(w.place(HALL), &grant), Err(stale), "its number is taken");
    assert_eq!(w.record(HALL), record);

    w.share(HALL, &ben).unwrap();
    w.download(&mut ben).unwrap();
    assert_eq!(ben.key().generation(), Generation::new(3));
}

#[test]
fn of_two_phones_that_sign_one_number_the_loser_signs_again_higher() {
    let mut w = World::active();
    let mut tablet = w.olga.twin();
    let (ana, mut ben) = (w.guest(ANA), w.guest(BEN));
    w.share(HALL, &ana).unwrap();

    let stale = Stop::Service(ServiceError::Slot(SlotError::StaleNumber));
    assert_eq!(tablet.share(&mut w.cloud, HALL, ben.subject(), Rights::OPEN, Limits::NONE), Err(stale));
    assert_eq!(tablet.state(HALL), State::Sharing, "it shows its grant until the cloud answered a withdrawal");
    assert_eq!(tablet.withdraw(&mut w.cloud, HALL), Ok(WithdrawnOutcome::NeverReleased));
    assert_eq!(w.record(HALL).subject(), Some(ana.subject()), "which leaves the winner's share alone");
    tablet.sync(&mut w.cloud).unwrap();
    assert_eq!(tablet.may_open(HALL), [2], "the tablet knows of the winner's grant");
    assert_eq!(tablet.state(HALL), State::Sharing, "and shows it as what is shared, as the winner does");

    w.withdraw(HALL).unwrap();
    tablet.sync(&mut w.cloud).unwrap();
    assert_eq!((tablet.state(HALL), tablet.may_open(HALL)), (State::NotShared, vec![]));
    tablet.share(&mut w.cloud, HALL, ben.subject(), Rights::OPEN, Limits::NONE).unwrap();
    w.download(&mut ben).unwrap();
    assert_eq!(ben.key().generation(), Generation::new(3));
    w.open(&mut ben).unwrap();
}

#[test]
fn of_two_phones_that_turn_a_slot_with_one_number_the_loser_orders_again_higher() {
    let mut w = World::provisioned(1);
    let mut tablet = w.olga.twin();
    w.activate(HALL).unwrap();
    let refused = tablet.deactivate(&mut w.door, &mut w.cloud, HALL);
    assert_eq!(refused, Err(Stop::Lock(LockError::StaleNumber)));
    assert_eq!(tablet.told, Some(OwnerError::Refused(RefuseReason::StaleNumber)));
    assert_eq!(w.door.lock.report(HALL).unwrap().holding, Holding::Empty);
    tablet.deactivate(&mut w.door, &mut w.cloud, HALL).unwrap();
    assert_eq!(w.door.lock.report(HALL).unwrap().holding, Holding::Inactive);
}

#[test]
fn one_phone_learns_from_the_cloud_what_the_other_did() {
    let (mut w, ana) = World::downloaded();
    let mut tablet = w.olga.twin();
    w.withdraw(HALL).unwrap();
    let ben = w.guest(BEN);
    let grant = w.share(HALL, &ben).unwrap();
    tablet.sync(&mut w.cloud).unwrap();
    assert_eq!(tablet.state(HALL), State::Sharing);
    assert_eq!(tablet.view().status(HALL).shared.unwrap().key.grant, digest(&grant));
    assert_eq!(tablet.view().status(HALL).may_open[0].downloaded.unwrap().device, ana.key().device());
}

#[test]
fn too_many_live_keys_hold_up_publishing_until_a_proof_lets_them_go() {
    let mut w = World::active();
    let mut last = None;
    for _ in 0..MAX_LIVE {
        let mut guest = w.guest(ANA);
        w.claims(HALL, &mut guest);
        let (session, installing, release) = w.released(&mut guest);
        assert!(matches!(w.withdraw(HALL), Ok(WithdrawnOutcome::Released { .. })));
        last = Some((guest, session, installing, release));
    }
    assert_eq!(w.record(HALL).slot().may_open().len(), MAX_LIVE);
    let ben = w.guest(BEN);
    assert_eq!(w.share(HALL, &ben), Err(Stop::Owner(SlotError::LiveFull.into())));
    assert_eq!(w.state(HALL), State::NotShared);

    // The last of them is installed after all: the lock's word for it proves the others dead.
    let (mut guest, session, installing, release) = last.unwrap();
    let download = installing.bundle(&Provider, &release).unwrap();
    let receipt = guest.finish(&mut w.door, session, &download).unwrap();
    w.cloud.prove(w.place(HALL), &receipt).unwrap();
    w.sync();
    assert_eq!(w.olga.may_open(HALL).len(), 1);
    w.share(HALL, &ben).unwrap();
    assert_eq!(w.state(HALL), State::Sharing);
    assert_eq!(w.olga.state(STUDIO), State::NotShared, "other slots were never held up");
}

//= spec/protocol.md#number-line
//# SLO-12. A publication MUST be refused while MAX_LIVE grants are live.
#[test]
fn the_cloud_refuses_what_would_make_too_many_keys_live_even_if_a_phone_forgot() {
    let mut w = World::active();
    let fresh = w.olga.twin();
    for _ in 0..MAX_LIVE {
        let mut guest = w.guest(ANA);
        w.share(HALL, &guest).unwrap();
        let (_, grant) = w.cloud.find(w.door.id(), guest.subject()).unwrap();
        guest.claim(&grant).unwrap();
        let (_session, installing) = w.asks(&mut guest);
        w.cloud.take(guest.place(), (guest.claimed().claim(), installing.install())).unwrap();
        w.withdraw(HALL).unwrap();
    }
    // A phone that knows the numbers, and none of the keys.
    let mut phone = fresh;
    for _ in 0..MAX_LIVE {
        phone.sign(HALL, w.guest(BEN).subject(), Rights::OPEN, Limits::NONE).unwrap();
        let withdraw = phone.sign_withdrawal(HALL).unwrap();
        let mut lenient = World::active();
        let answer = lenient.cloud.take(lenient.place(HALL), &withdraw).unwrap();
        let _ = phone.learn(&answer).unwrap();
    }
    let full = Stop::Service(ServiceError::Slot(SlotError::LiveFull));
    let ben = w.guest(BEN).subject();
    assert_eq!(phone.share(&mut w.cloud, HALL, ben, Rights::OPEN, Limits::NONE), Err(full));
    assert_eq!(w.record(HALL).slot().state(), State::NotShared);
    assert_eq!(w.record(HALL).slot().highest(), Generation::new(18), "the refused number is taken all the same");
}

//= spec/protocol.md#owner
//# SVC-22. A report MUST hold every Grant that was published in the record's epoch and is live in the record.
#[test]
fn a_report_names_every_key_that_may_open_to_a_phone_that_heard_of_none() {
    let mut w = World::active();
    let mut other = w.olga.twin();
    let (mut ana, ben) = (w.guest(ANA), w.guest(BEN));
    w.share(HALL, &ana).unwrap();
    // Her receipt stays with her.
    ana.fetch(&mut w.door, &mut w.cloud).unwrap();
    assert!(matches!(w.withdraw(HALL), Ok(WithdrawnOutcome::Released { .. })));
    w.share(HALL, &ben).unwrap();
    assert_eq!(w.withdraw(HALL), Ok(WithdrawnOutcome::NeverReleased));

    other.sync(&mut w.cloud).unwrap();
    assert_eq!(other.state(HALL), State::NotShared);
    assert_eq!(other.may_open(HALL), [2]);
    assert_eq!(other.view().status(HALL).may_open[0].subject(), Some(ana.subject()), "and to whom it went");
    w.open(&mut ana).unwrap();

    // Overwritten, it is named no more.
    w.share(HALL, &ben).unwrap();
    let mut ben = ben;
    w.download(&mut ben).unwrap();
    other.sync(&mut w.cloud).unwrap();
    assert_eq!(other.may_open(HALL), [4]);
    assert_eq!(w.olga.sync(&mut w.cloud).map(|_| w.olga.may_open(HALL)), Ok(vec![4]));
}

//= spec/protocol.md#owner
//# SVC-22. A report MUST hold every Grant that was published in the record's epoch and is live in the record.
#[test]
fn a_share_that_a_late_deactivation_ended_is_named_while_its_key_may_open() {
    let mut w = World::active();
    let mut other = w.olga.twin();
    // The deactivation's Done gets to the cloud after the slot was opened again and shared.
    let (late, ..) = w.olga.order(&mut w.door, Order::Deactivate { slot: HALL }).unwrap();
    let mut ana = w.guest(ANA);
    let _ = w.olga.order(&mut w.door, Order::Activate { slot: HALL }).unwrap();
    w.share(HALL, &ana).unwrap();
    ana.fetch(&mut w.door, &mut w.cloud).unwrap();
    w.cloud.hear(&late).unwrap();
    assert_eq!(w.record(HALL).slot().state(), State::Inactive);

    other.sync(&mut w.cloud).unwrap();
    assert_eq!(other.may_open(HALL), [4]);
    w.open(&mut ana).unwrap();
}

#[test]
fn a_report_that_proves_keys_dead_has_room_for_those_that_came_after() {
    let mut w = World::active();
    let mut other = w.olga.twin();
    let mut last = None;
    let mut share = |w: &mut World, guest: u8| {
        let mut guest = w.guest(guest);
        w.share(HALL, &guest).unwrap();
        last = Some(guest.fetch(&mut w.door, &mut w.cloud).unwrap());
        (guest.place(), last.clone().unwrap())
    };
    // Half of what a view has room for, and the receipt of the last one, which proves the others dead.
    for guest in 0..7 {
        share(&mut w, 20 + guest);
        w.withdraw(HALL).unwrap();
    }
    let (place, receipt) = share(&mut w, 30);
    other.sync(&mut w.cloud).unwrap();
    w.cloud.prove(place, &receipt).unwrap();
    w.sync();
    w.withdraw(HALL).unwrap();
    for guest in 0..9 {
        share(&mut w, 40 + guest);
        w.withdraw(HALL).unwrap();
    }
    other.sync(&mut w.cloud).unwrap();
    assert_eq!(other.may_open(HALL), (9..=18).collect::<Vec<u32>>());
}
