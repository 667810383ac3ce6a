//! How values stand on the wire: written, read exactly, and told to whoever shows or checks bytes.

use crate::error::{SealError, WireError};

/// What bytes on the wire are, for tools: a dump, a form, a table of offsets, a decoder of one's own.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Shape {
    /// So many bytes: a key, a digest, a nonce, a tag.
    Bytes(usize),
    /// A number of so many bytes, little-endian, without a sign.
    Number(usize),
    /// A number of two bytes, little-endian, with a sign.
    Signed,
    /// One byte that stands for a name.
    Named(&'static [(u8, &'static str)]),
    /// A byte 0, or a byte 1 and the value.
    Optional(&'static Self),
    /// Fields, one after the other.
    Fields(&'static [Field]),
    /// A byte that says which variant it is, and that one's fields.
    Tagged(&'static [Variant]),
}

/// One field: its name, and what it is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Field {
    /// As in the text, with `_` for a space.
    pub name: &'static str,
    /// What stands there.
    pub shape: Shape,
}

/// One variant of an enum.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Variant {
    /// The byte that stands for it.
    pub tag: u8,
    /// Its name.
    pub name: &'static str,
    /// What follows the byte.
    pub fields: &'static [Field],
}

/// A value that stands on the wire (spec: "Encoding").
pub trait Layout: Sized {
    /// The fewest bytes that it takes.
    const SHORTEST: usize;
    /// The most bytes that it takes.
    const LONGEST: usize;
    /// What those bytes are.
    const SHAPE: Shape;

    /// Writes it at the end of what is there.
    fn write(&self, to: &mut Writer<'_>);

    /// Reads one off the front.
    ///
    /// # Errors
    /// [`WireError::Truncated`], [`WireError::Option`], [`WireError::Value`].
    fn read(from: &mut Reader<'_>) -> Result<Self, WireError>;
}

/// Room for what is written. That there was not enough, it tells at the end.
#[derive(Debug)]
pub struct Writer<'a> {
    room: &'a mut [u8],
    len: usize,
    full: bool,
}

impl<'a> Writer<'a> {
    pub(crate) const fn new(room: &'a mut [u8]) -> Self {
        Self { room, len: 0, full: false }
    }

    pub(crate) fn put(&mut self, bytes: &[u8]) {
        match self.room.get_mut(self.len..).and_then(|room| room.get_mut(..bytes.len())) {
            Some(room) => {
                room.copy_from_slice(bytes);
                self.len = self.len.saturating_add(bytes.len());
            }
            None => self.full = true,
        }
    }

    /// The length of what was written.
    pub(crate) const fn end(self) -> Result<usize, SealError> {
        if self.full { Err(SealError::TooLong) } else { Ok(self.len) }
    }
}

/// What is left to read.
#[derive(Debug)]
pub struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    pub(crate) const fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    pub(crate) fn take<const N: usize>(&mut self) -> Result<[u8; N], WireError> {
        //= spec/protocol.md#encoding
        //# MSG-9. A decoder MUST refuse a message that is shorter than its header, its fields and its authenticator.
        let (taken, rest) = self.0.split_first_chunk().ok_or(WireError::Truncated)?;
        self.0 = rest;
        Ok(*taken)
    }

    pub(crate) fn byte(&mut self) -> Result<u8, WireError> {
        self.take().map(|[byte]| byte)
    }

    pub(crate) const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl<T: Layout> Layout for Option<T> {
    const SHORTEST: usize = 1;
    const LONGEST: usize = 1 + T::LONGEST;
    const SHAPE: Shape = Shape::Optional(&T::SHAPE);

    fn write(&self, to: &mut Writer<'_>) {
        to.put(&[u8::from(self.is_some())]);
        if let Some(value) = self {
            value.write(to);
        }
    }

    fn read(from: &mut Reader<'_>) -> Result<Self, WireError> {
        match from.byte()? {
            0 => Ok(None),
            1 => T::read(from).map(Some),
            //= spec/protocol.md#encoding
            //# MSG-5. A decoder MUST refuse an optional field whose first byte is neither 0 nor 1.
            _ => Err(WireError::Option),
        }
    }
}
