//! Compiled, an app would decide on a view that a grant under way is not in yet.

use sharekey::id::SlotId;
use sharekey::message::Withdraw;
use sharekey::owner::{OwnedLock, Owner};
use sharekey::{crypto::Crypto, error::OwnerError, staged::Staged, wire::Encoded};

fn view_used_while_staged(owner: &Owner<impl Crypto>, view: &mut OwnedLock, hall: SlotId) {
    let withdraw: Result<Staged<'_, OwnedLock, Encoded<Withdraw>>, OwnerError> = owner.withdraw(view, hall);
    let _ = view.status(hall); //~ E0502 view
    drop(withdraw);
}

fn main() {}
