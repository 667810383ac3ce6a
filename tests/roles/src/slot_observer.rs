//! The same machine as the owner's view runs it: whatever was signed may open, until proof.

use sharekey::counter::Epoch;
use sharekey::error::SlotError;
use sharekey::message::WithdrawnOutcome;
use sharekey::slot::{Observer, Slot, State, Turn};
use sharekey_stage::desk::{device, generation};
use sharekey_stage::forge::some_digest;
use sharekey_stage::slots::{INSTALL, RELEASED, Then, active, key, live, proof_of, publish, twin};

#[test]
fn a_receipt_proves_a_release_that_the_owner_never_heard_of() {
    let slot = publish(active::<Observer>(), 5).then(|slot| slot.confirm(&proof_of(key(5)))).0;
    assert_eq!((slot.state(), slot.device()), (State::Shared, Some(device())));
    assert!(slot.is_downloaded());
}

//= spec/protocol.md#owner
//# OWN-14. The owner's view MUST count a grant as live from its signing until a Withdrawn of NeverReleased, a Done or a receipt says otherwise.
#[test]
fn whatever_the_owner_signed_may_open_until_the_record_denies_it() {
    let slot = publish(active::<Observer>(), 2);
    assert_eq!(live(&slot), [2]);
    let (slot, result) = slot.then(|slot| slot.withdrawn(key(2), &WithdrawnOutcome::NeverReleased));
    result.unwrap();
    assert_eq!((slot.state(), live(&slot)), (State::NotShared, vec![]));
}

#[test]
fn a_released_key_stays_live_after_its_reset() {
    let (slot, result) = publish(active::<Observer>(), 2).then(|slot| slot.withdrawn(key(2), &RELEASED));
    result.unwrap();
    //= spec/protocol.md#owner
    //# OWN-15. The owner's view MUST NOT take a generation out of live on a Withdrawn of Released or Settled.
    //= spec/protocol.md#owner
    //# OWN-29. A Withdrawn of the grant that a view shows as shared MUST end that share in the view, whatever its outcome.
    assert_eq!((slot.state(), live(&slot)), (State::NotShared, vec![2]));
    //= spec/protocol.md#owner
    //# OWN-24. A Withdrawn of Released MUST make its grant live, with the install that it names, unless the grant was proved dead.
    assert_eq!(slot.may_open()[0].install(), Some(some_digest(INSTALL)));
    // A denial after that does not hide it.
    let (slot, result) = slot.then(|slot| slot.withdrawn(key(2), &WithdrawnOutcome::NeverReleased));
    result.unwrap();
    //= spec/protocol.md#owner
    //# OWN-19. A Withdrawn of NeverReleased MUST NOT take a grant out of live that the lock proved installed or that a Withdrawn of Released named before.
    assert_eq!(live(&slot), [2]);
}

//= spec/protocol.md#owner
//# OWN-15. The owner's view MUST NOT take a generation out of live on a Withdrawn of Released or Settled.
#[test]
fn the_records_word_alone_settles_nothing_for_the_owner() {
    let (slot, result) =
        publish(active::<Observer>(), 2).then(|slot| slot.withdrawn(key(2), &WithdrawnOutcome::Settled));
    result.unwrap();
    assert_eq!((slot.state(), live(&slot)), (State::NotShared, vec![2]));
    assert_eq!(live(&slot.then(|slot| slot.done(Turn::Activate, generation(3))).0), Vec::<u32>::new());
}

#[test]
fn a_deactivation_does_not_hide_a_grant_signed_above_it() {
    let slot = publish(active::<Observer>(), 5).then(|slot| slot.done(Turn::Deactivate, generation(4))).0;
    assert_eq!((slot.state(), live(&slot)), (State::Inactive, vec![5]));
}

//= spec/protocol.md#owner
//# OWN-19. A Withdrawn of NeverReleased MUST NOT take a grant out of live that the lock proved installed or that a Withdrawn of Released named before.
#[test]
fn a_denial_does_not_hide_what_the_lock_confirmed() {
    let slot = publish(active::<Observer>(), 2).then(|slot| slot.confirm(&proof_of(key(2)))).0;
    let (slot, result) = slot.then(|slot| slot.withdrawn(key(2), &WithdrawnOutcome::NeverReleased));
    result.unwrap();
    assert_eq!((slot.state(), live(&slot)), (State::NotShared, vec![2]));
}

//= spec/protocol.md#owner
//# OWN-24. A Withdrawn of Released MUST make its grant live, with the install that it names, unless the grant was proved dead.
#[test]
fn a_release_of_a_dead_key_does_not_revive_it() {
    let slot = active::<Observer>().then(|slot| slot.done(Turn::Activate, generation(5))).0;
    for n in [4, 5] {
        let (after, result) = slot.clone().then(|slot| slot.withdrawn(key(n), &RELEASED));
        assert_eq!((after, result), (slot.clone(), Ok(())));
    }
}

//= spec/protocol.md#owner
//# OWN-18. A view MUST show a grant that it learns, and whose number is above the highest that it had seen, in place of the grant that it showed as shared.
#[test]
fn another_phones_newer_grant_becomes_the_share_and_hides_nothing() {
    let (slot, result) = publish(active::<Observer>(), 2).then(|slot| slot.learn(key(4)));
    result.unwrap();
    assert_eq!((slot.state(), slot.shared(), live(&slot)), (State::Sharing, Some(key(4)), vec![2, 4]));
    let (slot, result) = slot.then(|slot| slot.learn(key(3)));
    result.unwrap();
    assert_eq!((slot.shared(), live(&slot)), (Some(key(4)), vec![2, 3, 4]));
    let (slot, result) = slot.then(|slot| slot.learn(twin(4)));
    result.unwrap();
    assert_eq!((slot.shared(), live(&slot)), (Some(key(4)), vec![2, 3, 4, 4]));
    let (slot, result) = Slot::<Observer>::new(Epoch::FIRST).then(|slot| slot.learn(key(4)));
    result.unwrap();
    assert_eq!((slot.state(), live(&slot)), (State::Inactive, vec![4]));
}

#[test]
fn a_learned_grant_that_is_dead_or_known_changes_nothing() {
    let slot = publish(active::<Observer>(), 5).then(|slot| slot.done(Turn::Activate, generation(3))).0;
    for known in [key(2), key(3), key(5)] {
        assert_eq!(slot.clone().then(|slot| slot.learn(known)), (slot.clone(), Ok(())));
    }
}

//= spec/protocol.md#owner
//# OWN-25. A grant MUST NOT become live in a view, other than by the lock's proof, while MAX_LIVE grants are live there that the lock did not confirm.
#[test]
fn a_view_that_is_full_says_so_instead_of_forgetting() {
    let mut slot = active::<Observer>();
    for n in 2..18 {
        let (next, result) = slot.then(|slot| slot.learn(key(n)));
        result.unwrap();
        slot = next;
    }
    assert_eq!(slot.clone().then(|slot| slot.learn(key(18))), (slot.clone(), Err(SlotError::LiveFull)));
    assert_eq!(slot.clone().then(|slot| slot.withdrawn(key(18), &RELEASED)), (slot, Err(SlotError::LiveFull)));
}

//= spec/protocol.md#owner
//# OWN-17. A view in which nothing is shared MUST show a grant that it learns as shared, unless the slot is Inactive, the grant was proved dead or its withdrawal was answered.
#[test]
fn where_nothing_is_shared_a_learned_grant_is_unless_it_was_withdrawn() {
    // The loser of a number: its own grant is denied, the winner's learned before or after that.
    let lost = publish(active::<Observer>(), 2);
    let (lost, result) = lost.then(|slot| slot.learn(twin(2)));
    result.unwrap();
    assert_eq!(lost.shared(), Some(key(2)));
    let (lost, result) = lost.then(|slot| slot.withdrawn(key(2), &WithdrawnOutcome::NeverReleased));
    result.unwrap();
    assert_eq!((lost.state(), lost.may_open().len()), (State::NotShared, 1));
    let (view, result) = lost.then(|slot| slot.learn(twin(2)));
    result.unwrap();
    assert_eq!((view.state(), view.shared()), (State::Sharing, Some(twin(2))));

    // What was reset is not shared again by hearing of it, though it may open.
    for outcome in [RELEASED, WithdrawnOutcome::Settled] {
        let (reset, result) = view.clone().then(|slot| slot.withdrawn(twin(2), &outcome));
        result.unwrap();
        let (reset, result) = reset.then(|slot| slot.learn(twin(2)));
        result.unwrap();
        assert_eq!((reset.state(), live(&reset)), (State::NotShared, vec![2]));
    }
}

#[test]
fn a_grant_learned_after_its_receipt_shows_as_downloaded() {
    let told = active::<Observer>().then(|slot| slot.confirm(&proof_of(key(5)))).0;
    assert_eq!((told.state(), live(&told)), (State::NotShared, vec![5]));
    let (view, result) = told.clone().then(|slot| slot.learn(key(5)));
    result.unwrap();
    assert_eq!((view.state(), view.shared(), view.device()), (State::Shared, Some(key(5)), Some(device())));
    assert!(view.is_downloaded());

    // Not what is dead or was withdrawn; nor in place of another share.
    for dead in [twin(5), key(4)] {
        assert_eq!(told.clone().then(|slot| slot.learn(dead)), (told.clone(), Ok(())));
    }
    let (reset, result) = told.clone().then(|slot| slot.withdrawn(key(5), &RELEASED));
    result.unwrap();
    assert_eq!(reset.clone().then(|slot| slot.learn(key(5))), (reset, Ok(())));
    let other = publish(told, 6);
    assert_eq!(other.clone().then(|slot| slot.learn(key(5))), (other, Ok(())));
}
