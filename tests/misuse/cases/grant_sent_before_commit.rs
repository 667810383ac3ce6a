//! Compiled, an app that crashed here would forget a key that it signed, and use its number again.

use sharekey::crypto::{Crypto, PublicKey};
use sharekey::error::OwnerError;
use sharekey::id::SlotId;
use sharekey::limits::{Limits, Rights};
use sharekey::owner::{Method, OwnedLock, Owner};

fn send(_message: &[u8]) {}

fn grant_sent_before_commit(
    owner: &Owner<impl Crypto>,
    view: &mut OwnedLock,
    subject: PublicKey,
) -> Result<(), OwnerError> {
    let hall = SlotId::new(0);
    let grant = owner.share(view, hall, subject, Method::Account, Rights::OPEN, Limits::NONE)?;
    send(&grant); //~ E0308 &grant
    Ok(())
}

fn main() {}
