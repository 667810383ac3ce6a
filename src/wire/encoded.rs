//! Making messages.

use core::marker::PhantomData;

use arrayvec::ArrayVec;
use serde::Serialize;

use super::layout::{Layout, Writer};
use super::{Bare, MAX_MESSAGE, Message, Unverified, digest};
use crate::crypto::{self, Digest, Hash, Mac, Sign, Signature, Signer, Tag};
use crate::error::{SealError, WireError};
use crate::form::{self, Carried, Room};

/// Room for one message, whatever its kind.
pub(crate) type Bytes = ArrayVec<u8, MAX_MESSAGE>;

/// The bytes of a message of kind `T` that this library made. Dereferences to the bytes.
#[derive(PartialEq, Eq)]
pub struct Encoded<T> {
    bytes: Bytes,
    kind: PhantomData<fn() -> T>,
}

impl<T> Clone for Encoded<T> {
    fn clone(&self) -> Self {
        Self { bytes: copied(&self.bytes), kind: PhantomData }
    }
}

impl<T> Encoded<T> {
    /// A copy of the message that was made there.
    pub(crate) fn taken(bytes: &Bytes) -> Self {
        Self { bytes: copied(bytes), kind: PhantomData }
    }

    /// All bytes of the message.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The digest of all bytes of the message.
    #[must_use]
    pub fn digest(&self, crypto: &impl Hash) -> Digest {
        digest(crypto, &self.bytes)
    }
}

impl<T> core::ops::Deref for Encoded<T> {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.bytes
    }
}

impl<T> AsRef<[u8]> for Encoded<T> {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

impl<T: Message> core::fmt::Debug for Encoded<T> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "Encoded({:?}, {} bytes)", T::KIND, self.bytes.len())
    }
}

impl<T: Message> Encoded<T> {
    /// A copy of a received message, once it is known to be well-formed.
    ///
    /// # Errors
    /// [`WireError`], naming what is wrong with the bytes.
    pub fn copy(message: &[u8]) -> Result<Self, WireError> {
        Self::of(&Unverified::parse(message)?)
    }

    /// A copy of a message that was read.
    pub(super) fn of(message: &Unverified<'_, T>) -> Result<Self, WireError> {
        let mut bytes = empty();
        bytes.try_extend_from_slice(message.as_bytes()).map_err(|_| WireError::TooLong)?;
        Ok(Self { bytes, kind: PhantomData })
    }
}

impl<T> Serialize for Encoded<T> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        Carried(&self.bytes).serialize(serializer)
    }
}

/// Room for one message.
struct One(ArrayVec<u8, MAX_MESSAGE>);

impl Default for One {
    fn default() -> Self {
        Self(empty())
    }
}

impl Room for One {
    fn put(&mut self, bytes: &[u8]) -> Option<()> {
        self.0.try_extend_from_slice(bytes).ok()
    }
}

impl<'de, T: Message> serde::Deserialize<'de> for Encoded<T> {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let One(bytes) = form::read_carried(deserializer)?;
        Self::copy(&bytes).map_err(serde::de::Error::custom)
    }
}

/// No bytes yet, and none of what stood there before: a message is often kept beside a secret, and its
/// unused room would carry along whatever the stack held, a secret that was moved included.
pub(crate) fn empty<const N: usize>() -> ArrayVec<u8, N> {
    let mut bytes = ArrayVec::from([0; N]);
    bytes.clear();
    bytes
}

/// A copy whose unused room holds nothing either, which the one that `ArrayVec` makes does not see to.
pub(crate) fn copied<const N: usize>(bytes: &ArrayVec<u8, N>) -> ArrayVec<u8, N> {
    let mut copy = empty();
    // There is room: it is of the same size.
    let _ = copy.try_extend_from_slice(bytes);
    copy
}

/// Leaves no bytes, and none of those that stood there; behind what is written, nothing stands.
pub(crate) fn erase<const N: usize>(bytes: &mut ArrayVec<u8, N>) {
    if !bytes.is_empty() {
        let _ = room(bytes);
        bytes.clear();
    }
}

/// All the room that there is, with nothing in it.
fn room<const N: usize>(bytes: &mut ArrayVec<u8, N>) -> &mut [u8] {
    *bytes = ArrayVec::from([0; N]);
    bytes
}

/// The bytes of a value as it stands on the wire: for tools and tests. Who takes part in the protocol gets whole
/// messages from the roles.
///
/// # Errors
/// [`SealError::TooLong`] for one that takes more than [`MAX_MESSAGE`], which none of this crate's does.
pub fn encode<T: Layout>(value: &T) -> Result<ArrayVec<u8, MAX_MESSAGE>, SealError> {
    let mut bytes = empty();
    write(&mut bytes, &[], value)?;
    Ok(bytes)
}

/// Writes a value behind what has to stand before it, in the place of what is there.
pub(crate) fn write<const N: usize>(
    bytes: &mut ArrayVec<u8, N>,
    before: &[u8],
    value: &impl Layout,
) -> Result<(), SealError> {
    let mut writer = Writer::new(room(bytes));
    writer.put(before);
    //= spec/protocol.md#encoding
    //# MSG-4. An encoder MUST use the one encoding given here.
    value.write(&mut writer);
    let written = writer.end();
    match written {
        Ok(length) => bytes.truncate(length),
        Err(_) => erase(bytes),
    }
    written.map(|_| ())
}

fn extend<const N: usize>(bytes: &mut ArrayVec<u8, N>, more: &[u8]) -> Result<(), SealError> {
    bytes.try_extend_from_slice(more).map_err(|_| SealError::TooLong)
}

/// Makes and signs a message.
pub(crate) fn seal<C: Sign, T: Message<Auth = Signature>>(
    crypto: &C,
    signer: &Signer<C>,
    body: &T,
) -> Result<Encoded<T>, SealError> {
    let mut bytes = empty();
    seal_into(crypto, signer, body, &mut bytes)?;
    Ok(Encoded { bytes, kind: PhantomData })
}

/// The same, where it stays.
pub(crate) fn seal_into<C: Sign, T: Message<Auth = Signature>>(
    crypto: &C,
    signer: &Signer<C>,
    body: &T,
    into: &mut Bytes,
) -> Result<(), SealError> {
    write(into, &T::KIND.header(), body)?;
    sign(crypto, signer, into)
}

#[inline(never)]
fn sign<C: Sign>(crypto: &C, signer: &Signer<C>, message: &mut Bytes) -> Result<(), SealError> {
    //= spec/protocol.md#frame
    //# MSG-1. The authenticator MUST cover exactly the bytes before it, header included.
    let signature = signer.sign(crypto, message)?;
    extend(message, signature.as_bytes())
}

/// The message that somebody else signed, from its body and that signature.
#[cfg(feature = "alloc")]
pub(crate) fn resealed<T: Message<Auth = Signature>>(body: &T, signature: &Signature) -> Result<Encoded<T>, SealError> {
    let mut bytes = empty();
    write(&mut bytes, &T::KIND.header(), body)?;
    extend(&mut bytes, signature.as_bytes())?;
    Ok(Encoded { bytes, kind: PhantomData })
}

/// Makes a message under a MAC; gives its tag too.
pub(crate) fn seal_mac<T: Message<Auth = Tag>>(
    crypto: &impl Mac,
    key: &[u8],
    body: &T,
) -> Result<(Encoded<T>, Tag), SealError> {
    let mut bytes = empty();
    let tag = seal_mac_into(crypto, key, body, &mut bytes)?;
    Ok((Encoded { bytes, kind: PhantomData }, tag))
}

/// The same, where it stays.
pub(crate) fn seal_mac_into<T: Message<Auth = Tag>>(
    crypto: &impl Mac,
    key: &[u8],
    body: &T,
    into: &mut Bytes,
) -> Result<Tag, SealError> {
    write(into, &T::KIND.header(), body)?;
    //= spec/protocol.md#frame
    //# MSG-1. The authenticator MUST cover exactly the bytes before it, header included.
    let tag = crypto::tag(crypto, key, &[into]);
    extend(into, tag.as_bytes())?;
    Ok(tag)
}

/// Makes a message without an authenticator, where it stays.
pub(crate) fn bare_into<T: Message<Auth = Bare>>(body: &T, into: &mut Bytes) -> Result<(), SealError> {
    write(into, &T::KIND.header(), body)
}
