//! What the protocol asks of cryptography: one narrow trait a capability, bundled by [`Crypto`],
//! and the strict rule for keys and signatures that holds under every provider.
//!
//! Methods take `&self`, so that a secure element can stand behind them, and what the lock derives it only
//! stores and passes on to its provider, so that an element can give names of keys that it keeps:
//! `examples/secure_element.rs`. Entropy comes in through `rand_core`'s traits; no provider draws its own.

use rand_core::CryptoRng;
use subtle::ConstantTimeEq;
use zeroize::{Zeroize, Zeroizing};

use crate::error::{HexError, KeyError, NonContributory, ProviderFailed, SignatureError};
use crate::secret::{AgreementSecret, Seed, SharedSecret};

mod strict;

#[cfg(any(feature = "ring", feature = "rustcrypto"))]
mod agree;
#[cfg(feature = "ring")]
mod ring;
#[cfg(feature = "rustcrypto")]
mod rustcrypto;

#[cfg(feature = "ring")]
pub use self::ring::Ring;
#[cfg(feature = "rustcrypto")]
pub use self::rustcrypto::RustCrypto;

/// An Ed25519 public key as it stands on the wire: 32 bytes, not yet known to be a good key.
///
/// A key that is not canonical or of small order never verifies anything ([`verify`]), and
/// [`PublicKey::check`] tells before one is stored.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PublicKey([u8; 32]);

/// An Ed25519 signature: R, then S, 64 bytes.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Signature([u8; 64]);

/// An X25519 public key, 32 bytes.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct AgreementKey([u8; 32]);

/// A SHA-256 digest of a whole message, authenticator included, 32 bytes.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Digest([u8; 32]);

/// The first 16 bytes of an HMAC-SHA256. `==` runs in constant time.
#[derive(Clone, Copy, Zeroize)]
pub struct Tag([u8; 16]);

/// A number that is used once: 16 bytes. The lock's is never repeated; the others' must be fresh
/// and unpredictable.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Nonce([u8; 16]);

macro_rules! public_bytes {
    ($($name:ident($len:literal)),*) => {$(
        impl $name {
            /// Length in bytes.
            pub const LEN: usize = $len;

            /// The value with these bytes.
            #[must_use]
            pub const fn from_bytes(bytes: [u8; $len]) -> Self {
                Self(bytes)
            }

            /// The bytes as on the wire.
            #[must_use]
            pub const fn as_bytes(&self) -> &[u8; $len] {
                &self.0
            }
        }

        impl core::fmt::Debug for $name {
            fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                write!(f, "{}(", stringify!($name))?;
                core::fmt::Display::fmt(self, f)?;
                f.write_str(")")
            }
        }

        impl core::fmt::Display for $name {
            /// Lower-case hexadecimal.
            fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
            }
        }

        impl core::str::FromStr for $name {
            type Err = HexError;

            /// Reads hexadecimal, of either case.
            fn from_str(text: &str) -> Result<Self, HexError> {
                let mut value = Self([0; $len]);
                crate::form::from_hex(text, &mut value.0).ok_or_else(|| HexError::of(text)).map(|()| value)
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                crate::form::write_hex(&self.0, serializer)
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let mut value = Self([0; $len]);
                crate::form::read_hex(deserializer, &mut value.0)?;
                Ok(value)
            }
        }
    )*};
}

public_bytes!(PublicKey(32), Signature(64), AgreementKey(32), Digest(32), Tag(16), Nonce(16));

impl PublicKey {
    /// Whether this could be the key of an honest signer: its encoding is canonical and it is not
    /// one of the small-order points (spec: "Strict keys").
    ///
    /// # Errors
    /// [`KeyError::NotCanonical`] or [`KeyError::SmallOrder`].
    pub fn check(&self) -> Result<(), KeyError> {
        strict::check_point(&self.0)
    }
}

impl PartialEq for Tag {
    fn eq(&self, other: &Self) -> bool {
        //= spec/protocol.md#frame
        //= type=implication
        //= reason=a tag has no other comparison than this one; no test sees how long it takes
        //# MSG-2. A verifier MUST compare tags in constant time.
        self.0.ct_eq(&other.0).into()
    }
}

impl Eq for Tag {}

impl Tag {
    /// The tag that a full HMAC is truncated to.
    #[must_use]
    pub fn truncated(mac: &[u8; 32]) -> Self {
        Self(leading_16(mac))
    }
}

impl Nonce {
    /// Draws a nonce.
    #[must_use]
    pub fn random(rng: &mut (impl CryptoRng + ?Sized)) -> Self {
        let mut bytes = [0; 16];
        rng.fill_bytes(&mut bytes);
        Self(bytes)
    }

    /// The nonce that a full HMAC is truncated to.
    pub(crate) fn truncated(mac: &[u8; 32]) -> Self {
        Self(leading_16(mac))
    }
}

fn leading_16(mac: &[u8; 32]) -> [u8; 16] {
    let mut out = [0; 16];
    out.iter_mut().zip(mac).for_each(|(to, from)| *to = *from);
    out
}

/// Checks Ed25519 signatures.
pub trait Verify {
    /// A public key as [`verify_equation`](Self::verify_equation) takes it: parsed, where the provider gains
    /// by parsing a key only once ([`Pinned`]), or the [`PublicKey`] as it is. A lock keeps its owner's and its
    /// service's for as long as it belongs to them, and uses one only with the provider that made it. Where it
    /// stands for something in a secure element, dropping it is what gives that free.
    type Ready;

    /// Makes a key ready; only called after the strict checks. A provider that parses the key here gives `None`
    /// for bytes that are no point; one that does not gives `Some`, and
    /// [`verify_equation`](Self::verify_equation) is then false. `None` verifies nothing, and is asked for again
    /// at the next check.
    fn ready(&self, key: &PublicKey) -> Option<Self::Ready>;

    /// Whether `signature` is `key`'s over the concatenation of `message`'s parts, by the cofactorless equation:
    /// recompute R and compare the bytes. The library calls it only after the strict checks; call [`verify`].
    fn verify_equation(&self, key: &Self::Ready, message: &[&[u8]], signature: &Signature) -> bool;
}

/// Makes Ed25519 signatures.
pub trait Sign {
    /// A key ready to sign; a secure element's handle.
    type Key;

    /// The key that `seed` stands for (RFC 8032's private key).
    ///
    /// # Errors
    /// [`ProviderFailed`] when the provider cannot load it.
    fn signing_key(&self, seed: &Seed) -> Result<Self::Key, ProviderFailed>;

    /// The public half.
    fn public_key(&self, key: &Self::Key) -> PublicKey;

    /// Signs the concatenation of `message`'s parts.
    ///
    /// # Errors
    /// [`ProviderFailed`] when the provider cannot sign now.
    fn sign(&self, key: &Self::Key, message: &[&[u8]]) -> Result<Signature, ProviderFailed>;
}

/// X25519.
pub trait Agree {
    /// The public half of `secret`.
    fn agreement_key(&self, secret: &AgreementSecret) -> AgreementKey;

    /// The secret shared with `peer`.
    ///
    /// # Errors
    /// [`NonContributory`] when `peer` is a point that fixes the result whatever the secret.
    fn agree(&self, secret: &AgreementSecret, peer: &AgreementKey) -> Result<SharedSecret, NonContributory>;
}

/// SHA-256.
pub trait Hash {
    /// The digest of the concatenation of `parts`.
    fn sha256(&self, parts: &[&[u8]]) -> [u8; 32];
}

/// HMAC-SHA256.
pub trait Mac {
    /// The MAC under `key` of the concatenation of `parts`.
    fn hmac_sha256(&self, key: &[u8], parts: &[&[u8]]) -> [u8; 32];
}

/// HKDF-SHA256 (RFC 5869), one block out.
pub trait Kdf {
    /// 32 bytes for `info`, from `ikm` under `salt`.
    ///
    /// # Errors
    /// [`ProviderFailed`] when the provider cannot derive now.
    fn hkdf_sha256(&self, salt: &[u8], ikm: &[u8], info: &[u8]) -> Result<Zeroizing<[u8; 32]>, ProviderFailed>;
}

/// PBKDF2-HMAC-SHA256 (RFC 8018): only share codes need it, so a lock's provider may do without.
pub trait Stretch {
    /// 32 bytes from `password` after `rounds` rounds (at least 1).
    fn pbkdf2_sha256(&self, password: &[u8], salt: &[u8], rounds: core::num::NonZeroU32) -> Zeroizing<[u8; 32]>;
}

/// ChaCha20-Poly1305 (RFC 8439) under a key that is used once, with a nonce of zeros: only what is stored
/// [sealed](crate::sealed) needs it, so a provider may do without.
#[cfg(feature = "alloc")]
pub trait Aead {
    /// Encrypts `content` where it stands; gives the tag, over `about` too.
    ///
    /// # Errors
    /// [`ProviderFailed`] when the provider cannot do it now.
    fn chacha20_poly1305_seal(
        &self,
        key: &[u8; 32],
        about: &[u8],
        content: &mut [u8],
    ) -> Result<[u8; 16], ProviderFailed>;

    /// Decrypts `content` where it stands, if the tag is that of it and of `about`; gives whether it is. Where it is not,
    /// what stands in `content` is of no use.
    fn chacha20_poly1305_open(&self, key: &[u8; 32], about: &[u8], content: &mut [u8], tag: &[u8; 16]) -> bool;
}

/// Everything that a lock, an owner, a guest or a service needs.
pub trait Crypto: Verify + Sign + Agree + Hash + Mac + Kdf {}

impl<T: Verify + Sign + Agree + Hash + Mac + Kdf> Crypto for T {}

/// What stands before a message where a signature of the protocol is made or checked. It is not sent: nothing that
/// another protocol has a key sign is ever taken for a message here.
pub const SIGNATURE_CONTEXT: &[u8] = b"sharekey v1 signature\0";

/// What a provider has to be able to take behind that: no message is longer.
pub(crate) const MAX_SIGNED: usize = 256;

/// Checks a signature over the concatenation of `message`'s parts strictly: `key` and R canonical and not of small
/// order, `S < L`, then the provider's equation. Every signature of the protocol goes through here or through
/// [`Pinned::verify`], so that providers cannot differ (spec: "Strict keys"); there the first part is the
/// [context](SIGNATURE_CONTEXT).
///
/// # Errors
/// [`SignatureError`], naming the check that failed.
pub fn verify(
    provider: &impl Verify,
    key: &PublicKey,
    message: &[&[u8]],
    signature: &Signature,
) -> Result<(), SignatureError> {
    key.check().map_err(SignatureError::Key)?;
    strict::check_signature(&signature.0)?;
    equation(provider, provider.ready(key).as_ref(), message, signature)
}

fn equation<V: Verify>(
    provider: &V,
    key: Option<&V::Ready>,
    message: &[&[u8]],
    signature: &Signature,
) -> Result<(), SignatureError> {
    //= spec/protocol.md#strict-keys
    //# KEY-6. After these checks a verifier MUST decide by the cofactorless equation: recompute R and compare its encoding with the received one.
    match key {
        Some(key) if provider.verify_equation(key, message, signature) => Ok(()),
        _ => Err(SignatureError::Mismatch),
    }
}

/// A public key that many signatures are checked with: checked, and parsed where the provider can,
/// only once. It decides as [`verify`] does, with the same errors.
pub struct Pinned<V: Verify> {
    key: PublicKey,
    ready: Result<Option<V::Ready>, KeyError>,
}

impl<V: Verify> Pinned<V> {
    /// Takes any key; a bad one verifies nothing.
    #[must_use]
    pub fn new(provider: &V, key: PublicKey) -> Self {
        Self { key, ready: key.check().map(|()| provider.ready(&key)) }
    }

    /// The key.
    #[must_use]
    pub const fn key(&self) -> &PublicKey {
        &self.key
    }

    /// [`verify`] under this key, with the provider that it was made with.
    ///
    /// # Errors
    /// [`SignatureError`], naming the check that failed.
    pub fn verify(&self, provider: &V, message: &[&[u8]], signature: &Signature) -> Result<(), SignatureError> {
        let ready = self.ready.as_ref().map_err(|error| SignatureError::Key(*error))?;
        strict::check_signature(&signature.0)?;
        match ready {
            Some(ready) => equation(provider, Some(ready), message, signature),
            // No point; or a provider that failed for a moment, which must not lock the owner out until a restart.
            None => equation(provider, provider.ready(&self.key).as_ref(), message, signature),
        }
    }
}

impl<V: Verify> core::fmt::Debug for Pinned<V> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_tuple("Pinned").field(&self.key).finish()
    }
}

/// The first 16 bytes of HMAC-SHA256.
pub(crate) fn tag(provider: &impl Mac, key: &[u8], parts: &[&[u8]]) -> Tag {
    Tag::truncated(&provider.hmac_sha256(key, parts))
}

/// A signing key beside its public half, which is always derived from it, never set apart.
pub struct Signer<C: Sign> {
    key: C::Key,
    public: PublicKey,
}

impl<C: Sign> Signer<C> {
    /// The signer that `seed` stands for.
    ///
    /// # Errors
    /// [`ProviderFailed`] when the provider cannot load the key.
    pub fn from_seed(crypto: &C, seed: &Seed) -> Result<Self, ProviderFailed> {
        let key = crypto.signing_key(seed)?;
        let public = crypto.public_key(&key);
        Ok(Self { key, public })
    }

    /// The public half.
    #[must_use]
    pub const fn public(&self) -> &PublicKey {
        &self.public
    }

    /// The signature of a message of the protocol, which is all that the library signs.
    pub(crate) fn sign(&self, crypto: &C, message: &[u8]) -> Result<Signature, ProviderFailed> {
        //= spec/protocol.md#frame
        //# MSG-20. A signature MUST be made, and checked, over `"sharekey v1 signature"` ‖ 00 ‖ the bytes that it covers.
        crypto.sign(&self.key, &[SIGNATURE_CONTEXT, message])
    }
}

impl<C: Sign> core::fmt::Debug for Signer<C> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Signer").field("public", &self.public).finish_non_exhaustive()
    }
}
