//! Replay of every kind that is an answer: to owner, guest and cloud.

use sharekey::counter::Epoch;
use sharekey::error::{GuestError, OwnerError, RefuseReason, ServiceError};
use sharekey::limits::{Action, Limits};
use sharekey::lock::purpose;
use sharekey::owner::Order;
use sharekey::secret::ActivationSecret;
use sharekey::slot::State;
use sharekey::wire::Kind;
use sharekey_stage::provider::Provider;

use sharekey_stage::world::{ANA, BEN, HALL, STUDIO, World};

//= spec/protocol.md#receipt-checks
//# GST-10. The receipt MUST name the guest's install.
#[test]
fn a_receipt_replayed_to_the_guest_is_not_taken_for_the_next_install() {
    let (mut w, mut ana) = World::downloaded();
    let old = w.tape.last(Kind::Receipt);
    let (_session, installing, release) = w.released(&mut ana);
    let download = installing.bundle(&Provider, &release).unwrap();
    assert_eq!(download.finish(&Provider, &old), Err(GuestError::ReceiptNamesOtherInstall));
    w.open(&mut ana).unwrap();
}

#[test]
fn a_receipt_replayed_to_cloud_and_owner_changes_nothing() {
    let (mut w, _ana) = World::downloaded();
    w.sync();
    let old = w.tape.last(Kind::Receipt);
    let check = |w: &mut World, state| {
        let (slot, view) = (w.record(HALL).slot().clone(), w.olga.view().clone());
        assert_eq!(w.cloud.prove(w.place(HALL), &old), Ok(state));
        assert_eq!(*w.record(HALL).slot(), slot);
        w.olga.learns_nothing(&old);
        assert_eq!(*w.olga.view(), view);
    };
    check(&mut w, State::Shared);
    w.withdraw(HALL).unwrap();
    check(&mut w, State::NotShared);
    let ben = w.guest(BEN);
    w.share(HALL, &ben).unwrap();
    check(&mut w, State::Sharing);
    w.deactivate(HALL).unwrap();
    check(&mut w, State::Inactive);
    assert_eq!(w.olga.may_open(HALL), [0_u32; 0], "a dead key does not come back");
}

#[test]
fn an_old_withdrawn_does_not_deny_or_revive_any_key() {
    let mut w = World::active();
    let (mut ana, mut ben) = (w.guest(ANA), w.guest(BEN));
    w.share(HALL, &ana).unwrap();
    w.withdraw(HALL).unwrap();
    let denied = w.tape.last(Kind::Withdrawn);
    w.share(HALL, &ana).unwrap();
    w.download(&mut ana).unwrap();
    w.sync();
    w.withdraw(HALL).unwrap();
    let released = w.tape.last(Kind::Withdrawn);
    w.share(HALL, &ben).unwrap();
    for old in [&denied, &released] {
        let before = w.olga.view().clone();
        w.olga.learns_nothing(old);
        assert_eq!(*w.olga.view(), before);
        assert_eq!((w.olga.may_open(HALL), w.olga.state(HALL)), (vec![3, 4], State::Sharing));
    }
    // Overwritten, Ana's key stays out of the view.
    w.download(&mut ben).unwrap();
    w.sync();
    assert!(w.olga.learn(&released).is_ok());
    assert_eq!(w.olga.may_open(HALL), [4]);
}

//= spec/protocol.md#owner
//# OWN-5. The owner MUST NOT take a Done for the answer to a command whose digest it does not name.
#[test]
fn a_done_replayed_to_the_owner_answers_no_other_command() {
    let mut w = World::active();
    w.olga.act(&mut w.door, Action::Open).unwrap();
    let old = w.tape.last(Kind::Done);
    let (_session, _command, pending) = w.ordered(Order::Act { action: Action::Open });
    w.refuses(OwnerError::OtherCommand, |w| w.olga.change(|owner, view, _| pending.finish(owner, view, &old)));
}

#[test]
fn an_old_inspection_does_not_tell_of_now() {
    let mut w = World::active();
    w.olga.inspect(&mut w.door, &mut w.cloud, HALL).unwrap();
    let empty = w.tape.last(Kind::Done);
    let _ana = w.downloads(HALL, ANA);
    w.sync();
    let (_session, _command, pending) = w.ordered(Order::Inspect { slot: HALL });
    w.refuses(OwnerError::OtherCommand, |w| w.olga.change(|owner, view, _| pending.finish(owner, view, &empty)));
    // Learned outside of any command it proves nothing that was not proved.
    w.olga.learns_nothing(&empty);
    assert_eq!(w.olga.may_open(HALL), [2]);
    let slot = w.record(HALL).slot().clone();
    assert_eq!(w.cloud.prove(w.place(HALL), &empty), Ok(State::Shared));
    assert_eq!(*w.record(HALL).slot(), slot);
}

#[test]
fn an_old_activation_replayed_to_cloud_and_owner_does_not_open_a_closed_slot() {
    let mut w = World::active();
    let old = w.tape.first(Kind::Done);
    w.deactivate(HALL).unwrap();
    let slot = w.record(HALL).slot().clone();
    assert_eq!(w.cloud.prove(w.place(HALL), &old), Ok(State::Inactive));
    assert_eq!(*w.record(HALL).slot(), slot);
    w.olga.learns_nothing(&old);
    assert_eq!(w.state(HALL), State::Inactive);
}

//= spec/protocol.md#reply-checks
//# GST-15. The reply MUST name the tag of the guest's own unlock.
#[test]
fn a_reply_replayed_to_the_guest_is_not_taken_for_the_next() {
    let (mut w, mut ana) = World::downloaded();
    w.open(&mut ana).unwrap();
    let old = w.tape.last(Kind::Reply);
    let (_session, _unlock, awaiting) = w.asked(&mut ana, Action::Open);
    assert_eq!(ana.key().check_reply(&Provider, &awaiting, &old), Err(GuestError::ReplyToOther));
    assert_eq!(w.door.bolt.len(), 1);
}

#[test]
fn a_reply_that_refuses_is_not_taken_for_the_next_either() {
    let (mut w, mut ana) = World::downloaded_with(Limits::new(None, None, None, Some(1)).unwrap());
    w.open(&mut ana).unwrap();
    assert!(w.open(&mut ana).is_err());
    let old = w.door.refusal.clone();
    assert_eq!(Kind::of(&old), Ok(Kind::Reply));
    let (_session, _unlock, awaiting) = w.asked(&mut ana, Action::Lock);
    assert_eq!(ana.key().check_reply(&Provider, &awaiting, &old), Err(GuestError::ReplyToOther));
}

#[test]
fn a_signed_refusal_replayed_to_the_owner_is_of_another_request() {
    let mut w = World::active();
    let mut tablet = w.olga.twin();
    w.deactivate(HALL).unwrap();
    assert!(tablet.activate(&mut w.door, &mut w.cloud, HALL).is_err());
    assert_eq!(tablet.told, Some(OwnerError::Refused(RefuseReason::StaleNumber)));
    let old = w.door.refusal.clone();
    let (_session, _command, pending) = w.ordered(Order::Activate { slot: HALL });
    w.refuses(OwnerError::RefusedOther, |w| w.olga.change(|owner, view, _| pending.finish(owner, view, &old)));
}

//= spec/protocol.md#reply-checks
//# GST-17. A guest MUST NOT take a Refused for a statement of the lock unless it is signed by the lock and names the guest's own request.
#[test]
fn a_signed_refusal_replayed_to_a_guest_gives_no_reason() {
    let (mut w, mut ana) = World::shared();
    ana.fetch(&mut w.door, &mut w.cloud).unwrap();
    w.activate(HALL).unwrap();
    assert!(ana.fetch_colluding(&mut w.door).is_err());
    assert_eq!(ana.told, Some(GuestError::Refused(RefuseReason::StaleGeneration)));
    let old = w.door.refusal.clone();

    let mut ben = w.guest(BEN);
    w.claims(HALL, &mut ben);
    let (_session, installing, release) = w.released(&mut ben);
    let download = installing.bundle(&Provider, &release).unwrap();
    assert_eq!(download.finish(&Provider, &old), Err(GuestError::RefusedOpaquely));
}

#[test]
fn an_old_provisioned_answers_no_later_provision() {
    let mut w = World::provisioned(1);
    let old = w.tape.last(Kind::Provisioned);
    let (challenge, _session) = w.door.connect::<purpose::Operate>();
    let card = ActivationSecret::from_bytes(w.door.card);
    let (_message, pending) = w.olga.owner.provision(&card, &challenge, w.cloud.key(), &mut w.olga.rng).unwrap();
    assert_eq!(pending.finish(&w.olga.owner, &old), Err(OwnerError::CardTag));
}

#[test]
fn an_old_statement_of_ownership_takes_neither_cloud_nor_owner_back() {
    let mut w = World::active();
    let old = w.tape.last(Kind::Provisioned);
    // In its own epoch it says nothing new.
    let slot = w.record(HALL).slot().clone();
    w.cloud.hear(&old).unwrap();
    assert_eq!(*w.record(HALL).slot(), slot);

    let (owner, service) = (w.olga.key(), w.cloud.key());
    let first = w.olga.transfer(&mut w.door, owner, service).unwrap();
    w.cloud.hear(&first).unwrap();
    let second = w.olga.transfer(&mut w.door, owner, service).unwrap();
    w.cloud.hear(&second).unwrap();
    for statement in [&old, &first] {
        w.refuses(ServiceError::OldEpoch, |w| w.cloud.hear(statement));
    }
    w.refuses(OwnerError::OldEpoch, |w| w.olga.learn(&first));
    assert_eq!(w.record(STUDIO).epoch(), Epoch::new(3));
}

#[test]
fn an_old_report_does_not_take_the_view_back() {
    let (mut w, _ana) = World::downloaded();
    let old = w.cloud.records.clone();
    w.withdraw(HALL).unwrap();
    w.sync();
    w.cloud.records = old;
    w.refuses(OwnerError::OlderReport, |w| w.olga.sync(&mut w.cloud));
    assert_eq!(w.olga.state(HALL), State::NotShared);
}
