//! Stored forms under a key that the app brings: [`Sealed`].
//!
//! A guest's key in a file, a claim in a database, a seed in a backup: whoever reads it has it. Sealed, it is good only with
//! the [`StorageKey`], which an app keeps where the platform keeps keys (Keychain, Keystore, TPM, a secret of the
//! deployment), and only in its place.
//!
//! # Format
//!
//! A byte 1, a salt of 32 random bytes, the ciphertext, a tag of 16 bytes. Ciphertext and tag are ChaCha20-Poly1305
//! (RFC 8439) with a nonce of zeros, under the key HKDF-SHA256(salt, storage key, `sharekey v1 sealed`), which no other value
//! has; the associated data are the byte 1, the name of the type, a byte 0 and the place. What is inside is the value as
//! `postcard` writes it. It is no part of the protocol: nobody else reads it.

use alloc::vec::Vec;
use core::marker::PhantomData;

use rand_core::CryptoRng;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use zeroize::Zeroizing;

use crate::crypto::{Aead, Kdf};
use crate::error::SealedError;
use crate::form::{Carried, read_carried};
use crate::secret::{Exposed, HoldsSecret, StorageKey};

const LABEL: &[u8] = b"sharekey v1 sealed";
const FORMAT: u8 = 1;
const SALT: usize = 32;
const TAG: usize = 16;

/// A `T` under a [`StorageKey`]: its bytes say nothing of it but how long it is.
///
/// ```
/// # #[cfg(feature = "ring")] {
/// use sharekey::crypto::Ring;
/// use sharekey::sealed::Sealed;
/// use sharekey::secret::{Seed, StorageKey};
///
/// let rng = &mut sharekey::rand_core::UnwrapErr(getrandom::SysRng);
/// let (key, seed) = (StorageKey::random(rng), Seed::random(rng));
/// let stored = Sealed::seal(&Ring, &key, b"account", &seed, rng)?.into_bytes();
/// assert_eq!(Sealed::<Seed>::from_bytes(stored).open(&Ring, &key, b"account")?, seed);
/// # }
/// # Ok::<(), sharekey::error::SealedError>(())
/// ```
pub struct Sealed<T> {
    bytes: Vec<u8>,
    what: PhantomData<fn() -> T>,
}

impl<T: HoldsSecret> Sealed<T> {
    /// Seals a value for its place: the name of the file or of the row that it is stored in, so that nobody who can write
    /// to the store puts one row in another's place. (An older content of the same place opens: who must not fall back
    /// has a version in it, as a [`Keyring`](crate::guest::Keyring) has.) `rng` gives the salt.
    ///
    /// # Errors
    /// [`SealedError::Provider`].
    pub fn seal(
        crypto: &(impl Aead + Kdf),
        key: &StorageKey,
        place: &[u8],
        value: &T,
        rng: &mut (impl CryptoRng + ?Sized),
    ) -> Result<Self, SealedError> {
        let mut salt = [0; SALT];
        rng.fill_bytes(&mut salt);
        // Written where there is room for all of it, so that no copy of a secret is left where it grew.
        let length = postcard::experimental::serialized_size(&Exposed(value)).map_err(|_| SealedError::Content)?;
        let mut inside = Zeroizing::new(Vec::new());
        inside.resize(length, 0);
        postcard::to_slice(&Exposed(value), &mut inside).map_err(|_| SealedError::Content)?;
        let of_this = derived(crypto, key, &salt)?;
        let tag = crypto.chacha20_poly1305_seal(&of_this, &about::<T>(place), &mut inside)?;
        let bytes = [&[FORMAT], salt.as_slice(), &inside, &tag].concat();
        Ok(Self { bytes, what: PhantomData })
    }

    /// Opens it again.
    ///
    /// # Errors
    /// [`SealedError::Refused`] where it is not as it was sealed under this key, as this type and for this place;
    /// [`SealedError::Content`] where what was sealed is no `T` of this version of the library; [`SealedError::Provider`].
    pub fn open(&self, crypto: &(impl Aead + Kdf), key: &StorageKey, place: &[u8]) -> Result<T, SealedError> {
        let (salt, inside, tag) = self.parts().ok_or(SealedError::Refused)?;
        let mut inside = Zeroizing::new(inside.to_vec());
        let of_this = derived(crypto, key, salt)?;
        if !crypto.chacha20_poly1305_open(&of_this, &about::<T>(place), &mut inside, tag) {
            return Err(SealedError::Refused);
        }
        match postcard::take_from_bytes::<Exposed<T>>(&inside) {
            Ok((Exposed(value), [])) => Ok(value),
            _ => Err(SealedError::Content),
        }
    }

    fn parts(&self) -> Option<(&[u8; SALT], &[u8], &[u8; TAG])> {
        let (&FORMAT, rest) = self.bytes.split_first()? else { return None };
        let (salt, rest) = rest.split_first_chunk()?;
        let (inside, tag) = rest.split_last_chunk()?;
        Some((salt, inside, tag))
    }
}

impl<T> Sealed<T> {
    /// What was stored.
    #[must_use]
    pub const fn from_bytes(bytes: Vec<u8>) -> Self {
        Self { bytes, what: PhantomData }
    }

    /// What is to be stored.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The same, without a copy.
    #[must_use]
    pub fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }
}

fn derived(crypto: &impl Kdf, key: &StorageKey, salt: &[u8; SALT]) -> Result<Zeroizing<[u8; 32]>, SealedError> {
    Ok(crypto.hkdf_sha256(salt, key.expose(), LABEL)?)
}

/// What the seal is of, beside the content.
fn about<T: HoldsSecret>(place: &[u8]) -> Vec<u8> {
    [&[FORMAT], T::KIND.as_bytes(), &[0], place].concat()
}

impl<T> Clone for Sealed<T> {
    fn clone(&self) -> Self {
        Self::from_bytes(self.bytes.clone())
    }
}

impl<T> PartialEq for Sealed<T> {
    fn eq(&self, other: &Self) -> bool {
        self.bytes == other.bytes
    }
}

impl<T> Eq for Sealed<T> {}

impl<T: HoldsSecret> core::fmt::Debug for Sealed<T> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "Sealed<{}>({} bytes)", T::KIND, self.bytes.len())
    }
}

impl<T> Serialize for Sealed<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        Carried(&self.bytes).serialize(serializer)
    }
}

impl<'de, T> Deserialize<'de> for Sealed<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        read_carried(deserializer).map(Self::from_bytes)
    }
}
