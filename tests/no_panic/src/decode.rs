//! Every kind of message: decoding it and checking its authenticator.

use no_panic::no_panic;
use sharekey::crypto::{Digest, PublicKey};
use sharekey::id::LockId;
use sharekey::message::{
    Bundle, Challenge, Claim, Command, Done, FactoryReset, Grant, Install, Provision, Provisioned, Receipt, Refused,
    Release, Reply, Unlock, Withdraw, Withdrawn,
};
use sharekey::wire::{Kind, Unverified};

use crate::provider::Opaque;

macro_rules! signed {
    ($($name:ident: $message:ty),*) => {$(
        #[no_panic]
        #[inline(never)]
        fn $name(bytes: &[u8], key: &PublicKey) -> bool {
            let Ok(message) = Unverified::<$message>::parse(bytes) else { return false };
            message.digest(&Opaque) != Digest::from_bytes([0; 32]) && message.verify(&Opaque, key).is_ok()
        }
    )*};
}

macro_rules! tagged {
    ($($name:ident: $message:ty),*) => {$(
        #[no_panic]
        #[inline(never)]
        fn $name(bytes: &[u8], key: &[u8]) -> bool {
            Unverified::<$message>::parse(bytes).is_ok_and(|message| message.verify_mac(&Opaque, key).is_ok())
        }
    )*};
}

signed! {
    grant: Grant, withdraw: Withdraw, withdrawn: Withdrawn, claim: Claim, install: Install, release: Release,
    receipt: Receipt, command: Command, done: Done, provisioned: Provisioned
}

tagged!(unlock: Unlock, reply: Reply, provision: Provision, factory_reset: FactoryReset);

#[no_panic]
#[inline(never)]
fn kind(bytes: &[u8]) -> bool {
    Kind::of(bytes).is_ok()
}

#[no_panic]
#[inline(never)]
fn challenge(bytes: &[u8]) -> bool {
    Unverified::<Challenge>::parse(bytes).is_ok()
}

#[no_panic]
#[inline(never)]
fn bundle(bytes: &[u8]) -> bool {
    Bundle::parse(bytes).is_ok_and(|bundle| bundle.encode().is_ok())
}

#[no_panic]
#[inline(never)]
fn refused(bytes: &[u8], key: &PublicKey) -> bool {
    let request = Digest::from_bytes([0; 32]);
    Refused::parse(bytes).is_ok_and(|refused| refused.reason(&Opaque, &LockId::new(*key), &request).is_ok())
}

/// Calls them all, so that they are linked; says how many took the bytes.
pub fn all(bytes: &[u8], key: &PublicKey) -> usize {
    let signed: [fn(&[u8], &PublicKey) -> bool; 11] =
        [grant, withdraw, withdrawn, claim, install, release, receipt, command, done, provisioned, refused];
    let tagged: [fn(&[u8], &[u8]) -> bool; 4] = [unlock, reply, provision, factory_reset];
    let bare: [fn(&[u8]) -> bool; 3] = [kind, challenge, bundle];
    signed.iter().filter(|check| check(bytes, key)).count()
        + tagged.iter().filter(|check| check(bytes, key.as_bytes())).count()
        + bare.iter().filter(|check| check(bytes)).count()
}
