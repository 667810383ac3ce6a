//! X25519 by `x25519-dalek`, for every provider that has none which takes the caller's entropy.

use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use super::AgreementKey;
use crate::error::NonContributory;
use crate::secret::{AgreementSecret, SharedSecret};

pub(super) fn public(secret: &AgreementSecret) -> AgreementKey {
    AgreementKey::from_bytes(x25519_dalek::x25519(*secret.expose(), x25519_dalek::X25519_BASEPOINT_BYTES))
}

pub(super) fn shared(secret: &AgreementSecret, peer: &AgreementKey) -> Result<SharedSecret, NonContributory> {
    let shared = Zeroizing::new(x25519_dalek::x25519(*secret.expose(), *peer.as_bytes()));
    //= spec/protocol.md#strict-keys
    //# KEY-8. A party MUST refuse an X25519 agreement whose result is all zero bytes.
    if bool::from(shared.ct_eq(&[0; 32])) {
        return Err(NonContributory);
    }
    Ok(SharedSecret::from_bytes(*shared))
}
