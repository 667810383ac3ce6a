//! The layout of the values that messages are made of.

use zeroize::Zeroizing;

use super::layout::{Field, Layout, Reader, Shape, Writer};
use crate::counter::{Counter, Epoch, Generation, Term};
use crate::crypto::{AgreementKey, Digest, Nonce, PublicKey, Signature, Tag};
use crate::error::{RefuseReason, WireError};
use crate::id::{LockId, SlotCount, SlotId};
use crate::limits::{Action, Limits, OffsetChange, Rights, Schedule, Timestamp, UtcOffset, Weekdays};
use crate::secret::{PairingKey, Seed};

/// Each as: its shape, its bytes, and what is made of them.
macro_rules! plain {
    ($($name:ty: $shape:expr, $len:expr, |$value:ident| $bytes:expr, |$read:ident| $made:expr;)*) => {$(
        impl $crate::wire::Layout for $name {
            const SHORTEST: usize = $len;
            const LONGEST: usize = $len;
            const SHAPE: $crate::wire::Shape = $shape;

            fn write(&self, to: &mut $crate::wire::Writer<'_>) {
                let $value = *self;
                to.put(&$bytes);
            }

            fn read(from: &mut $crate::wire::Reader<'_>) -> Result<Self, $crate::error::WireError> {
                let $read = from.take::<{ $len }>()?;
                $made
            }
        }
    )*};
}

pub(crate) use plain;

const ACTIONS: &[(u8, &str)] = &[(1, "Open"), (2, "Lock")];

//= spec/protocol.md#encoding
//# MSG-6. A decoder MUST refuse a tag byte, an enumeration byte or a flag bit that version 1 does not define.
//= spec/protocol.md#encoding
//# MSG-7. A decoder MUST refuse a number outside the range given for its field.
plain! {
    PublicKey: Shape::Bytes(32), 32, |key| *key.as_bytes(), |bytes| Ok(Self::from_bytes(bytes));
    AgreementKey: Shape::Bytes(32), 32, |key| *key.as_bytes(), |bytes| Ok(Self::from_bytes(bytes));
    Digest: Shape::Bytes(32), 32, |digest| *digest.as_bytes(), |bytes| Ok(Self::from_bytes(bytes));
    Nonce: Shape::Bytes(16), 16, |nonce| *nonce.as_bytes(), |bytes| Ok(Self::from_bytes(bytes));
    Signature: Shape::Bytes(64), 64, |signature| *signature.as_bytes(), |bytes| Ok(Self::from_bytes(bytes));
    Tag: Shape::Bytes(16), 16, |tag| *tag.as_bytes(), |bytes| Ok(Self::from_bytes(bytes));
    LockId: Shape::Bytes(32), 32, |lock| *lock.key().as_bytes(), |bytes| Ok(Self::new(PublicKey::from_bytes(bytes)));
    SlotId: Shape::Number(1), 1, |slot| [slot.index()], |bytes| Ok(Self::new(u8::from_le_bytes(bytes)));
    SlotCount: Shape::Number(1), 1, |count| [count.value()], |bytes| value(bytes);
    Epoch: Shape::Number(4), 4, |epoch| epoch.value().to_le_bytes(), |bytes| Ok(Self::new(u32::from_le_bytes(bytes)));
    Term: Shape::Number(4), 4, |term| term.value().to_le_bytes(), |bytes| Ok(Self::new(u32::from_le_bytes(bytes)));
    Generation: Shape::Number(4), 4, |number| number.value().to_le_bytes(), |bytes| Ok(Self::new(u32::from_le_bytes(bytes)));
    Timestamp: Shape::Number(8), 8, |time| time.unix_seconds().to_le_bytes(),
        |bytes| Ok(Self::from_unix_seconds(u64::from_le_bytes(bytes)));
    Counter: Shape::Number(8), 8, |number| number.value().to_le_bytes(), |bytes| Ok(Self::new(u64::from_le_bytes(bytes)));
    u16: Shape::Number(2), 2, |number| number.to_le_bytes(), |bytes| Ok(Self::from_le_bytes(bytes));
    u32: Shape::Number(4), 4, |number| number.to_le_bytes(), |bytes| Ok(Self::from_le_bytes(bytes));
    u64: Shape::Number(8), 8, |number| number.to_le_bytes(), |bytes| Ok(Self::from_le_bytes(bytes));
    UtcOffset: Shape::Signed, 2, |offset| offset.minutes().to_le_bytes(),
        |bytes| Self::from_minutes(i16::from_le_bytes(bytes)).map_err(|_| WireError::Value);
    Rights: Shape::Number(1), 1, |rights| [u8::from(rights)], |bytes| value(bytes);
    Weekdays: Shape::Number(1), 1, |days| [u8::from(days)], |bytes| value(bytes);
    Action: Shape::Named(ACTIONS), 1, |action| [u8::from(action)], |bytes| value(bytes);
    RefuseReason: Shape::Named(Self::NAMES), 1, |reason| [u8::from(reason)], |bytes| value(bytes);
}

impl Layout for bool {
    const SHORTEST: usize = 1;
    const LONGEST: usize = 1;
    const SHAPE: Shape = Shape::Named(&[(0, "false"), (1, "true")]);

    fn write(&self, to: &mut Writer<'_>) {
        to.put(&[u8::from(*self)]);
    }

    fn read(from: &mut Reader<'_>) -> Result<Self, WireError> {
        match from.byte()? {
            0 => Ok(false),
            1 => Ok(true),
            _ => Err(WireError::Value),
        }
    }
}

/// Secrets, which stand in the lock's own records alone.
macro_rules! secret {
    ($($name:ident)*) => {$(
        impl Layout for $name {
            const SHORTEST: usize = 32;
            const LONGEST: usize = 32;
            const SHAPE: Shape = Shape::Bytes(32);

            fn write(&self, to: &mut Writer<'_>) {
                to.put(self.expose());
            }

            fn read(from: &mut Reader<'_>) -> Result<Self, WireError> {
                let bytes = Zeroizing::new(from.take()?);
                Ok(Self::from_bytes(*bytes))
            }
        }
    )*};
}

secret! { Seed PairingKey }

/// One byte that stands for something, or for nothing.
pub(crate) fn value<T: TryFrom<u8>>([byte]: [u8; 1]) -> Result<T, WireError> {
    T::try_from(byte).map_err(|_| WireError::Value)
}

/// Values of several fields. What is wrong with them together is looked at once all are read.
macro_rules! fields {
    ($name:ident { $($field:ident: $ty:ty),* $(,)? }, |$value:ident| $parts:expr, $made:expr) => {
        impl Layout for $name {
            const SHORTEST: usize = 0 $(+ <$ty as Layout>::SHORTEST)*;
            const LONGEST: usize = 0 $(+ <$ty as Layout>::LONGEST)*;
            const SHAPE: Shape =
                Shape::Fields(&[$(Field { name: stringify!($field), shape: <$ty as Layout>::SHAPE }),*]);

            fn write(&self, to: &mut Writer<'_>) {
                let $value = self;
                let ($($field,)*) = $parts;
                $($field.write(to);)*
            }

            fn read(from: &mut Reader<'_>) -> Result<Self, WireError> {
                $(let $field: $ty = Layout::read(from)?;)*
                $made.map_err(|_: crate::error::LimitsError| WireError::Value)
            }
        }
    };
}

fields! {
    OffsetChange { at: Timestamp, offset: UtcOffset },
    |change| (change.at, change.offset),
    Ok(Self { at, offset })
}

fields! {
    Schedule { days: Weekdays, start: u16, end: u16, offset: UtcOffset, next: Option<OffsetChange> },
    |schedule| {
        let (start, end) = schedule.window();
        (schedule.days(), start, end, schedule.offset(), schedule.next_offset())
    },
    //= spec/protocol.md#encoding-of-limits
    //# LIM-17. A decoder MUST check LIM-4, LIM-5 and LIM-6 only when all fields of the schedule were read.
    Self::new(days, start, end, offset, next)
}

fields! {
    Limits { from: Option<Timestamp>, until: Option<Timestamp>, schedule: Option<Schedule>, uses: Option<u32> },
    |limits| (limits.valid_from(), limits.valid_until(), limits.schedule().copied(), limits.max_uses()),
    //= spec/protocol.md#encoding-of-limits
    //# LIM-16. A decoder MUST check LIM-1 and LIM-2 only when all fields of the limits were read.
    Self::new(from, until, schedule, uses)
}
