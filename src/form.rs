//! How values stand in a serde format that people read (JSON): numbers as numbers, keys, digests and names of byte
//! values as hexadecimal, messages as base64url, enumerations by name. In a format of bytes they are what they are on
//! the wire, whatever reads it.

use core::fmt;
use core::marker::PhantomData;

use base64ct::{Base64UrlUnpadded, Encoding};
use serde::de::{DeserializeOwned, Error as _, SeqAccess, Visitor};
use serde::ser::{Error as _, SerializeTuple};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use zeroize::Zeroizing;

/// An integer of a fixed width: little-endian where it is bytes.
pub(crate) mod number {
    use super::{Deserialize, DeserializeOwned, Deserializer, Serialize, Serializer};

    pub(crate) trait Number: Copy + Serialize + DeserializeOwned {
        type Bytes: Serialize + DeserializeOwned;
        fn to_bytes(self) -> Self::Bytes;
        fn from_bytes(bytes: Self::Bytes) -> Self;
    }

    macro_rules! numbers {
        ($($number:ident),*) => {$(
            impl Number for $number {
                type Bytes = [u8; size_of::<Self>()];

                fn to_bytes(self) -> Self::Bytes {
                    self.to_le_bytes()
                }

                fn from_bytes(bytes: Self::Bytes) -> Self {
                    Self::from_le_bytes(bytes)
                }
            }
        )*};
    }

    numbers!(u16, i16, u32, u64);

    pub(crate) fn serialize<S: Serializer, T: Number>(number: &T, serializer: S) -> Result<S::Ok, S::Error> {
        if serializer.is_human_readable() {
            number.serialize(serializer)
        } else {
            number.to_bytes().serialize(serializer)
        }
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>, T: Number>(deserializer: D) -> Result<T, D::Error> {
        if deserializer.is_human_readable() {
            T::deserialize(deserializer)
        } else {
            T::Bytes::deserialize(deserializer).map(T::from_bytes)
        }
    }
}

/// The most bytes of a value that is shown in hexadecimal.
const MOST: usize = 64;

/// Bytes as they are, or in hexadecimal. Also a secret's: no copy stays, and no branch is taken by what they are.
pub(crate) fn write_hex<S: Serializer, const N: usize>(bytes: &[u8; N], serializer: S) -> Result<S::Ok, S::Error> {
    if serializer.is_human_readable() {
        let mut text = Zeroizing::new([0; 2 * MOST]);
        let text = base16ct::lower::encode_str(bytes, text.as_mut()).map_err(S::Error::custom)?;
        return serializer.serialize_str(text);
    }
    let mut tuple = serializer.serialize_tuple(N)?;
    for byte in bytes {
        tuple.serialize_element(byte)?;
    }
    tuple.end()
}

/// Reads into where the bytes stay, so that a secret is nowhere else.
pub(crate) fn read_hex<'de, D: Deserializer<'de>, const N: usize>(
    deserializer: D,
    bytes: &mut [u8; N],
) -> Result<(), D::Error> {
    struct Into<'b, const N: usize>(&'b mut [u8; N]);

    impl<'de, const N: usize> Visitor<'de> for Into<'_, N> {
        type Value = ();

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            write!(f, "{N} bytes, as text in hexadecimal")
        }

        fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<(), E> {
            from_hex(text, self.0).ok_or_else(|| E::custom("not as many bytes in hexadecimal as expected"))
        }

        fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<(), A::Error> {
            for (at, byte) in self.0.iter_mut().enumerate() {
                *byte = seq.next_element()?.ok_or_else(|| A::Error::custom(format_args!("{at} bytes of {N}")))?;
            }
            Ok(())
        }
    }

    if deserializer.is_human_readable() {
        deserializer.deserialize_str(Into(bytes))
    } else {
        deserializer.deserialize_tuple(N, Into(bytes))
    }
}

/// Exactly these many bytes in hexadecimal, of either case.
pub(crate) fn from_hex<const N: usize>(text: &str, bytes: &mut [u8; N]) -> Option<()> {
    base16ct::mixed::decode(text, bytes).is_ok_and(|found| found.len() == N).then_some(())
}

/// A message: its bytes, or base64url without padding.
pub(crate) struct Carried<'m>(pub(crate) &'m [u8]);

impl fmt::Display for Carried<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Of three bytes come four characters, so that pieces of whole threes stand side by side.
        self.0.chunks(48).try_for_each(|piece| {
            let mut text = [0; 64];
            f.write_str(Base64UrlUnpadded::encode(piece, &mut text).map_err(|_| fmt::Error)?)
        })
    }
}

impl Serialize for Carried<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if serializer.is_human_readable() { serializer.collect_str(self) } else { self.0.serialize(serializer) }
    }
}

/// What the bytes of a message are read into.
pub(crate) trait Room: Default {
    /// One more; `None` where there is no room.
    fn put(&mut self, bytes: &[u8]) -> Option<()>;
}

/// Reads what [`Carried`] wrote.
pub(crate) fn read_carried<'de, D: Deserializer<'de>, R: Room>(deserializer: D) -> Result<R, D::Error> {
    struct Message<R>(PhantomData<R>);

    impl<'de, R: Room> Visitor<'de> for Message<R> {
        type Value = R;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("the bytes of a message, as text in base64url")
        }

        fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<R, E> {
            let mut room = R::default();
            text.as_bytes()
                .chunks(64)
                .try_for_each(|piece| {
                    let mut bytes = [0; 48];
                    room.put(Base64UrlUnpadded::decode(piece, &mut bytes).ok()?)
                })
                .ok_or_else(|| E::custom("no message in base64url"))?;
            Ok(room)
        }

        fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<R, A::Error> {
            let mut room = R::default();
            while let Some(byte) = seq.next_element()? {
                room.put(&[byte]).ok_or_else(|| A::Error::custom("longer than any message"))?;
            }
            Ok(room)
        }
    }

    if deserializer.is_human_readable() {
        deserializer.deserialize_str(Message(PhantomData))
    } else {
        deserializer.deserialize_seq(Message(PhantomData))
    }
}

/// For fields that hold messages.
#[cfg(feature = "alloc")]
pub(crate) mod messages {
    use alloc::vec::Vec;

    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    use super::{Carried, Room, read_carried};

    impl Room for Vec<u8> {
        fn put(&mut self, bytes: &[u8]) -> Option<()> {
            self.extend_from_slice(bytes);
            Some(())
        }
    }

    struct Message(Vec<u8>);

    impl<'de> Deserialize<'de> for Message {
        fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
            read_carried(deserializer).map(Self)
        }
    }

    /// One message.
    pub(crate) mod one {
        use super::{Carried, Deserializer, Serialize, Serializer, Vec, read_carried};

        pub(crate) fn serialize<S: Serializer>(bytes: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
            Carried(bytes).serialize(serializer)
        }

        pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<u8>, D::Error> {
            read_carried(deserializer)
        }
    }

    /// One, or none.
    pub(crate) mod maybe {
        use super::{Carried, Deserialize, Deserializer, Message, Serialize, Serializer, Vec};

        pub(crate) fn serialize<S: Serializer, B: AsRef<[u8]>>(
            bytes: &Option<B>,
            serializer: S,
        ) -> Result<S::Ok, S::Error> {
            bytes.as_ref().map(|bytes| Carried(bytes.as_ref())).serialize(serializer)
        }

        pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Vec<u8>>, D::Error> {
            Ok(Option::<Message>::deserialize(deserializer)?.map(|Message(bytes)| bytes))
        }
    }
}

/// An enumeration that is one byte, and its name where people read it. Its own derive, for names, is to be
/// `#[serde(remote = "Self")]`.
macro_rules! byte_or_name {
    ($name:ident) => {
        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                if serializer.is_human_readable() {
                    Self::serialize(self, serializer)
                } else {
                    u8::from(*self).serialize(serializer)
                }
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                if deserializer.is_human_readable() {
                    Self::deserialize(deserializer)
                } else {
                    <u8 as serde::Deserialize>::deserialize(deserializer)?.try_into().map_err(serde::de::Error::custom)
                }
            }
        }
    };
}
pub(crate) use byte_or_name;
