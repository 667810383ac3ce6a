//! The number line and the live keys of the service's record: late, old and reordered messages.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod common;

use common::desk::{device, generation};
use common::forge::some_digest;
use common::slots::{INSTALL, RELEASED, active, holding, key, live, proof_of, publish, release, shared, twin, vacant};
use sharekey::counter::{Epoch, Generation};
use sharekey::crypto::PublicKey;
use sharekey::error::SlotError;
use sharekey::message::{Holding, SlotReport, WithdrawnOutcome};
use sharekey::slot::{AnySlot, GrantRef, Recorder, State, Turn};

// --- publish ------------------------------------------------------------------------------------

#[test]
fn a_number_that_was_seen_publishes_nothing_whoever_took_it() {
    let by_activation = active::<Recorder>();
    let by_withdrawal = active::<Recorder>().withdraw(key(9)).0;
    let by_receipt = active::<Recorder>().confirm(&proof_of(key(9)));
    let by_inspection = active::<Recorder>().inspected(&vacant(9), some_digest(0));
    for (slot, n) in [(by_activation, 1), (by_withdrawal, 9), (by_receipt, 9), (by_inspection, 9)] {
        let before = slot.clone();
        let (slot, result) = slot.publish(twin(n));
        assert_eq!((slot, result), (before.clone(), Err(SlotError::StaleNumber)));
        let (_, result) = before.publish(key(n + 1));
        assert_eq!(result, Ok(()));
    }
}

#[test]
fn a_refused_publish_takes_its_number() {
    let closed = AnySlot::<Recorder>::new(Epoch::FIRST);
    let sharing = publish(active::<Recorder>(), 2);
    for (slot, error) in
        [(closed, SlotError::NotActive), (sharing, SlotError::AlreadyShared), (shared(2), SlotError::AlreadyShared)]
    {
        let (state, share) = (slot.state(), slot.shared());
        let (slot, result) = slot.publish(key(7));
        assert_eq!(result, Err(error));
        assert_eq!((slot.state(), slot.shared(), slot.highest()), (state, share, generation(7)));
    }
}

#[test]
fn publishing_the_shared_grant_again_is_told_apart() {
    let slot = publish(active::<Recorder>(), 2);
    assert_eq!(slot.clone().publish(key(2)), (slot, Err(SlotError::AlreadyPublished)));
}

#[test]
fn a_seventeenth_live_key_is_refused_until_something_is_proved_dead() {
    let mut slot = active::<Recorder>();
    for n in 2..18 {
        slot = release(publish(slot, n), n).withdraw(key(n)).0;
    }
    assert_eq!(slot.may_open().len(), 16);
    let (slot, result) = slot.publish(key(18));
    assert_eq!((result, slot.state(), slot.highest()), (Err(SlotError::LiveFull), State::NotShared, generation(18)));
    let slot = slot.confirm(&proof_of(key(3)));
    assert_eq!(slot.may_open().len(), 15);
    assert_eq!(slot.publish(key(19)).1, Ok(()));
}

#[test]
fn what_the_lock_confirms_finds_room_beside_sixteen_live_keys() {
    let mut slot = active::<Recorder>();
    for n in 3..18 {
        slot = release(publish(slot, n), n).withdraw(key(n)).0;
    }
    let slot = release(publish(slot, 18), 18).confirm(&proof_of(twin(2)));
    assert_eq!(slot.may_open().len(), 17);
}

// --- withdraw -----------------------------------------------------------------------------------

#[test]
fn a_withdrawal_is_a_revocation_before_the_release_and_a_reset_after() {
    let (slot, outcome) = publish(active(), 2).withdraw(key(2));
    assert_eq!((slot.state(), live(&slot), outcome), (State::NotShared, vec![], WithdrawnOutcome::NeverReleased));
    let (slot, outcome) = shared(2).withdraw(key(2));
    assert_eq!((slot.state(), live(&slot), outcome), (State::NotShared, vec![2], RELEASED));
}

#[test]
fn a_withdrawal_again_gets_the_same_answer_until_a_proof_settles_it() {
    let (slot, first) = shared(2).withdraw(key(2));
    let (again, second) = slot.clone().withdraw(key(2));
    assert_eq!((&again, second), (&slot, first));
    let (_, settled) = slot.done(Turn::Activate, generation(3)).withdraw(key(2));
    assert_eq!(settled, WithdrawnOutcome::Settled);

    let (slot, first) = publish(active(), 2).withdraw(key(2));
    assert_eq!(slot.clone().withdraw(key(2)), (slot, first));
}

#[test]
fn a_withdrawn_number_is_never_published_even_if_it_had_not_come_yet() {
    let (slot, outcome) = active().withdraw(key(5));
    assert_eq!((outcome, slot.highest()), (WithdrawnOutcome::NeverReleased, generation(5)));
    assert_eq!(slot.publish(key(5)).1, Err(SlotError::StaleNumber));
}

#[test]
fn a_withdrawal_of_another_grant_of_the_shares_number_leaves_the_share() {
    for slot in [publish(active(), 2), shared(2)] {
        let (after, outcome) = slot.clone().withdraw(twin(2));
        assert_eq!((after, outcome), (slot, WithdrawnOutcome::NeverReleased));
    }
}

#[test]
fn a_key_that_outlived_its_share_is_answered_with_its_release() {
    let slot = shared(5).done(Turn::Deactivate, generation(3));
    assert_eq!((slot.state(), live(&slot)), (State::Inactive, vec![5]));
    let (after, outcome) = slot.clone().withdraw(key(5));
    assert_eq!((after, outcome), (slot, RELEASED));
}

#[test]
fn a_key_that_only_an_inspection_found_counts_as_released() {
    let slot = active().inspected(&holding(key(4)), some_digest(60));
    assert_eq!(slot.withdraw(key(4)).1, WithdrawnOutcome::Released { install: some_digest(60) });
}

// --- done ---------------------------------------------------------------------------------------

#[test]
fn only_the_newest_done_moves_the_state() {
    let slot = AnySlot::<Recorder>::new(Epoch::FIRST).done(Turn::Deactivate, generation(4));
    for n in [1, 3, 4] {
        assert_eq!(slot.clone().done(Turn::Activate, generation(n)), slot);
    }
    assert_eq!(slot.done(Turn::Activate, generation(5)).state(), State::NotShared);
    let slot = active::<Recorder>().done(Turn::Activate, generation(4));
    assert_eq!(slot.clone().done(Turn::Deactivate, generation(4)), slot);
    assert_eq!(slot.clone().done(Turn::Deactivate, generation(2)), slot);
}

#[test]
fn a_done_kills_up_to_its_number_and_nothing_above() {
    let slot = shared(2).withdraw(key(2)).0;
    let slot = release(publish(slot, 3), 3).withdraw(key(3)).0;
    let slot = release(publish(slot, 4), 4);
    for (n, left, state) in [(2, vec![3, 4], State::Shared), (3, vec![4], State::Shared), (4, vec![], State::NotShared)]
    {
        let after = slot.clone().done(Turn::Activate, generation(n));
        assert_eq!((live(&after), after.state(), after.floor()), (left.clone(), state, generation(n)));
        let after = slot.clone().done(Turn::Deactivate, generation(n));
        assert_eq!((live(&after), after.state(), after.last_done()), (left, State::Inactive, generation(n)));
    }
}

#[test]
fn a_share_above_an_activation_stays() {
    for slot in [publish(active(), 5), shared(5)] {
        let after = slot.clone().done(Turn::Activate, generation(4));
        assert_eq!((after.state(), after.shared()), (slot.state(), slot.shared()));
    }
}

#[test]
fn the_last_done_is_kept_apart_from_the_floor_and_the_highest() {
    let slot = active::<Recorder>().withdraw(key(9)).0.confirm(&proof_of(key(8)));
    // The activation at 4 is below both, and still the newest Done.
    let slot = slot.done(Turn::Deactivate, generation(4));
    assert_eq!((slot.state(), slot.floor(), slot.highest()), (State::Inactive, generation(8), generation(9)));
    assert_eq!(live(&slot), [8]);
    assert_eq!(slot.done(Turn::Activate, generation(5)).state(), State::NotShared);
}

#[test]
fn a_new_epoch_starts_at_zero() {
    let slot = AnySlot::<Recorder>::new(Epoch::new(2));
    assert_eq!((slot.state(), slot.highest(), slot.floor()), (State::Inactive, Generation::ZERO, Generation::ZERO));
    assert_eq!(slot.next_number(), Ok(generation(1)));
}

#[test]
fn the_number_line_ends_without_wrapping() {
    let mut slot = active::<Recorder>().withdraw(GrantRef { generation: Generation::MAX, ..key(1) }).0;
    assert_eq!(slot.take_number(), Err(SlotError::Exhausted));
    assert_eq!(slot.highest(), Generation::MAX);
}

#[test]
fn a_taken_number_is_not_given_twice() {
    let mut slot = active::<Recorder>();
    assert_eq!((slot.take_number(), slot.take_number()), (Ok(generation(2)), Ok(generation(3))));
}

// --- inspections --------------------------------------------------------------------------------

#[test]
fn an_inspection_of_an_empty_slot_kills_the_floor_and_what_is_below_it() {
    let slot = shared(5);
    let below = slot.clone().inspected(&vacant(4), some_digest(0));
    assert_eq!((below.state(), live(&below), below.floor()), (State::Shared, vec![5], generation(4)));
    for holding in [Holding::Empty, Holding::Inactive] {
        let report = SlotReport { floor: generation(5), holding };
        let at = slot.clone().inspected(&report, some_digest(0));
        assert_eq!((at.state(), live(&at), at.floor()), (State::NotShared, vec![], generation(5)));
        assert_eq!(at.withdraw(key(5)).1, WithdrawnOutcome::Settled);
    }
}

#[test]
fn an_inspection_takes_no_number_and_does_not_decide_active() {
    let closed = AnySlot::<Recorder>::new(Epoch::FIRST).inspected(&vacant(3), some_digest(0));
    assert_eq!((closed.state(), closed.last_done()), (State::Inactive, Generation::ZERO));
    let open = active::<Recorder>()
        .inspected(&SlotReport { floor: generation(3), holding: Holding::Inactive }, some_digest(0));
    assert_eq!((open.state(), open.last_done()), (State::NotShared, generation(1)));
    assert_eq!(open.done(Turn::Deactivate, generation(2)).state(), State::Inactive);
}

#[test]
fn an_inspection_that_finds_the_key_confirms_it_without_any_receipt() {
    let slot = shared(5).inspected(&holding(key(5)), some_digest(60));
    assert!(slot.is_downloaded());
    let confirmation = *slot.may_open()[0].confirmation().unwrap();
    assert_eq!((confirmation.device, confirmation.proof), (device(), some_digest(60)));
    assert_eq!(slot.may_open()[0].install(), Some(some_digest(INSTALL)));
    assert_eq!(slot.clone().confirm(&proof_of(key(5))), slot);
}

// --- receipts -----------------------------------------------------------------------------------

#[test]
fn a_receipt_at_or_below_the_floor_changes_nothing() {
    let slot = shared(5).done(Turn::Activate, generation(3));
    for n in [2, 3] {
        assert_eq!(slot.clone().confirm(&proof_of(key(n))), slot);
    }
    let dead = shared(5).done(Turn::Activate, generation(5));
    assert_eq!(dead.clone().confirm(&proof_of(key(5))), dead);
    let confirmed = slot.confirm(&proof_of(key(5)));
    assert_eq!(confirmed.clone().confirm(&proof_of(twin(5))), confirmed);
    assert!(confirmed.is_downloaded());
}

#[test]
fn a_receipt_below_the_share_confirms_the_older_key_only() {
    let slot = release(publish(shared(4).withdraw(key(4)).0, 6), 6);
    let slot = slot.confirm(&proof_of(key(4)));
    assert_eq!((slot.state(), slot.is_downloaded(), live(&slot)), (State::Shared, false, vec![4, 6]));
    assert!(slot.may_open()[0].confirmation().is_some());
}

#[test]
fn a_receipt_above_the_share_or_of_its_twin_ends_it() {
    for proved in [key(7), twin(5)] {
        for slot in [publish(active(), 5), shared(5)] {
            let after = slot.confirm(&proof_of(proved));
            assert_eq!(after.state(), State::NotShared);
            assert_eq!(after.may_open().iter().map(|live| live.key()).collect::<Vec<_>>(), [proved]);
        }
    }
}

#[test]
fn a_receipt_where_nothing_is_shared_is_remembered() {
    for slot in [AnySlot::<Recorder>::new(Epoch::FIRST), active()] {
        let state = slot.state();
        let after = slot.confirm(&proof_of(key(5)));
        assert_eq!((after.state(), live(&after)), (state, vec![5]));
    }
}

#[test]
fn the_last_proof_wins_in_whichever_order_they_come() {
    let steps: [fn(AnySlot) -> AnySlot; 3] = [
        |slot| slot.confirm(&proof_of(key(3))),
        |slot| slot.done(Turn::Activate, generation(4)),
        |slot| slot.confirm(&proof_of(key(5))),
    ];
    let start = release(publish(active(), 5), 5);
    for order in [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]] {
        let end = order.into_iter().fold(start.clone(), |slot, step| steps[step](slot));
        assert_eq!((live(&end), end.floor(), end.state()), (vec![5], generation(5), State::Shared), "{order:?}");
    }
}

// --- release ------------------------------------------------------------------------------------

#[test]
fn nothing_is_released_after_a_withdrawal_or_without_a_share() {
    let revoked = publish(active(), 2).withdraw(key(2)).0;
    let reset = shared(2).withdraw(key(2)).0;
    let closed = shared(2).done(Turn::Deactivate, generation(3));
    for slot in [active(), revoked, reset, closed] {
        let refused = slot.clone().release(&key(2).grant, device(), some_digest(INSTALL));
        assert_eq!(refused, (slot, Err(SlotError::NotPublished)));
    }
}

#[test]
fn a_second_device_is_not_released() {
    let other = PublicKey::from_bytes([66; 32]);
    for slot in [shared(2), publish(active(), 2).confirm(&proof_of(key(2)))] {
        let refused = slot.clone().release(&key(2).grant, other, some_digest(7));
        assert_eq!(refused, (slot, Err(SlotError::ClaimedByOtherDevice)));
    }
}

#[test]
fn the_latest_install_is_what_a_withdrawal_names() {
    let (slot, result) = shared(2).release(&key(2).grant, device(), some_digest(77));
    result.unwrap();
    assert_eq!(live(&slot), [2]);
    assert_eq!(slot.withdraw(key(2)).1, WithdrawnOutcome::Released { install: some_digest(77) });
}
