//! A provider around the one that is watched. It does two things: it declassifies what the protocol sends
//! in the clear, and on request it leaks one kind of secret that it is given, which memcheck must notice.

use core::num::NonZeroU32;

use sharekey::crypto::{
    Agree, AgreementKey, Crypto, Hash, Kdf, Mac, PublicKey, Ring, RustCrypto, Sign, Signature, Stretch, Verify,
};
use sharekey::error::{NonContributory, ProviderFailed};
use sharekey::secret::{AgreementSecret, Seed, SharedSecret};

use crate::control::branch_on;
use crate::watch::declassify;

/// Every provider that the crate has.
pub trait Provider: Crypto + Stretch + Copy {
    const NAME: &'static str;
    const SELF: Self;
}

impl Provider for Ring {
    const NAME: &'static str = "ring";
    const SELF: Self = Self;
}

impl Provider for RustCrypto {
    const NAME: &'static str = "rustcrypto";
    const SELF: Self = Self;
}

/// Which secrets a provider is handed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Secret {
    /// The key of a MAC.
    MacKey,
    /// What a key is derived from.
    Ikm,
    /// A share code.
    Code,
    /// An X25519 secret.
    Agreement,
    /// A signing key's seed.
    Seed,
}

#[derive(Clone, Copy)]
pub struct Watched<P> {
    inner: P,
    leaks: Option<Secret>,
}

impl<P: Provider> Watched<P> {
    /// The provider as it is, or with a leak in it.
    #[must_use]
    pub const fn new(leaks: Option<Secret>) -> Self {
        Self { inner: P::SELF, leaks }
    }

    fn given(&self, secret: Secret, bytes: &[u8]) {
        if self.leaks == Some(secret) {
            branch_on(bytes);
        }
    }
}

impl<P: Provider> Verify for Watched<P> {
    type Ready = P::Ready;

    fn ready(&self, key: &PublicKey) -> Option<Self::Ready> {
        self.inner.ready(key)
    }

    fn verify_equation(&self, key: &Self::Ready, message: &[&[u8]], signature: &Signature) -> bool {
        self.inner.verify_equation(key, message, signature)
    }
}

impl<P: Provider> Sign for Watched<P> {
    type Key = P::Key;

    fn signing_key(&self, seed: &Seed) -> Result<Self::Key, ProviderFailed> {
        self.given(Secret::Seed, seed.expose());
        self.inner.signing_key(seed)
    }

    /// Declassified: a public key is public.
    fn public_key(&self, key: &Self::Key) -> PublicKey {
        PublicKey::from_bytes(declassify(*self.inner.public_key(key).as_bytes()))
    }

    /// Declassified: a signature is sent in the clear.
    fn sign(&self, key: &Self::Key, message: &[&[u8]]) -> Result<Signature, ProviderFailed> {
        let signature = self.inner.sign(key, message)?;
        Ok(Signature::from_bytes(declassify(*signature.as_bytes())))
    }
}

impl<P: Provider> Agree for Watched<P> {
    /// Declassified: a public key is public.
    fn agreement_key(&self, secret: &AgreementSecret) -> AgreementKey {
        self.given(Secret::Agreement, secret.expose());
        AgreementKey::from_bytes(declassify(*self.inner.agreement_key(secret).as_bytes()))
    }

    fn agree(&self, secret: &AgreementSecret, peer: &AgreementKey) -> Result<SharedSecret, NonContributory> {
        self.given(Secret::Agreement, secret.expose());
        self.inner.agree(secret, peer)
    }
}

impl<P: Provider> Hash for Watched<P> {
    fn sha256(&self, parts: &[&[u8]]) -> [u8; 32] {
        self.inner.sha256(parts)
    }
}

impl<P: Provider> Mac for Watched<P> {
    /// Declassified where it makes the nonce of a challenge, which is sent in the clear.
    fn hmac_sha256(&self, key: &[u8], parts: &[&[u8]]) -> [u8; 32] {
        self.given(Secret::MacKey, key);
        let mac = self.inner.hmac_sha256(key, parts);
        if makes_a_nonce(parts) { declassify(mac) } else { mac }
    }
}

/// Label, number, 32 bytes of entropy (spec: "Replay counter").
fn makes_a_nonce(parts: &[&[u8]]) -> bool {
    matches!(parts, [_, number, entropy] if (number.len(), entropy.len()) == (8, 32))
}

impl<P: Provider> Kdf for Watched<P> {
    fn hkdf_sha256(
        &self,
        salt: &[u8],
        ikm: &[u8],
        info: &[u8],
    ) -> Result<zeroize::Zeroizing<[u8; 32]>, ProviderFailed> {
        self.given(Secret::Ikm, ikm);
        self.inner.hkdf_sha256(salt, ikm, info)
    }
}

impl<P: Provider> Stretch for Watched<P> {
    fn pbkdf2_sha256(&self, password: &[u8], salt: &[u8], rounds: NonZeroU32) -> zeroize::Zeroizing<[u8; 32]> {
        self.given(Secret::Code, password);
        self.inner.pbkdf2_sha256(password, salt, rounds)
    }
}
