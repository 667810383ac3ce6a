//! What a lock tells of itself beside what it did: its battery, and how many slots it has.

use sharekey::message::{Battery, Done, Outcome, Provisioned, Reply, Report};
use sharekey_stage::samples::{Samples as _, Size};

use crate::wire::accepted;

//= spec/protocol.md#encoding
//# MSG-7. A decoder MUST refuse a number outside the range given for its field.
#[test]
fn a_battery_is_a_percentage_or_unknown_and_a_lock_has_at_least_one_slot() {
    let battery: Vec<u8> = (0..=100).chain([255]).collect();
    let accepts = Reply { outcome: Outcome::Accepted, ..Reply::samples(Size::Low)[0] };
    assert_eq!(accepted(&accepts, 21), battery);
    assert_eq!(accepted(&Done::samples(Size::Low)[0], 80), battery);
    for byte in battery {
        let percent = Battery::try_from(byte).unwrap().percent();
        assert_eq!(percent, (byte <= 100).then_some(byte));
    }
    assert_eq!(Battery::at(255), Battery::at(100), "more than full is full, and never unknown");
    let (slots, counted) = ((1..=u8::MAX).collect::<Vec<_>>(), |done: &Done| done.completed.slots().is_some());
    assert_eq!(accepted(&Provisioned::samples(Size::Low)[0], 104), slots);
    assert_eq!(accepted(&Report::samples(Size::Low)[0], 82), slots);
    for done in Done::samples(Size::Low).into_iter().filter(counted) {
        let at = if done.completed.left().is_some() { 83 } else { 146 };
        assert_eq!(accepted(&done, at), slots, "{done:?}");
    }
}
