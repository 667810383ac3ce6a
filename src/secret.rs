//! Secrets: wiped on drop, redacted in `Debug`, compared in constant time, never `Clone`.
//!
//! Each kind of secret has its own type, so that one cannot be passed where another is meant.
//!
//! A secret that must survive a restart has to be stored by someone. What [holds one](HoldsSecret) has no `serde` of its
//! own, for nobody sees at a call of `to_string` that a key leaves: it is stored sealed (`sealed::Sealed`) under a key that
//! the app brings, or [`Exposed`], where the platform keeps secrets itself.

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

/// What can be written with its secrets in the open, by [`Exposed`]: whatever [holds one](HoldsSecret), or a borrow of it.
pub trait Expose {
    #[doc(hidden)]
    fn write_plain<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error>;
}

/// What holds a secret: a seed, a card, a claim, a guest's key. No other crate's types.
pub trait HoldsSecret: Expose + Sized {
    /// What it is, under the seal.
    #[doc(hidden)]
    const KIND: &'static str;

    #[doc(hidden)]
    fn read_plain<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error>;
}

impl<T: Expose> Expose for &T {
    fn write_plain<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        T::write_plain(self, serializer)
    }
}

/// A value **with its secrets in the open**, for `serde`: `Exposed(&key)` to write, `Exposed::<GuestKey>` to read.
///
/// Whoever reads what this writes has the secret, and can be the owner, the account or the key. It is for where the
/// platform itself keeps secrets; elsewhere seal them (`sealed::Sealed`).
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Exposed<T>(pub T);

impl<T: Expose> Serialize for Exposed<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.write_plain(serializer)
    }
}

impl<'de, T: HoldsSecret> Deserialize<'de> for Exposed<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        T::read_plain(deserializer).map(Self)
    }
}

impl<T: Expose> Expose for Option<T> {
    fn write_plain<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.as_ref().map(Exposed).serialize(serializer)
    }
}

impl<T: HoldsSecret> HoldsSecret for Option<T> {
    const KIND: &'static str = T::KIND;

    fn read_plain<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Option::<Exposed<T>>::deserialize(deserializer).map(|held| held.map(|Exposed(value)| value))
    }
}

/// For the fields of a form that is in the open as a whole.
pub(crate) mod plain {
    use super::{Deserializer, Expose, HoldsSecret, Serializer};

    pub(crate) fn serialize<S: Serializer>(value: &impl Expose, serializer: S) -> Result<S::Ok, S::Error> {
        value.write_plain(serializer)
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>, T: HoldsSecret>(deserializer: D) -> Result<T, D::Error> {
        T::read_plain(deserializer)
    }
}

/// A type that holds a secret, by the private twin that has the open form.
macro_rules! holds_secret {
    ($name:ident by $twin:ident) => {
        impl $crate::secret::Expose for $name {
            fn write_plain<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                $twin::serialize(self, serializer)
            }
        }

        impl $crate::secret::HoldsSecret for $name {
            const KIND: &'static str = stringify!($name);

            fn read_plain<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                $twin::deserialize(deserializer)
            }
        }
    };
}
pub(crate) use holds_secret;

macro_rules! secrets {
    ($( $(#[$doc:meta])* $name:ident($len:literal $(, $stored:ident)?) )*) => {$(
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

        $( stored!($stored $name); )?
    )*};
}

/// A secret that somebody stores.
macro_rules! stored {
    (stored $name:ident) => {
        impl Expose for $name {
            fn write_plain<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                self.0.serialize(serializer)
            }
        }

        impl HoldsSecret for $name {
            const KIND: &'static str = stringify!($name);

            fn read_plain<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                SecretBytes::deserialize(deserializer).map(Self)
            }
        }
    };
}

secrets! {
    /// The 32 bytes that a signing key is derived from: an owner's, an account's, a device's, a
    /// service's, or a lock's. Whoever stores one stores the key.
    Seed(32, stored)
    /// The 128-bit secret printed on the lock's activation card.
    ActivationSecret(16, stored)
    /// The key that an installed guest and one slot of one lock share.
    PairingKey(32, stored)
    /// An X25519 private key, used for one install.
    AgreementSecret(32, stored)
    /// What an X25519 agreement gave, before it goes through the key derivation.
    SharedSecret(32)
    /// The key that an app brings to seal (`sealed::Sealed`) what it stores: from the platform's key store, say.
    StorageKey(32)
    /// A key for a MAC that never leaves the lock (records, nonces).
    MacKey(32)
}
