//! Secrets: wiped on drop, redacted in `Debug`, compared in constant time, never `Clone`.
//!
//! Each kind of secret has its own type, so that one cannot be passed where another is meant.
//! `serde` is implemented because a secret that must survive a restart has to be stored by someone:
//! store it where the platform keeps secrets.

use rand_core::CryptoRng;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use subtle::ConstantTimeEq;
use zeroize::{Zeroize, ZeroizeOnDrop};

use crate::form;

/// `N` secret bytes: the storage behind every named secret.
#[derive(Zeroize, ZeroizeOnDrop)]
pub(crate) struct SecretBytes<const N: usize>([u8; N]);

impl<const N: usize> SecretBytes<N> {
    pub(crate) const fn new(bytes: [u8; N]) -> Self {
        Self(bytes)
    }

    pub(crate) fn random(rng: &mut (impl CryptoRng + ?Sized)) -> Self {
        let mut secret = Self([0; N]);
        rng.fill_bytes(&mut secret.0);
        secret
    }

    pub(crate) const fn expose(&self) -> &[u8; N] {
        &self.0
    }

    pub(crate) const fn expose_mut(&mut self) -> &mut [u8; N] {
        &mut self.0
    }
}

impl<const N: usize> PartialEq for SecretBytes<N> {
    fn eq(&self, other: &Self) -> bool {
        self.0.ct_eq(&other.0).into()
    }
}

impl<const N: usize> Eq for SecretBytes<N> {}

impl<const N: usize> Serialize for SecretBytes<N> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        form::write_hex(&self.0, serializer)
    }
}

impl<'de, const N: usize> Deserialize<'de> for SecretBytes<N> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut secret = Self([0; N]);
        form::read_hex(deserializer, &mut secret.0)?;
        Ok(secret)
    }
}

macro_rules! secrets {
    ($( $(#[$doc:meta])* $name:ident($len:literal) )*) => {$(
        $(#[$doc])*
        #[derive(PartialEq, Eq)]
        pub struct $name(SecretBytes<$len>);

        impl $name {
            /// Length in bytes.
            pub const LEN: usize = $len;

            /// Takes the secret over from where it was stored. The caller wipes its own copy.
            #[must_use]
            pub const fn from_bytes(bytes: [u8; $len]) -> Self {
                Self(SecretBytes::new(bytes))
            }

            /// Draws a new secret.
            #[must_use]
            pub fn random(rng: &mut (impl CryptoRng + ?Sized)) -> Self {
                Self(SecretBytes::random(rng))
            }

            /// The secret bytes, for storing them or for a provider.
            #[must_use]
            pub const fn expose(&self) -> &[u8; $len] {
                self.0.expose()
            }
        }

        impl core::fmt::Debug for $name {
            fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                f.write_str(concat!(stringify!($name), "([redacted])"))
            }
        }

        impl ZeroizeOnDrop for $name {}
    )*};
}

secrets! {
    /// The 32 bytes that a signing key is derived from: an owner's, an account's, a device's, a
    /// service's, or a lock's. Whoever stores one stores the key.
    #[derive(Serialize, Deserialize)]
    Seed(32)
    /// The 128-bit secret printed on the lock's activation card.
    #[derive(Serialize, Deserialize)]
    ActivationSecret(16)
    /// The key that an installed guest and one slot of one lock share.
    #[derive(Serialize, Deserialize)]
    PairingKey(32)
    /// An X25519 private key, used for one install.
    #[derive(Serialize, Deserialize)]
    AgreementSecret(32)
    /// What an X25519 agreement gave, before it goes through the key derivation.
    SharedSecret(32)
    /// A key for a MAC that never leaves the lock (records, nonces).
    MacKey(32)
}
