//! Compiled, 32 bytes that agree on keys would be granted to, as if they could sign.

use sharekey::crypto::{AgreementKey, Crypto};
use sharekey::id::SlotId;
use sharekey::limits::{Limits, Rights};
use sharekey::owner::{Method, OwnedLock, Owner};

fn keys_confused(owner: &Owner<impl Crypto>, view: &mut OwnedLock, key: AgreementKey) {
    let _ = owner.share(view, SlotId::new(0), key, Method::Account, Rights::OPEN, Limits::NONE); //~ E0308 key
}

fn main() {}
