//! The pairing key: what an installed guest and the lock share (spec: "Key schedule").

use crate::crypto::{Digest, Kdf};
use crate::error::ProviderFailed;
use crate::secret::{PairingKey, SharedSecret};

const LABEL: &[u8] = b"sharekey v1 pairing";

/// Bound to the receipt, and through it to everything that led to the install.
pub(crate) fn derive(crypto: &impl Kdf, receipt: &Digest, shared: &SharedSecret) -> Result<PairingKey, ProviderFailed> {
    //= spec/protocol.md#pairing-key
    //# KDF-3. The pairing key MUST be HKDF(salt = digest(Receipt), ikm = the X25519 shared secret, info = `"sharekey v1 pairing"`), 32 bytes.
    crypto.hkdf_sha256(receipt.as_bytes(), shared.expose(), LABEL).map(|key| PairingKey::from_bytes(*key))
}
