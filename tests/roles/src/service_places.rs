//! Which record a message is for, before anything of it was checked.

use sharekey::error::{ServiceError, WireError};
use sharekey::limits::{Action, Timestamp};
use sharekey::message::{Completed, Holding, WithdrawnOutcome};
use sharekey::service::place_of;
use sharekey_stage::desk::*;
use sharekey_stage::forge::signed;
use sharekey_stage::public;

#[test]
fn what_concerns_a_slot_names_lock_and_slot() {
    let transfer = transfer_to(public(&owner_seed()), public(&service_seed()), 2);
    let messages = [
        ("grant", granted(2), Some(SLOT)),
        ("withdraw", withdraw(2), Some(SLOT)),
        ("receipt", receipt(2), Some(SLOT)),
        ("activated", by_lock(&activated(2)), Some(SLOT)),
        ("deactivated", by_lock(&deactivated(2)), Some(SLOT)),
        ("found", by_lock(&found(2, Holding::Empty)), Some(SLOT)),
        ("transferred", by_lock(&transfer), None),
        ("provisioned", signed(&provisioned(), &lock_seed()), None),
    ];
    for (name, message, slot) in messages {
        assert_eq!(place_of(&message), Ok((lock(), slot)), "{name}");
        assert_eq!(place_of(&message[..message.len() - 1]), Err(ServiceError::Wire(WireError::Truncated)), "{name}");
    }
}

#[test]
fn what_no_record_takes_alone_has_no_place() {
    let withdrawn = withdrawn(2, WithdrawnOutcome::NeverReleased);
    let set_clock = by_lock(&done(Completed::SetClock { to: Timestamp::from_unix_seconds(1) }));
    let acted = by_lock(&done(Completed::Act { action: Action::Open }));
    for message in [claimed(2), install(2, 1), withdrawn, challenge(), set_clock, acted] {
        assert_eq!(place_of(&message), Err(ServiceError::NotOfASlot));
        let taken = service().take(&mut record(), &message).map(drop);
        assert_eq!(taken, Err(ServiceError::NotOfASlot), "nor does a record take it");
    }
    assert_eq!(place_of(&[]), Err(ServiceError::Wire(WireError::Truncated)));
}
