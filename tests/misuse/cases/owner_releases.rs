//! Compiled, a view would say who downloaded a key before the lock or the service did.

use sharekey::crypto::{Digest, PublicKey};
use sharekey::slot::{Observer, Slot};

fn owner_releases(slot: &mut Slot<Observer>, grant: &Digest, device: PublicKey, install: Digest) {
    let _ = slot.release(grant, device, install); //~ E0599 release
}

fn main() {}
