//! The number line and the live keys of the service's record: late, old and reordered messages.

use sharekey::counter::{Epoch, Generation};
use sharekey::crypto::PublicKey;
use sharekey::error::SlotError;
use sharekey::message::{Holding, SlotReport, WithdrawnOutcome};
use sharekey::slot::{GrantRef, Recorder, Slot, State, Turn};
use sharekey_stage::desk::{device, generation};
use sharekey_stage::forge::some_digest;
use sharekey_stage::slots::{
    INSTALL, RELEASED, Then, active, holding, key, live, proof_of, publish, release, shared, twin, vacant,
};

// --- publish ------------------------------------------------------------------------------------

//= spec/protocol.md#number-line
//# SLO-7. A record MUST raise its highest number to that of every grant, withdrawal, Done and receipt of its slot and epoch whose authenticator held.
//= spec/protocol.md#number-line
//# SLO-8. A publication at or below the highest number MUST be refused.
#[test]
fn a_number_that_was_seen_publishes_nothing_whoever_took_it() {
    let by_activation = active::<Recorder>();
    let by_withdrawal = active::<Recorder>().then(|slot| slot.withdraw(key(9))).0;
    let by_receipt = active::<Recorder>().then(|slot| slot.confirm(&proof_of(key(9)))).0;
    let by_inspection = active::<Recorder>().then(|slot| slot.inspected(&vacant(9), some_digest(0))).0;
    for (slot, n) in [(by_activation, 1), (by_withdrawal, 9), (by_receipt, 9), (by_inspection, 9)] {
        let before = slot.clone();
        let (slot, result) = slot.then(|slot| slot.publish(twin(n)));
        assert_eq!((slot, result), (before.clone(), Err(SlotError::StaleNumber)));
        let (_, result) = before.then(|slot| slot.publish(key(n + 1)));
        assert_eq!(result, Ok(()));
    }
}

//= spec/protocol.md#number-line
//# SLO-7. A record MUST raise its highest number to that of every grant, withdrawal, Done and receipt of its slot and epoch whose authenticator held.
//= spec/protocol.md#number-line
//# SLO-9. A publication that is refused for another reason than its authenticator, lock, epoch or slot MUST still raise the highest number.
#[test]
fn a_refused_publish_takes_its_number() {
    let closed = Slot::<Recorder>::new(Epoch::FIRST);
    let sharing = publish(active::<Recorder>(), 2);
    for (slot, error) in
        [(closed, SlotError::NotActive), (sharing, SlotError::AlreadyShared), (shared(2), SlotError::AlreadyShared)]
    {
        let (state, share) = (slot.state(), slot.shared());
        let (slot, result) = slot.then(|slot| slot.publish(key(7)));
        //= spec/protocol.md#number-line
        //# SLO-11. A publication MUST be refused unless the state is NotShared.
        assert_eq!(result, Err(error));
        assert_eq!((slot.state(), slot.shared(), slot.highest()), (state, share, generation(7)));
    }
}

#[test]
fn publishing_the_shared_grant_again_is_told_apart() {
    let slot = publish(active::<Recorder>(), 2);
    assert_eq!(slot.clone().then(|slot| slot.publish(key(2))), (slot, Err(SlotError::AlreadyPublished)));
}

//= spec/protocol.md#number-line
//# SLO-12. A publication MUST be refused while MAX_LIVE grants are live.
#[test]
fn a_seventeenth_live_key_is_refused_until_something_is_proved_dead() {
    let mut slot = active::<Recorder>();
    for n in 2..18 {
        slot = release(publish(slot, n), n).then(|slot| slot.withdraw(key(n))).0;
    }
    //= spec/protocol.md#number-line
    //# SLO-13. MAX_LIVE MUST be 16.
    assert_eq!(slot.may_open().len(), 16);
    let (slot, result) = slot.then(|slot| slot.publish(key(18)));
    assert_eq!((result, slot.state(), slot.highest()), (Err(SlotError::LiveFull), State::NotShared, generation(18)));
    let slot = slot.then(|slot| slot.confirm(&proof_of(key(3)))).0;
    //= spec/protocol.md#done-and-receipt
    //# SLO-26. A receipt above the proven floor MUST take all lower generations out of live.
    assert_eq!(slot.may_open().len(), 15);
    assert_eq!(slot.then(|slot| slot.publish(key(19))).1, Ok(()));
}

#[test]
fn what_the_lock_confirms_finds_room_beside_sixteen_live_keys() {
    let mut slot = active::<Recorder>();
    for n in 3..18 {
        slot = release(publish(slot, n), n).then(|slot| slot.withdraw(key(n))).0;
    }
    let slot = release(publish(slot, 18), 18).then(|slot| slot.confirm(&proof_of(twin(2)))).0;
    assert_eq!(slot.may_open().len(), 17);
}

// --- withdraw -----------------------------------------------------------------------------------

//= spec/protocol.md#withdrawal
//# SLO-17. A withdrawal of the grant that is being shared MUST end the share.
#[test]
fn a_withdrawal_is_a_revocation_before_the_release_and_a_reset_after() {
    let (slot, outcome) = publish(active(), 2).then(|slot| slot.withdraw(key(2)));
    //= spec/protocol.md#withdrawal
    //# SLO-21. Otherwise the answer MUST be NeverReleased.
    assert_eq!((slot.state(), live(&slot), outcome), (State::NotShared, vec![], WithdrawnOutcome::NeverReleased));
    let (slot, outcome) = shared(2).then(|slot| slot.withdraw(key(2)));
    //= spec/protocol.md#withdrawal
    //# SLO-23. A withdrawal MUST NOT take a released generation out of live.
    assert_eq!((slot.state(), live(&slot), outcome), (State::NotShared, vec![2], RELEASED));
}

//= spec/protocol.md#withdrawal
//# SLO-16. A withdrawal whose authenticator, lock, epoch and slot hold MUST be answered, however often it comes.
//= spec/protocol.md#withdrawal
//# SLO-20. The answer MUST be Settled where a Done or a receipt proved the grant's generation dead.
#[test]
fn a_withdrawal_again_gets_the_same_answer_until_a_proof_settles_it() {
    let (slot, first) = shared(2).then(|slot| slot.withdraw(key(2)));
    let (again, second) = slot.clone().then(|slot| slot.withdraw(key(2)));
    assert_eq!((&again, second), (&slot, first));
    let (_, settled) = slot.then(|slot| slot.done(Turn::Activate, generation(3))).0.then(|slot| slot.withdraw(key(2)));
    assert_eq!(settled, WithdrawnOutcome::Settled);

    let (slot, first) = publish(active(), 2).then(|slot| slot.withdraw(key(2)));
    assert_eq!(slot.clone().then(|slot| slot.withdraw(key(2))), (slot, first));
}

//= spec/protocol.md#number-line
//# SLO-10. A withdrawal of a grant that was not published MUST still raise the highest number.
#[test]
fn a_withdrawn_number_is_never_published_even_if_it_had_not_come_yet() {
    let (slot, outcome) = active().then(|slot| slot.withdraw(key(5)));
    assert_eq!((outcome, slot.highest()), (WithdrawnOutcome::NeverReleased, generation(5)));
    assert_eq!(slot.then(|slot| slot.publish(key(5))).1, Err(SlotError::StaleNumber));
}

//= spec/protocol.md#withdrawal
//# SLO-18. A withdrawal of a grant that is not being shared MUST NOT end a share.
#[test]
fn a_withdrawal_of_another_grant_of_the_shares_number_leaves_the_share() {
    for slot in [publish(active(), 2), shared(2)] {
        let (after, outcome) = slot.clone().then(|slot| slot.withdraw(twin(2)));
        assert_eq!((after, outcome), (slot, WithdrawnOutcome::NeverReleased));
    }
    // Nor does the share's own digest under another number.
    let (after, outcome) = shared(2).then(|slot| slot.withdraw(GrantRef { generation: generation(3), ..key(2) }));
    assert_eq!((after.state(), outcome), (State::Shared, WithdrawnOutcome::NeverReleased));
}

//= spec/protocol.md#withdrawal
//# SLO-19. The answer MUST be Released, with the latest install, where the grant was released and its generation is live.
//= spec/protocol.md#done-and-receipt
//# SLO-40. A Done of a Deactivate above the last told MUST end the share, whatever its generation.
#[test]
fn a_key_that_outlived_its_share_is_answered_with_its_release() {
    let slot = shared(5).then(|slot| slot.done(Turn::Deactivate, generation(3))).0;
    assert_eq!((slot.state(), live(&slot)), (State::Inactive, vec![5]));
    let (after, outcome) = slot.clone().then(|slot| slot.withdraw(key(5)));
    assert_eq!((after, outcome), (slot, RELEASED));
}

//= spec/protocol.md#withdrawal
//# SLO-44. Where the record knows no install of a live grant, the digest of the Done that proved the grant installed MUST stand in the answer for the install.
#[test]
fn a_key_that_only_an_inspection_found_counts_as_released() {
    let slot = active().then(|slot| slot.inspected(&holding(key(4)), some_digest(60))).0;
    assert_eq!(slot.then(|slot| slot.withdraw(key(4))).1, WithdrawnOutcome::Released { install: some_digest(60) });
}

// --- done ---------------------------------------------------------------------------------------

//= spec/protocol.md#done-and-receipt
//# SLO-32. A Done of an Activate or Deactivate at n MUST decide whether the slot is active if, and only if, n is above the last told.
#[test]
fn only_the_newest_done_moves_the_state() {
    let slot = Slot::<Recorder>::new(Epoch::FIRST).then(|slot| slot.done(Turn::Deactivate, generation(4))).0;
    for n in [1, 3, 4] {
        assert_eq!(slot.clone().then(|slot| slot.done(Turn::Activate, generation(n))).0, slot);
    }
    assert_eq!(slot.then(|slot| slot.done(Turn::Activate, generation(5))).0.state(), State::NotShared);
    let slot = active::<Recorder>().then(|slot| slot.done(Turn::Activate, generation(4))).0;
    assert_eq!(slot.clone().then(|slot| slot.done(Turn::Deactivate, generation(4))).0, slot);
    assert_eq!(slot.clone().then(|slot| slot.done(Turn::Deactivate, generation(2))).0, slot);
}

//= spec/protocol.md#done-and-receipt
//# SLO-29. A Done of an Activate or Deactivate at n MUST take all generations at or below n out of live.
//= spec/protocol.md#done-and-receipt
//# SLO-30. A Done of an Activate or Deactivate at n MUST end a share whose generation is at or below n.
//= spec/protocol.md#done-and-receipt
//# SLO-31. A Done of an Activate or Deactivate at n MUST raise the proven floor to n where it is lower.
#[test]
fn a_done_kills_up_to_its_number_and_nothing_above() {
    let slot = shared(2).then(|slot| slot.withdraw(key(2))).0;
    let slot = release(publish(slot, 3), 3).then(|slot| slot.withdraw(key(3))).0;
    let slot = release(publish(slot, 4), 4);
    for (n, left, state) in [(2, vec![3, 4], State::Shared), (3, vec![4], State::Shared), (4, vec![], State::NotShared)]
    {
        let after = slot.clone().then(|slot| slot.done(Turn::Activate, generation(n))).0;
        assert_eq!((live(&after), after.state(), after.floor()), (left.clone(), state, generation(n)));
        let after = slot.clone().then(|slot| slot.done(Turn::Deactivate, generation(n))).0;
        assert_eq!((live(&after), after.state(), after.last_told()), (left, State::Inactive, generation(n)));
    }
}

#[test]
fn a_share_above_an_activation_stays() {
    for slot in [publish(active(), 5), shared(5)] {
        let after = slot.clone().then(|slot| slot.done(Turn::Activate, generation(4))).0;
        assert_eq!((after.state(), after.shared()), (slot.state(), slot.shared()));
    }
}

//= spec/protocol.md#done-and-receipt
//# SLO-38. The last told MUST be kept apart from the highest number and from the proven floor.
#[test]
fn the_last_told_is_kept_apart_from_the_floor_and_the_highest() {
    let slot = active::<Recorder>().then(|slot| slot.withdraw(key(9))).0.then(|slot| slot.confirm(&proof_of(key(8)))).0;
    // The highest is what anybody signed, and tells nothing of the slot.
    //= spec/protocol.md#done-and-receipt
    //# SLO-25. A receipt above the proven floor MUST raise the proven floor to its generation.
    assert_eq!((slot.last_told(), slot.floor(), slot.highest()), (generation(8), generation(8), generation(9)));
    assert_eq!((slot.state(), live(&slot)), (State::NotShared, vec![8]));
    // A key was installed at 8, so the slot was opened again after this.
    assert_eq!(slot.clone().then(|slot| slot.done(Turn::Deactivate, generation(4))).0, slot);
    let slot = slot.then(|slot| slot.done(Turn::Deactivate, generation(9))).0;
    //= spec/protocol.md#done-and-receipt
    //# SLO-31. A Done of an Activate or Deactivate at n MUST raise the proven floor to n where it is lower.
    assert_eq!((slot.state(), slot.last_told(), slot.floor()), (State::Inactive, generation(9), generation(9)));
}

//= spec/protocol.md#slot-record
//# SLO-1. A record of a new epoch MUST begin Inactive, with all numbers 0 and nothing live.
#[test]
fn a_new_epoch_starts_at_zero() {
    let slot = Slot::<Recorder>::new(Epoch::new(2));
    assert_eq!((slot.state(), slot.highest(), slot.floor()), (State::Inactive, Generation::ZERO, Generation::ZERO));
    assert_eq!(slot.next_number(), Ok(generation(1)));
}

//= spec/protocol.md#encoding
//# MSG-14. A party MUST compare numbers without wrapping.
#[test]
fn the_number_line_ends_without_wrapping() {
    let mut slot =
        active::<Recorder>().then(|slot| slot.withdraw(GrantRef { generation: Generation::MAX, ..key(1) })).0;
    assert_eq!(slot.take_number(), Err(SlotError::Exhausted));
    assert_eq!(slot.highest(), Generation::MAX);
}

//= spec/protocol.md#number-line
//# SLO-6. An owner MUST give each grant, Activate and Deactivate a number above the highest seen.
#[test]
fn a_taken_number_is_not_given_twice() {
    let mut slot = active::<Recorder>();
    assert_eq!((slot.take_number(), slot.take_number()), (Ok(generation(2)), Ok(generation(3))));
}

// --- inspections --------------------------------------------------------------------------------

//= spec/protocol.md#done-and-receipt
//# SLO-33. A Done of an Inspect MUST take all generations below the floor that it reports out of live.
//= spec/protocol.md#done-and-receipt
//# SLO-34. A Done of an Inspect MUST take the generation at that floor out of live if, and only if, it reports no holder.
#[test]
fn an_inspection_of_an_empty_slot_kills_the_floor_and_what_is_below_it() {
    let slot = shared(5);
    let below = slot.clone().then(|slot| slot.inspected(&vacant(4), some_digest(0))).0;
    //= spec/protocol.md#done-and-receipt
    //# SLO-36. A Done of an Inspect that reports no holder MUST raise the proven floor to the floor that it reports where it is lower.
    assert_eq!((below.state(), live(&below), below.floor()), (State::Shared, vec![5], generation(4)));
    for (holding, n) in [(Holding::Empty, 5), (Holding::Inactive, 5), (Holding::Empty, 7)] {
        let report = SlotReport { floor: generation(n), holding };
        let at = slot.clone().then(|slot| slot.inspected(&report, some_digest(0))).0;
        //= spec/protocol.md#done-and-receipt
        //# SLO-42. A Done of an Inspect that reports no holder MUST end a share whose generation is at or below the floor that it reports.
        let state = if holding == Holding::Empty { State::NotShared } else { State::Inactive };
        assert_eq!((at.state(), live(&at), at.floor()), (state, vec![], generation(n)));
        assert_eq!(at.then(|slot| slot.withdraw(key(5))).1, WithdrawnOutcome::Settled);
    }
}

//= spec/protocol.md#done-and-receipt
//# SLO-45. A Done of an Inspect that finds the slot Inactive MUST have the effects of a Done of a Deactivate at the floor that it reports.
//= spec/protocol.md#done-and-receipt
//# SLO-46. A Done of an Inspect that finds the slot Empty MUST have the effects of a Done of an Activate at the floor that it reports.
#[test]
fn an_inspection_tells_whether_the_slot_is_open_where_nothing_higher_told() {
    let inspected = |slot: Slot<Recorder>, n, holding| {
        slot.then(|slot| slot.inspected(&SlotReport { floor: generation(n), holding }, some_digest(0))).0
    };
    for slot in [Slot::new(Epoch::FIRST), active(), publish(active(), 5), shared(5), shared(2)] {
        for (holding, turn) in [(Holding::Empty, Turn::Activate), (Holding::Inactive, Turn::Deactivate)] {
            for n in 1..7 {
                let done = slot.clone().then(|slot| slot.done(turn, generation(n))).0;
                assert_eq!(inspected(slot.clone(), n, holding), done, "{holding:?} at {n}");
            }
        }
    }
    // What was told at a higher floor stands, and nothing is told of a slot that was never opened.
    let closed = active::<Recorder>().then(|slot| slot.done(Turn::Deactivate, generation(4))).0;
    assert_eq!(inspected(closed.clone(), 4, Holding::Empty), closed);
    let never = Slot::new(Epoch::FIRST);
    assert_eq!(inspected(never.clone(), 0, Holding::Inactive), never);
}

/// What the lock tells of one slot over time, in every order: the slot knows whether it is open, as of the highest floor
/// that it heard of.
//= spec/protocol.md#done-and-receipt
//# SLO-47. A receipt above the last told MUST make the slot active.
#[test]
fn whatever_order_the_locks_words_come_in_the_slot_ends_open_or_closed_as_the_lock_is() {
    let story: [fn(&mut Slot<Recorder>); 5] = [
        |slot| slot.done(Turn::Activate, generation(1)),
        |slot| slot.confirm(&proof_of(key(2))),
        |slot| slot.done(Turn::Deactivate, generation(3)),
        |slot| slot.inspected(&vacant(4), some_digest(0)),
        |slot| slot.inspected(&holding(key(5)), some_digest(0)),
    ];
    let mut orders = vec![vec![]];
    for _ in 0..story.len() {
        orders = orders
            .iter()
            .flat_map(|order: &Vec<usize>| {
                (0..story.len()).filter(|i| !order.contains(i)).map(|i| [&order[..], &[i]].concat())
            })
            .collect();
        for order in &orders {
            let mut slot = Slot::new(Epoch::FIRST);
            order.iter().for_each(|i| story[*i](&mut slot));
            // The third closes it; each of the others finds it open.
            assert_eq!(slot.state() == State::Inactive, order.iter().max() == Some(&2), "{order:?}");
        }
    }
}

//= spec/protocol.md#done-and-receipt
//# SLO-34. A Done of an Inspect MUST take the generation at that floor out of live if, and only if, it reports no holder.
//= spec/protocol.md#done-and-receipt
//# SLO-35. A Done of an Inspect that reports a holder MUST have the effects of a receipt with the floor, grant and device that it reports.
#[test]
fn an_inspection_that_finds_the_key_confirms_it_without_any_receipt() {
    let slot = shared(5).then(|slot| slot.inspected(&holding(key(5)), some_digest(60))).0;
    assert!(slot.is_downloaded());
    let confirmation = *slot.may_open()[0].confirmation().unwrap();
    assert_eq!((confirmation.device, confirmation.proof), (device(), some_digest(60)));
    assert_eq!(slot.may_open()[0].install(), Some(some_digest(INSTALL)));
    assert_eq!(slot.clone().then(|slot| slot.confirm(&proof_of(key(5)))).0, slot);
}

// --- receipts -----------------------------------------------------------------------------------

//= spec/protocol.md#done-and-receipt
//# SLO-24. A receipt at or below the proven floor MUST change nothing.
#[test]
fn a_receipt_at_or_below_the_floor_changes_nothing() {
    let slot = shared(5).then(|slot| slot.done(Turn::Activate, generation(3))).0;
    for n in [2, 3] {
        assert_eq!(slot.clone().then(|slot| slot.confirm(&proof_of(key(n)))).0, slot);
    }
    let dead = shared(5).then(|slot| slot.done(Turn::Activate, generation(5))).0;
    assert_eq!(dead.clone().then(|slot| slot.confirm(&proof_of(key(5)))).0, dead);
    let confirmed = slot.then(|slot| slot.confirm(&proof_of(key(5)))).0;
    assert_eq!(confirmed.clone().then(|slot| slot.confirm(&proof_of(twin(5)))).0, confirmed);
    assert!(confirmed.is_downloaded());
}

#[test]
fn a_receipt_below_the_share_confirms_the_older_key_only() {
    let slot = release(publish(shared(4).then(|slot| slot.withdraw(key(4))).0, 6), 6);
    let slot = slot.then(|slot| slot.confirm(&proof_of(key(4)))).0;
    assert_eq!((slot.state(), slot.is_downloaded(), live(&slot)), (State::Shared, false, vec![4, 6]));
    assert!(slot.may_open()[0].confirmation().is_some());
}

//= spec/protocol.md#done-and-receipt
//# SLO-41. A receipt above the proven floor MUST end a share of another grant whose generation is at or below the receipt's.
//= spec/protocol.md#done-and-receipt
//# SLO-43. A receipt above the proven floor MUST take every other grant of its own generation out of live.
#[test]
fn a_receipt_above_the_share_or_of_its_twin_ends_it() {
    for proved in [key(7), twin(5)] {
        for slot in [publish(active(), 5), shared(5)] {
            let after = slot.then(|slot| slot.confirm(&proof_of(proved))).0;
            assert_eq!(after.state(), State::NotShared);
            assert_eq!(after.may_open().iter().map(|live| live.key()).collect::<Vec<_>>(), [proved]);
        }
    }
}

//= spec/protocol.md#done-and-receipt
//# SLO-27. A receipt above the proven floor MUST make its own generation live, as confirmed with its device.
//= spec/protocol.md#done-and-receipt
//# SLO-47. A receipt above the last told MUST make the slot active.
#[test]
fn a_receipt_where_nothing_is_shared_is_remembered_and_tells_that_the_slot_is_open() {
    for slot in [Slot::<Recorder>::new(Epoch::FIRST), active()] {
        let after = slot.then(|slot| slot.confirm(&proof_of(key(5)))).0;
        assert_eq!((after.state(), live(&after)), (State::NotShared, vec![5]));
    }
}

//= spec/protocol.md#done-and-receipt
//# SLO-26. A receipt above the proven floor MUST take all lower generations out of live.
//= spec/protocol.md#done-and-receipt
//# SLO-37. A receipt or a Done that comes late MUST still have these effects.
#[test]
fn the_last_proof_wins_in_whichever_order_they_come() {
    let steps: [fn(Slot) -> Slot; 3] = [
        |slot| slot.then(|slot| slot.confirm(&proof_of(key(3)))).0,
        |slot| slot.then(|slot| slot.done(Turn::Activate, generation(4))).0,
        |slot| slot.then(|slot| slot.confirm(&proof_of(key(5)))).0,
    ];
    let start = release(publish(active(), 5), 5);
    for order in [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]] {
        let end = order.into_iter().fold(start.clone(), |slot, step| steps[step](slot));
        assert_eq!((live(&end), end.floor(), end.state()), (vec![5], generation(5), State::Shared), "{order:?}");
    }
}

// --- release ------------------------------------------------------------------------------------

//= spec/protocol.md#release
//# SLO-14. A release MUST be refused unless the state is Sharing, or Shared with the same grant and the same device.
//= spec/protocol.md#withdrawal
//# SLO-22. A grant that was withdrawn MUST NOT be released afterwards.
#[test]
fn nothing_is_released_after_a_withdrawal_or_without_a_share() {
    let revoked = publish(active(), 2).then(|slot| slot.withdraw(key(2))).0;
    let reset = shared(2).then(|slot| slot.withdraw(key(2))).0;
    let closed = shared(2).then(|slot| slot.done(Turn::Deactivate, generation(3))).0;
    for slot in [active(), revoked, reset, closed] {
        let refused = slot.clone().then(|slot| slot.release(&key(2).grant, device(), some_digest(INSTALL)));
        assert_eq!(refused, (slot, Err(SlotError::NotPublished)));
    }
}

//= spec/protocol.md#release
//# SLO-14. A release MUST be refused unless the state is Sharing, or Shared with the same grant and the same device.
#[test]
fn a_second_device_is_not_released() {
    let other = PublicKey::from_bytes([66; 32]);
    for slot in [shared(2), publish(active(), 2).then(|slot| slot.confirm(&proof_of(key(2)))).0] {
        let refused = slot.clone().then(|slot| slot.release(&key(2).grant, other, some_digest(7)));
        assert_eq!(refused, (slot, Err(SlotError::ClaimedByOtherDevice)));
    }
}

//= spec/protocol.md#release
//# SLO-15. A release MUST make the state Shared and the grant's generation live.
//= spec/protocol.md#withdrawal
//# SLO-19. The answer MUST be Released, with the latest install, where the grant was released and its generation is live.
#[test]
fn the_latest_install_is_what_a_withdrawal_names() {
    let (slot, result) = shared(2).then(|slot| slot.release(&key(2).grant, device(), some_digest(77)));
    result.unwrap();
    assert_eq!(live(&slot), [2]);
    assert_eq!(slot.then(|slot| slot.withdraw(key(2))).1, WithdrawnOutcome::Released { install: some_digest(77) });
}
