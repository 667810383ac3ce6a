//! Compiled, whoever has one code could download two keys.

use sharekey::code::ShareCode;
use sharekey::crypto::{Crypto, Stretch};
use sharekey::id::SlotId;
use sharekey::limits::{Limits, Rights};
use sharekey::owner::{OwnedLock, Owner};

fn code_shared_twice(owner: &Owner<impl Crypto + Stretch>, view: &mut OwnedLock, code: ShareCode) {
    let [hall, studio] = [0, 1].map(SlotId::new);
    let _ = owner.share_by_code(view, hall, code, Rights::OPEN, Limits::NONE);
    let _ = owner.share_by_code(view, studio, code, Rights::OPEN, Limits::NONE); //~ E0382 code
}

fn main() {}
