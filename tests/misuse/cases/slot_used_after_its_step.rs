//! Compiled, one slot would be revoked and released, and both be true.

use sharekey::crypto::{Digest, PublicKey};
use sharekey::slot::{Sharing, Slot};

fn slot_used_after_its_step(slot: Slot<Sharing>, grant: &Digest, device: PublicKey, install: Digest) {
    let _ = slot.revoke();
    let _ = slot.release(grant, device, install); //~ E0382 slot
}

fn main() {}
