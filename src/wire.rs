//! The frame of every message: `header(4) ‖ body ‖ authenticator` (spec: "Messages").
//!
//! Decoding is exact and gives an [`Unverified`] view that borrows the bytes; only checking its
//! authenticator gives a [`Verified`] one. Making a message gives [`Encoded`] bytes.

use crate::crypto::{self, Digest, Hash, Mac, Pinned, PublicKey, Signature, Tag, Verify};
use crate::error::{MacMismatch, SignatureError, WireError};
pub use crate::kind::Kind;

mod encoded;
mod kept;
mod layout;
mod tables;
mod values;

#[cfg(feature = "alloc")]
pub(crate) use self::encoded::resealed;
pub(crate) use self::encoded::{
    Bytes, bare_into, copied, empty, erase, seal, seal_into, seal_mac, seal_mac_into, write,
};
pub use self::encoded::{Encoded, encode};
pub(crate) use self::kept::Kept;
pub use self::layout::{Field, Layout, Reader, Shape, Variant, Writer};
pub(crate) use self::tables::{fields, least, message, most, tagged};
pub(crate) use self::values::{plain, value};

/// The version of the wire format that this library speaks.
pub const VERSION: u8 = 1;

/// The length of the header: `SK`, version, kind.
pub const HEADER_LEN: usize = 4;

/// Room for any one message but a [`Bundle`](crate::message::Bundle), which carries four and has its
/// own [`MAX_LEN`](crate::message::Bundle::MAX_LEN).
pub const MAX_MESSAGE: usize = crate::crypto::MAX_SIGNED;

const MAGIC: [u8; 2] = *b"SK";

/// Checks magic and version; gives the kind byte and what follows the header.
fn split_header(bytes: &[u8]) -> Result<(u8, &[u8]), WireError> {
    let Some((&[s, k, version, kind], rest)) = bytes.split_first_chunk::<HEADER_LEN>() else {
        //= spec/protocol.md#encoding
        //# MSG-9. A decoder MUST refuse a message that is shorter than its header, its fields and its authenticator.
        return Err(WireError::Truncated);
    };
    //= spec/protocol.md#encoding
    //# MSG-11. A decoder MUST refuse a message that does not begin with `"SK"`.
    if [s, k] != MAGIC {
        return Err(WireError::Magic);
    }
    //= spec/protocol.md#encoding
    //# MSG-12. A decoder MUST refuse a message of a version that it does not speak.
    if version != VERSION {
        return Err(WireError::Version { found: version });
    }
    Ok((kind, rest))
}

impl Kind {
    /// The kind of a message, read off its header, for dispatching it.
    ///
    /// # Errors
    /// [`WireError::Truncated`], [`WireError::Magic`], [`WireError::Version`], or
    /// [`WireError::Value`] for a kind byte that this version does not define.
    pub fn of(message: &[u8]) -> Result<Self, WireError> {
        let (byte, _) = split_header(message)?;
        //= spec/protocol.md#versioning
        //# VER-4. A version 1 party MUST refuse the kinds 32 and 33.
        Self::ALL.into_iter().find(|kind| kind.byte() == byte).ok_or(WireError::Value)
    }

    /// The header of a message of this kind.
    #[must_use]
    pub const fn header(self) -> [u8; HEADER_LEN] {
        let [s, k] = MAGIC;
        [s, k, VERSION, self.byte()]
    }
}

/// Checks the whole header; gives what follows it.
pub(crate) fn expect_header(bytes: &[u8], expected: Kind) -> Result<&[u8], WireError> {
    let (found, rest) = split_header(bytes)?;
    //= spec/protocol.md#encoding
    //# MSG-13. A decoder MUST refuse a message of another kind than the one expected.
    if found == expected.byte() { Ok(rest) } else { Err(WireError::Kind { expected, found }) }
}

/// Divides a message, whatever its kind: checks header and lengths, and gives what its fields stand in.
#[inline(never)]
fn open(bytes: &[u8], kind: Kind, longest: usize, authenticator: usize) -> Result<&[u8], WireError> {
    let rest = expect_header(bytes, kind)?;
    //= spec/protocol.md#encoding
    //# MSG-10. A decoder MUST refuse a message longer than MAX_LEN of its kind.
    if bytes.len() > longest {
        return Err(WireError::TooLong);
    }
    //= spec/protocol.md#encoding
    //# MSG-9. A decoder MUST refuse a message that is shorter than its header, its fields and its authenticator.
    let end = rest.len().checked_sub(authenticator).ok_or(WireError::Truncated)?;
    rest.get(..end).ok_or(WireError::Truncated)
}

/// Decodes a body exactly: nothing may follow.
pub(crate) fn decode_exact<T: Layout>(body: &[u8]) -> Result<T, WireError> {
    let mut reader = Reader::new(body);
    let value = T::read(&mut reader)?;
    //= spec/protocol.md#encoding
    //# MSG-8. A decoder MUST refuse a message whose fields end before its authenticator begins.
    if reader.is_empty() { Ok(value) } else { Err(WireError::Trailing) }
}

mod sealed {
    pub trait Sealed {}
    impl Sealed for crate::crypto::Signature {}
    impl Sealed for crate::crypto::Tag {}
    impl Sealed for super::Bare {}
}

/// What ends a message: a [`Signature`], a [`Tag`], or nothing ([`Bare`]). It covers exactly the
/// bytes before it, header included.
pub trait Authenticator: sealed::Sealed + Copy {
    /// Length in bytes.
    const LEN: usize;
}

/// No authenticator.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Bare;

impl Authenticator for Signature {
    const LEN: usize = 64;
}

impl Authenticator for Tag {
    const LEN: usize = 16;
}

impl Authenticator for Bare {
    const LEN: usize = 0;
}

/// The body of a message of one kind.
pub trait Message: Layout {
    /// The kind byte.
    const KIND: Kind;
    /// What ends it.
    type Auth: Authenticator;
    /// The length of the shortest message of this kind, header and authenticator included.
    const MIN_LEN: usize = HEADER_LEN + Self::SHORTEST + Self::Auth::LEN;
    /// The length of the longest message of this kind, header and authenticator included.
    const MAX_LEN: usize = HEADER_LEN + Self::LONGEST + Self::Auth::LEN;
}

/// A well-formed message whose authenticator was not checked. Nothing in it can be relied on.
#[derive(Clone, Copy, Debug)]
pub struct Unverified<'a, T: Message> {
    bytes: &'a [u8],
    body: T,
}

impl<'a, T: Message> Unverified<'a, T> {
    /// Decodes a message exactly. At most [`Message::MAX_LEN`] bytes are looked at.
    ///
    /// # Errors
    /// [`WireError`], naming what is wrong with the bytes.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, WireError> {
        Ok(Self { bytes, body: decode_exact(open(bytes, T::KIND, T::MAX_LEN, T::Auth::LEN)?)? })
    }

    /// What the message claims. Use it to find the key to check it with, for nothing else.
    #[must_use]
    pub const fn claims(&self) -> &T {
        &self.body
    }

    /// All bytes of the message.
    #[must_use]
    pub const fn as_bytes(&self) -> &'a [u8] {
        self.bytes
    }

    /// The digest of all bytes of the message.
    #[must_use]
    pub fn digest(&self, crypto: &impl Hash) -> Digest {
        digest(crypto, self.bytes)
    }

    //= spec/protocol.md#frame
    //# MSG-3. A reader MUST NOT rely on any field of a message whose authenticator it did not check, except to find the key to check it with.
    fn verified(self) -> Verified<'a, T> {
        Verified { bytes: self.bytes, body: self.body }
    }

    //= spec/protocol.md#frame
    //# MSG-3. A reader MUST NOT rely on any field of a message whose authenticator it did not check, except to find the key to check it with.
    const fn verified_here(&self) -> Verified<'a, &T> {
        Verified { bytes: self.bytes, body: &self.body }
    }
}

impl<'a, T: Message<Auth = Signature>> Unverified<'a, T> {
    /// The message's own signature, for who answers it to hand on.
    #[cfg(feature = "alloc")]
    pub(crate) fn signature(&self) -> Signature {
        // What was parsed ends with one.
        Signature::from_bytes(self.bytes.last_chunk().copied().unwrap_or([0; 64]))
    }

    /// Checks the signature strictly under `key`.
    ///
    /// # Errors
    /// [`SignatureError`], naming the check that failed.
    pub fn verify(self, crypto: &impl Verify, key: &PublicKey) -> Result<Verified<'a, T>, SignatureError> {
        self.check(crypto, key)?;
        Ok(self.verified())
    }

    /// [`verify`](Self::verify) under a key that was made ready before.
    ///
    /// # Errors
    /// [`SignatureError`], naming the check that failed.
    pub fn verify_pinned<V: Verify>(self, crypto: &V, key: &Pinned<V>) -> Result<Verified<'a, T>, SignatureError> {
        self.check_pinned(crypto, key)?;
        Ok(self.verified())
    }

    /// [`verify`](Self::verify), and the body stays where it was decoded.
    pub(crate) fn check(&self, crypto: &impl Verify, key: &PublicKey) -> Result<Verified<'a, &T>, SignatureError> {
        check_signature(self.bytes, |covered, signature| crypto::verify(crypto, key, covered, signature))?;
        Ok(self.verified_here())
    }

    /// [`verify_pinned`](Self::verify_pinned), and the body stays where it was decoded.
    pub(crate) fn check_pinned<V: Verify>(
        &self,
        crypto: &V,
        key: &Pinned<V>,
    ) -> Result<Verified<'a, &T>, SignatureError> {
        check_signature(self.bytes, |covered, signature| key.verify(crypto, covered, signature))?;
        Ok(self.verified_here())
    }
}

impl<'a, T: Message<Auth = Tag>> Unverified<'a, T> {
    /// Checks the MAC under `key`, in constant time.
    ///
    /// # Errors
    /// [`MacMismatch`].
    pub fn verify_mac(self, crypto: &impl Mac, key: &[u8]) -> Result<Verified<'a, T>, MacMismatch> {
        self.verify_mac_tag(crypto, key).map(|(message, _)| message)
    }

    /// [`verify_mac`](Self::verify_mac); gives the MAC too, for naming the message in an answer.
    pub(crate) fn verify_mac_tag(self, crypto: &impl Mac, key: &[u8]) -> Result<(Verified<'a, T>, Tag), MacMismatch> {
        let tag = check_tag(crypto, key, self.bytes)?;
        Ok((self.verified(), tag))
    }
}

/// A message divided where its signature begins, to be checked.
#[inline]
fn check_signature(
    bytes: &[u8],
    check: impl FnOnce(&[&[u8]], &Signature) -> Result<(), SignatureError>,
) -> Result<(), SignatureError> {
    //= spec/protocol.md#frame
    //# MSG-1. The authenticator MUST cover exactly the bytes before it, header included.
    let (covered, signature) = bytes.split_last_chunk().ok_or(SignatureError::Mismatch)?;
    //= spec/protocol.md#frame
    //# MSG-20. A signature MUST be made, and checked, over `"sharekey v1 signature"` ‖ 00 ‖ the bytes that it covers.
    check(&[crypto::SIGNATURE_CONTEXT, covered], &Signature::from_bytes(*signature))
}

#[inline(never)]
fn check_tag(crypto: &impl Mac, key: &[u8], bytes: &[u8]) -> Result<Tag, MacMismatch> {
    //= spec/protocol.md#frame
    //# MSG-1. The authenticator MUST cover exactly the bytes before it, header included.
    let (covered, tag) = bytes.split_last_chunk().ok_or(MacMismatch)?;
    let tag = Tag::from_bytes(*tag);
    if crypto::tag(crypto, key, &[covered]) == tag { Ok(tag) } else { Err(MacMismatch) }
}

/// A message whose authenticator held. Dereferences to its body.
#[derive(Clone, Copy, Debug)]
pub struct Verified<'a, T> {
    bytes: &'a [u8],
    body: T,
}

impl<'a, T> Verified<'a, T> {
    /// All bytes of the message, to keep as evidence.
    #[must_use]
    pub const fn as_bytes(&self) -> &'a [u8] {
        self.bytes
    }

    /// The digest of all bytes of the message.
    #[must_use]
    pub fn digest(&self, crypto: &impl Hash) -> Digest {
        digest(crypto, self.bytes)
    }
}

impl<T> core::ops::Deref for Verified<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.body
    }
}

/// SHA-256 over all bytes of a message.
pub(crate) fn digest(crypto: &impl Hash, message: &[u8]) -> Digest {
    Digest::from_bytes(crypto.sha256(&[message]))
}
