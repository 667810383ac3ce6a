//! Compiled, an app that forgot to commit would show the state from before the lock's proof.
#![deny(unused_must_use)]

use sharekey::crypto::Crypto;
use sharekey::error::OwnerError;
use sharekey::owner::{OwnedLock, Owner};

fn proof_dropped(owner: &Owner<impl Crypto>, view: &mut OwnedLock, receipt: &[u8]) -> Result<(), OwnerError> {
    owner.learn(view, receipt)?; //~ unused_must_use
    Ok(())
}

fn main() {}
