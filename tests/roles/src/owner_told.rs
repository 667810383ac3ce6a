//! What an owner's app is told, for its screens: what a message said, whose key is whose, what the service claims, and
//! whether the lock may have changed hands.

use sharekey::code::ShareCode;
use sharekey::contacts::ContactBook;
use sharekey::counter::Epoch;
use sharekey::error::{OwnerError, RefuseReason, Retry};
use sharekey::id::SlotId;
use sharekey::limits::{Action, Limits, Rights, Timestamp};
use sharekey::message::{Completed, Done, Holding, Operation, Receipt, RefusedBody, SlotReport, WithdrawnOutcome};
use sharekey::owner::{AsOf, Delivery, Fact, Learned, Order, OwnedLock, Status};
use sharekey::slot::{GrantRef, State, Told, Turn};
use sharekey::wire::Kind;
use sharekey_stage::desk::{self, *};
use sharekey_stage::forge::signed;
use sharekey_stage::world::through_storage;
use sharekey_stage::{digest, public, rng as entropy, seed};

const NEVER: WithdrawnOutcome = WithdrawnOutcome::NeverReleased;
const OPAQUE: [u8; 4] = Kind::Refused.header();

fn key(n: u32) -> GrantRef {
    GrantRef { generation: generation(n), grant: digest(&granted(n)) }
}

fn learn(view: &mut OwnedLock, message: &[u8]) -> Learned {
    accept(owner().learn(view, message).unwrap())
}

// --- facts --------------------------------------------------------------------------------------

#[test]
fn every_message_is_told_as_the_fact_that_it_is_news_or_not() {
    let (me, service) = (public(&owner_seed()), public(&service_seed()));
    let inspected = found(3, Holding::Empty);
    for (message, fact) in [
        (granted(2), Fact::Shared { key: key(2), grant: grant(2) }),
        (receipt(2), Fact::Downloaded { slot: SLOT, key: key(2), device: device() }),
        (withdrawn(2, NEVER), Fact::Withdrawn { slot: SLOT, key: key(2), outcome: NEVER }),
        (by_lock(&deactivated(3)), told(deactivated(3).completed)),
        (by_lock(&inspected), told(inspected.completed)),
        (
            by_lock(&transfer_to(me, service, 2)),
            Fact::Transferred { epoch: Epoch::new(2), owner: me, service, slots: SLOTS },
        ),
    ] {
        let mut view = active_view();
        assert_eq!(learn(&mut view, &message), Learned { fact, news: true, equivocation: None });
        if !matches!(fact, Fact::Transferred { .. }) {
            assert_eq!(learn(&mut view, &message), Learned { fact, news: false, equivocation: None });
        }
    }
    let acted = Completed::Act { action: Action::Open };
    let learned = learn(&mut active_view(), &by_lock(&done(acted)));
    assert_eq!((learned.fact, learned.news), (told(acted), false), "no slot is another");
}

#[test]
fn a_fact_that_convicts_is_told_with_both_messages_again_and_again() {
    let mut view = sharing_view();
    assert_eq!(learn(&mut view, &receipt(2)).equivocation, None);
    let first = learn(&mut view, &withdrawn(2, NEVER));
    assert_eq!(first.fact, Fact::Withdrawn { slot: SLOT, key: key(2), outcome: NEVER });
    let again = learn(&mut view, &withdrawn(2, NEVER));
    assert_eq!((first.news, again.news), (true, false));
    assert_eq!((first.equivocation.is_some(), &again.equivocation), (true, &first.equivocation));
}

#[test]
fn an_order_is_what_the_lock_is_to_carry_out_and_takes_its_number_itself() {
    let (slot, to, action) = (SLOT, Timestamp::from_unix_seconds(7), Action::Lock);
    let (owner_key, service) = (public(&seed(50)), public(&seed(51)));
    for (order, operation, words) in [
        (
            Order::Activate { slot },
            Operation::Activate { slot, generation: generation(2) },
            "activate slot 3 with number 2",
        ),
        (
            Order::Deactivate { slot },
            Operation::Deactivate { slot, generation: generation(2) },
            "deactivate slot 3 with number 2",
        ),
        (Order::Transfer { owner: owner_key, service }, Operation::Transfer { owner: owner_key, service }, "transfer"),
        (Order::SetClock { to }, Operation::SetClock { to }, "set the clock to 1970-01-01T00:00:07Z"),
        (Order::Act { action }, Operation::Act { action }, "lock"),
        (Order::Inspect { slot }, Operation::Inspect { slot }, "inspect slot 3"),
    ] {
        let mut view = active_view();
        let (_, pending) = accept(owner().order(&mut view, order, &challenge(), &mut rng()).unwrap());
        assert_eq!((*pending.operation(), Order::from(operation)), (operation, order));
        assert_eq!(operation.to_string(), words);
        let stored = serde_json::to_string(&order).unwrap();
        assert_eq!(serde_json::from_str::<Order>(&stored).unwrap(), order, "{stored}");
    }
}

#[test]
fn what_a_done_says_is_of_the_operation_and_of_the_slot_that_it_names() {
    let (slot, number) = (SLOT, generation(2));
    let left = SlotReport { floor: number, holding: Holding::Empty };
    for (completed, operation, told) in [
        (
            Completed::Activate { slot, generation: number, left },
            Operation::Activate { slot, generation: number },
            Some(Told::Turned(Turn::Activate, number)),
        ),
        (
            Completed::Deactivate { slot, generation: number, left },
            Operation::Deactivate { slot, generation: number },
            Some(Told::Turned(Turn::Deactivate, number)),
        ),
        (Completed::Inspect { slot, slots: SLOTS, left }, Operation::Inspect { slot }, Some(Told::Holds(left))),
        (Completed::Act { action: Action::Open }, Operation::Act { action: Action::Open }, None),
    ] {
        assert_eq!(completed.operation(), operation);
        assert_eq!((operation.slot(), completed.left()), (told.map(|_| slot), told.map(|_| (slot, left))));
        assert_eq!(Told::by(&completed), told.map(|told| (slot, told)));
    }
}

// --- a share by code ----------------------------------------------------------------------------

//= spec/protocol.md#issuing-and-using-a-code
//# COD-13. An issuer MUST NOT issue the same code for two grants.
#[test]
fn a_code_is_used_up_by_its_grant_and_shown_before_that() {
    let code = ShareCode::issue(&mut entropy(5));
    let (text, subject) =
        (code.expose().as_str().to_owned(), code.subject(&sharekey_stage::provider::Provider).unwrap());
    let mut view = active_view();
    let staged = owner().share_by_code(&mut view, SLOT, code, Rights::OPEN, Limits::NONE).unwrap();
    let code = accept(staged);
    assert_eq!(code.as_str(), text);
    assert!(!format!("{code:?}").contains(&text[..4]), "nor does it show elsewhere");
    let status = view.status(SLOT).shared.unwrap();
    let grant = accept(owner().code_shown(&mut view, SLOT).unwrap());
    assert_eq!((status.subject(), digest(&grant)), (Some(subject), status.key.grant));
}

// --- what the service says ----------------------------------------------------------------------

fn see(view: &mut OwnedLock, version: u64, says: State, messages: &[Vec<u8>]) {
    let _ = accept(desk::see(view, (version, says), messages).unwrap());
}

fn said_released(view: &OwnedLock) -> Vec<bool> {
    view.status(SLOT).may_open.iter().map(|key| key.said_released).collect()
}

//= spec/protocol.md#owner
//# OWN-10. The owner's view MUST NOT be changed by any message of the service other than a Withdrawn.
#[test]
fn that_the_service_says_it_released_a_key_is_shown_and_changes_nothing_else() {
    let mut view = sharing_view();
    let mut expected = view.status(SLOT);
    see(&mut view, 5, State::Shared, &[granted(2)]);
    expected.as_of = Some(AsOf { version: 5, time: NOW });
    (expected.may_open[0].said_released, expected.may_open[0].delivery) = (true, Delivery::Heard);
    expected.shared = Some(expected.may_open[0].clone());
    assert_eq!(view.status(SLOT), expected, "still Sharing, and not downloaded");
    assert_eq!(through_storage(&view), view);
    // The latest report counts.
    see(&mut view, 6, State::Sharing, &[granted(2)]);
    assert_eq!(said_released(&view), [false]);
    see(&mut view, 7, State::Shared, &[granted(2)]);
    see(&mut view, 8, State::NotShared, &[granted(2)]);
    assert_eq!(said_released(&view), [false], "and one that names another state says nothing");
}

/// Two phones signed one number: what the record shares is not what this phone shows.
#[test]
fn what_the_service_says_of_one_grant_is_not_shown_of_another() {
    let mut view = sharing_view();
    let twin = sharekey::message::Grant { rights: Rights::OPEN_AND_LOCK, ..grant(2) };
    see(&mut view, 5, State::Shared, &[signed(&twin, &owner_seed())]);
    let status = view.status(SLOT);
    assert_eq!((status.shared.unwrap().key, status.may_open.len()), (key(2), 2));
    let said: Vec<_> = status.may_open.iter().filter(|key| key.said_released).map(|key| key.grant).collect();
    assert_eq!(said, [Some(twin)]);
    // A report of a record in which nothing is shared says of none that it was released.
    see(&mut view, 6, State::Shared, &[]);
    assert_eq!(said_released(&view), [false, false]);
}

// --- whether the lock changed hands -------------------------------------------------------------

#[test]
fn a_lock_that_may_have_changed_hands_is_suspected_until_it_obeys() {
    let mut view = active_view();
    let inspect = Order::Inspect { slot: SLOT };
    let (command, pending) = accept(owner().order(&mut view, inspect, &challenge(), &mut rng()).unwrap());
    let refusal = RefusedBody { request: digest(&command), reason: RefuseReason::Busy };
    let busy = pending.finish(&owner(), &mut view, &signed(&refusal, &lock_seed())).map(drop).unwrap_err();
    assert!(!accept(view.suspect(busy).unwrap()), "that was the lock of this ownership");
    let opaque = pending.finish(&owner(), &mut view, &OPAQUE).map(drop).unwrap_err();
    assert_eq!((opaque, view.may_have_moved()), (OwnerError::RefusedOpaque, false), "an error alone changes nothing");
    assert!(accept(view.suspect(opaque).unwrap()) && view.may_have_moved());
    assert!(accept(view.suspect(busy).unwrap()), "and what says nothing of it does not take it back");
    let mut other = active_view();
    let moved = OwnerError::Refused(RefuseReason::WrongEpoch);
    assert!(accept(other.suspect(moved).unwrap()), "the lock itself says so");
    assert_eq!(moved.retry(), Retry::TakeOver);
    view = through_storage(&view);
    assert!(view.may_have_moved());
    // Somebody may replay what the lock signed before; only an answer to one's own order is of now.
    let _ = learn(&mut view, &by_lock(&found(1, Holding::Empty)));
    assert!(view.may_have_moved());
    let answer = by_lock(&Done { command: digest(&command), ..found(1, Holding::Empty) });
    let _ = accept(pending.finish(&owner(), &mut view, &answer).unwrap());
    assert!(!view.may_have_moved());
}

#[test]
fn a_message_of_a_later_ownership_is_a_hint_and_the_transfer_the_answer() {
    let mut view = active_view();
    let later = signed(&Receipt { epoch: Epoch::new(2), ..receipt_of(2) }, &lock_seed());
    let error = desk::see(&mut view, (9, State::Shared), &[later]).map(drop).unwrap_err();
    assert_eq!(error, OwnerError::WrongEpoch);
    assert!(accept(view.suspect(error).unwrap()));
    let _ = learn(&mut view, &by_lock(&transfer_to(public(&owner_seed()), public(&service_seed()), 2)));
    assert_eq!((view.epoch(), view.may_have_moved()), (Epoch::new(2), false));
}

// --- screens ------------------------------------------------------------------------------------

#[test]
fn a_status_outlives_its_view_and_is_kept_as_json() {
    let mut view = sharing_view();
    let _ = learn(&mut view, &receipt(2));
    let statuses: Vec<Status> = [SLOT, SlotId::new(9)].map(|slot| view.status(slot)).into();
    drop(view);
    assert_eq!(through_storage(&statuses), statuses);
    let json = serde_json::to_value(&statuses).unwrap();
    assert_eq!((&json[0]["state"], &json[0]["inspected"]), (&"Shared".into(), &false.into()));
    assert!(json[0]["may_open"].as_array().unwrap().len() == 1 && json[1]["shared"].is_null());
    // What a database's JSON functions ask for, by its path.
    let shared = &json[0]["shared"];
    assert_eq!((&shared["key"]["generation"], &shared["method"]), (&2.into(), &"Account".into()));
    assert_eq!(shared["downloaded"]["device"], device().to_string());
}

#[test]
fn whose_key_it_is_the_book_says_a_verified_contact_first() {
    let (shared, alone) = (public(&seed(50)), public(&seed(51)));
    let mut book = ContactBook::new();
    for (id, key) in [("b@x", shared), ("c@x", shared), ("a@x", alone)] {
        book.add(id.parse().unwrap(), "Name".parse().unwrap(), key).unwrap();
    }
    let whose = |book: &ContactBook, key| book.by_key(&key).map(|(id, _)| id.to_string());
    assert_eq!(whose(&book, alone).as_deref(), Some("a@x"));
    assert_eq!(whose(&book, public(&seed(52))), None);
    assert_eq!(whose(&book, shared).as_deref(), Some("b@x"));
    book.verify_key(&"c@x".parse().unwrap(), &shared).unwrap();
    assert_eq!(whose(&book, shared).as_deref(), Some("c@x"));
}
