//! Compiled, an app would show another state than what the lock's proofs led to.

use sharekey::owner::{OwnedLock, Standing};

fn view_by_hand(mut view: OwnedLock) -> OwnedLock {
    view.standing = Standing::Owned; //~ E0616 standing
    view
}

fn main() {}
