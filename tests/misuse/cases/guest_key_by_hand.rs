//! Compiled, an app would show a key with other limits than the lock keeps to.

use sharekey::guest::GuestKey;
use sharekey::limits::Limits;

fn guest_key_by_hand(mut key: GuestKey) -> GuestKey {
    key.limits = Limits::NONE; //~ E0616 limits
    key
}

fn main() {}
