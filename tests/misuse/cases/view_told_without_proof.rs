//! Compiled, whatever a service says of a slot would be in the view, unsigned.

use sharekey::id::SlotId;
use sharekey::owner::OwnedLock;
use sharekey::slot::{Slot, Observer};

fn view_told_without_proof(view: &mut OwnedLock, hall: SlotId) -> Option<&mut Slot<Observer>> {
    view.slot(hall) //~ E0308
}

fn main() {}
