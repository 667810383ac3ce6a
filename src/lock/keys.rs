//! The keys that a lock derives from its seed (spec: "Key schedule").

use crate::crypto::{Crypto, Signer};
use crate::error::ProviderFailed;
use crate::id::LockId;
use crate::secret::{MacKey, Seed};

const SIGNING: &[u8] = b"sharekey v1 lock key";
const RECORDS: &[u8] = b"sharekey v1 record mac";
const NONCES: &[u8] = b"sharekey v1 nonce";

pub(crate) struct LockKeys<C: Crypto> {
    pub(crate) signer: Signer<C>,
    /// For the records on flash.
    pub(crate) record: MacKey,
    /// For the nonces of challenges.
    pub(crate) nonce: MacKey,
}

impl<C: Crypto> LockKeys<C> {
    pub(crate) fn derive(crypto: &C, seed: &Seed) -> Result<Self, ProviderFailed> {
        let derive = |label| crypto.hkdf_sha256(&[], seed.expose(), label);
        Ok(Self {
            signer: Signer::from_seed(crypto, &Seed::from_bytes(derive(SIGNING)?))?,
            record: MacKey::from_bytes(derive(RECORDS)?),
            nonce: MacKey::from_bytes(derive(NONCES)?),
        })
    }

    pub(crate) const fn id(&self) -> LockId {
        LockId::new(*self.signer.public())
    }
}
