//! The frame of every message: `header(4) ‖ body ‖ authenticator` (spec: "Messages").
//!
//! Decoding is exact and gives an [`Unverified`] view that borrows the bytes; only checking its
//! authenticator gives a [`Verified`] one. Making a message gives [`Encoded`] bytes.

use core::marker::PhantomData;

use arrayvec::ArrayVec;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::crypto::{self, Digest, Hash, Mac, PublicKey, Sign, Signature, Signer, Tag, Verify};
use crate::error::{MacMismatch, SealError, SignatureError, WireError};

/// The version of the wire format that this library speaks.
pub const VERSION: u8 = 1;

/// The length of the header: `SK`, version, kind.
pub const HEADER_LEN: usize = 4;

/// Room for any one message (a [`Bundle`](crate::message::Bundle) carries four).
pub const MAX_MESSAGE: usize = 256;

const MAGIC: [u8; 2] = *b"SK";

/// What a message is: the fourth byte of its header.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[non_exhaustive]
pub enum Kind {
    /// [`Grant`](crate::message::Grant)
    Grant,
    /// [`Withdraw`](crate::message::Withdraw)
    Withdraw,
    /// [`Withdrawn`](crate::message::Withdrawn)
    Withdrawn,
    /// [`Claim`](crate::message::Claim)
    Claim,
    /// [`Challenge`](crate::message::Challenge)
    Challenge,
    /// [`Install`](crate::message::Install)
    Install,
    /// [`Release`](crate::message::Release)
    Release,
    /// [`Receipt`](crate::message::Receipt)
    Receipt,
    /// [`Bundle`](crate::message::Bundle)
    Bundle,
    /// [`Unlock`](crate::message::Unlock)
    Unlock,
    /// [`Reply`](crate::message::Reply)
    Reply,
    /// [`Command`](crate::message::Command)
    Command,
    /// [`Done`](crate::message::Done)
    Done,
    /// [`Refused`](crate::message::Refused)
    Refused,
    /// [`Provision`](crate::message::Provision)
    Provision,
    /// [`Provisioned`](crate::message::Provisioned)
    Provisioned,
    /// [`FactoryReset`](crate::message::FactoryReset)
    FactoryReset,
}

impl Kind {
    /// Every kind that this version defines. 32 and 33 are reserved for the audit log.
    pub const ALL: [Self; 17] = [
        Self::Grant,
        Self::Withdraw,
        Self::Withdrawn,
        Self::Claim,
        Self::Challenge,
        Self::Install,
        Self::Release,
        Self::Receipt,
        Self::Bundle,
        Self::Unlock,
        Self::Reply,
        Self::Command,
        Self::Done,
        Self::Refused,
        Self::Provision,
        Self::Provisioned,
        Self::FactoryReset,
    ];

    /// The kind's byte on the wire.
    #[must_use]
    pub const fn byte(self) -> u8 {
        match self {
            Self::Grant => 1,
            Self::Withdraw => 2,
            Self::Withdrawn => 3,
            Self::Claim => 4,
            Self::Challenge => 5,
            Self::Install => 6,
            Self::Release => 7,
            Self::Receipt => 8,
            Self::Bundle => 9,
            Self::Unlock => 10,
            Self::Reply => 11,
            Self::Command => 12,
            Self::Done => 13,
            Self::Refused => 14,
            Self::Provision => 15,
            Self::Provisioned => 16,
            Self::FactoryReset => 17,
        }
    }

    /// The kind of a message, read off its header, for dispatching it.
    ///
    /// # Errors
    /// [`WireError::Truncated`], [`WireError::Magic`], [`WireError::Version`], or
    /// [`WireError::Value`] for a kind byte that this version does not define.
    pub fn of(message: &[u8]) -> Result<Self, WireError> {
        let (byte, _) = split_header(message)?;
        Self::ALL.into_iter().find(|kind| kind.byte() == byte).ok_or(WireError::Value)
    }

    /// The header of a message of this kind.
    #[must_use]
    pub const fn header(self) -> [u8; HEADER_LEN] {
        let [s, k] = MAGIC;
        [s, k, VERSION, self.byte()]
    }
}

/// Checks magic and version; gives the kind byte and what follows the header.
fn split_header(bytes: &[u8]) -> Result<(u8, &[u8]), WireError> {
    let Some((&[s, k, version, kind], rest)) = bytes.split_first_chunk::<HEADER_LEN>() else {
        return Err(WireError::Truncated);
    };
    if [s, k] != MAGIC {
        return Err(WireError::Magic);
    }
    if version != VERSION {
        return Err(WireError::Version(version));
    }
    Ok((kind, rest))
}

/// Checks the whole header; gives what follows it.
pub(crate) fn expect_header(bytes: &[u8], expected: Kind) -> Result<&[u8], WireError> {
    let (found, rest) = split_header(bytes)?;
    if found == expected.byte() { Ok(rest) } else { Err(WireError::Kind { expected, found }) }
}

/// Decodes a body exactly: nothing may follow.
pub(crate) fn decode_exact<T: DeserializeOwned>(body: &[u8]) -> Result<T, WireError> {
    let (value, rest) = postcard::take_from_bytes(body).map_err(|error| match error {
        postcard::Error::DeserializeUnexpectedEnd => WireError::Truncated,
        postcard::Error::DeserializeBadOption | postcard::Error::DeserializeBadBool => WireError::Option,
        _ => WireError::Value,
    })?;
    if rest.is_empty() { Ok(value) } else { Err(WireError::Trailing) }
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

    #[doc(hidden)]
    fn split(bytes: &[u8]) -> Option<(&[u8], Self)>;
}

/// No authenticator.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Bare;

impl Authenticator for Signature {
    const LEN: usize = 64;

    fn split(bytes: &[u8]) -> Option<(&[u8], Self)> {
        bytes.split_last_chunk().map(|(rest, last)| (rest, Self::from_bytes(*last)))
    }
}

impl Authenticator for Tag {
    const LEN: usize = 16;

    fn split(bytes: &[u8]) -> Option<(&[u8], Self)> {
        bytes.split_last_chunk().map(|(rest, last)| (rest, Self::from_bytes(*last)))
    }
}

impl Authenticator for Bare {
    const LEN: usize = 0;

    fn split(bytes: &[u8]) -> Option<(&[u8], Self)> {
        Some((bytes, Self))
    }
}

/// The body of a message of one kind.
pub trait Message: Serialize + DeserializeOwned {
    /// The kind byte.
    const KIND: Kind;
    /// The length of the longest message of this kind, header and authenticator included.
    const MAX_LEN: usize;
    /// What ends it.
    type Auth: Authenticator;
}

/// A well-formed message whose authenticator was not checked. Nothing in it can be relied on.
#[derive(Clone, Copy, Debug)]
pub struct Unverified<'a, T: Message> {
    bytes: &'a [u8],
    covered: &'a [u8],
    auth: T::Auth,
    body: T,
}

impl<'a, T: Message> Unverified<'a, T> {
    /// Decodes a message exactly. At most [`Message::MAX_LEN`] bytes are looked at.
    ///
    /// # Errors
    /// [`WireError`], naming what is wrong with the bytes.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, WireError> {
        let rest = expect_header(bytes, T::KIND)?;
        if bytes.len() > T::MAX_LEN {
            return Err(WireError::TooLong);
        }
        let (covered, auth) = T::Auth::split(bytes).ok_or(WireError::Truncated)?;
        let (body, _) = T::Auth::split(rest).ok_or(WireError::Truncated)?;
        Ok(Self { bytes, covered, auth, body: decode_exact(body)? })
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

    fn verified(self) -> Verified<'a, T> {
        Verified { bytes: self.bytes, body: self.body }
    }
}

impl<'a, T: Message<Auth = Signature>> Unverified<'a, T> {
    /// Checks the signature strictly under `key`.
    ///
    /// # Errors
    /// [`SignatureError`], naming the check that failed.
    pub fn verify(self, crypto: &impl Verify, key: &PublicKey) -> Result<Verified<'a, T>, SignatureError> {
        crypto::verify(crypto, key, self.covered, &self.auth)?;
        Ok(self.verified())
    }
}

impl<'a, T: Message<Auth = Tag>> Unverified<'a, T> {
    /// Checks the MAC under `key`, in constant time.
    ///
    /// # Errors
    /// [`MacMismatch`].
    pub fn verify_mac(self, crypto: &impl Mac, key: &[u8]) -> Result<Verified<'a, T>, MacMismatch> {
        if crypto::tag(crypto, key, &[self.covered]) == self.auth { Ok(self.verified()) } else { Err(MacMismatch) }
    }

    /// The message's own MAC, for naming it in an answer.
    pub(crate) const fn tag(&self) -> Tag {
        self.auth
    }
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

/// The bytes of a message of kind `T` that this library made. Dereferences to the bytes.
#[derive(Clone, PartialEq, Eq)]
pub struct Encoded<T> {
    bytes: ArrayVec<u8, MAX_MESSAGE>,
    kind: PhantomData<fn() -> T>,
}

impl<T> Encoded<T> {
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
        Unverified::<T>::parse(message)?;
        let bytes = ArrayVec::try_from(message).map_err(|_| WireError::TooLong)?;
        Ok(Self { bytes, kind: PhantomData })
    }
}

impl<T> Serialize for Encoded<T> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.bytes.as_slice().serialize(serializer)
    }
}

impl<'de, T: Message> serde::Deserialize<'de> for Encoded<T> {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Bytes;

        impl<'de> serde::de::Visitor<'de> for Bytes {
            type Value = ArrayVec<u8, MAX_MESSAGE>;

            fn expecting(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                f.write_str("the bytes of a message")
            }

            fn visit_seq<A: serde::de::SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
                let mut bytes = ArrayVec::new();
                while let Some(byte) = seq.next_element()? {
                    bytes.try_push(byte).map_err(|_| serde::de::Error::invalid_length(MAX_MESSAGE, &self))?;
                }
                Ok(bytes)
            }
        }

        let bytes = deserializer.deserialize_seq(Bytes)?;
        Self::copy(&bytes).map_err(serde::de::Error::custom)
    }
}

/// Header and body, ready for the authenticator.
fn encode<T: Message>(body: &T) -> Result<Encoded<T>, SealError> {
    let mut buffer = [0; MAX_MESSAGE];
    let encoded = postcard::to_slice(body, &mut buffer).map_err(|_| SealError::TooLong)?;
    let mut bytes = ArrayVec::from_iter(T::KIND.header());
    extend(&mut bytes, encoded)?;
    Ok(Encoded { bytes, kind: PhantomData })
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
    let mut message = encode(body)?;
    let signature = signer.sign(crypto, &message.bytes)?;
    extend(&mut message.bytes, signature.as_bytes())?;
    Ok(message)
}

/// Makes a message under a MAC; gives its tag too.
pub(crate) fn seal_mac<T: Message<Auth = Tag>>(
    crypto: &impl Mac,
    key: &[u8],
    body: &T,
) -> Result<(Encoded<T>, Tag), SealError> {
    let mut message = encode(body)?;
    let tag = crypto::tag(crypto, key, &[&message.bytes]);
    extend(&mut message.bytes, tag.as_bytes())?;
    Ok((message, tag))
}

/// Makes a message without an authenticator.
pub(crate) fn bare<T: Message<Auth = Bare>>(body: &T) -> Result<Encoded<T>, SealError> {
    encode(body)
}

/// Declares an enum whose variants stand on the wire as one checked byte, then their fields.
macro_rules! tagged {
    (
        $(#[$doc:meta])*
        $vis:vis enum $name:ident {
            $( $(#[$vdoc:meta])* $tag:literal = $variant:ident
               $( { $( $(#[$fdoc:meta])* $field:ident : $ty:ty ),* $(,)? } )? ),* $(,)?
        }
    ) => {
        $(#[$doc])*
        $vis enum $name {
            $( $(#[$vdoc])* $variant $( { $( $(#[$fdoc])* $field: $ty ),* } )? ),*
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                match self {
                    $( Self::$variant $( { $($field),* } )? => {
                        const TAG: u8 = $tag;
                        (TAG, ( $( $($field,)* )? )).serialize(serializer)
                    } )*
                }
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                struct Tagged;

                impl<'de> serde::de::Visitor<'de> for Tagged {
                    type Value = $name;

                    fn expecting(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                        f.write_str(concat!("a tag byte of ", stringify!($name), " and its fields"))
                    }

                    fn visit_seq<A: serde::de::SeqAccess<'de>>(self, mut seq: A) -> Result<$name, A::Error> {
                        use serde::de::Error;
                        let tag: u8 = seq.next_element()?.ok_or_else(|| A::Error::invalid_length(0, &self))?;
                        match tag {
                            $( $tag => {
                                #[allow(clippy::let_unit_value, reason = "a variant without fields")]
                                let ( $( $($field,)* )? ): ( $( $($ty,)* )? ) =
                                    seq.next_element()?.ok_or_else(|| A::Error::invalid_length(1, &self))?;
                                Ok($name::$variant $( { $($field),* } )?)
                            } )*
                            other => {
                                let found = serde::de::Unexpected::Unsigned(u64::from(other));
                                Err(A::Error::invalid_value(found, &self))
                            }
                        }
                    }
                }

                deserializer.deserialize_tuple(2, Tagged)
            }
        }
    };
}
pub(crate) use tagged;
