//! What a lock says of itself beside what it did: its time, and its battery.

use serde::{Deserialize, Serialize};

use crate::error::WireError;
use crate::limits::Timestamp;
use crate::wire::{Shape, plain, value};

/// How full a lock's battery is, in percent; or that it cannot tell. One byte.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[serde(try_from = "u8", into = "u8")]
pub struct Battery(u8);

impl Battery {
    /// The lock cannot tell, or has no battery.
    pub const UNKNOWN: Self = Self(u8::MAX);

    /// A battery that is so full, in percent; what is above 100 counts as 100.
    #[must_use]
    pub const fn at(percent: u8) -> Self {
        Self(if percent > 100 { 100 } else { percent })
    }

    /// How full it is, in percent: 0 to 100. `None` where the lock cannot tell.
    #[must_use]
    pub const fn percent(self) -> Option<u8> {
        if self.0 > 100 { None } else { Some(self.0) }
    }
}

impl From<Battery> for u8 {
    fn from(battery: Battery) -> Self {
        battery.0
    }
}

impl TryFrom<u8> for Battery {
    type Error = WireError;

    fn try_from(byte: u8) -> Result<Self, WireError> {
        match byte {
            0..=100 | u8::MAX => Ok(Self(byte)),
            //= spec/protocol.md#encoding
            //# MSG-7. A decoder MUST refuse a number outside the range given for its field.
            _ => Err(WireError::Value),
        }
    }
}

impl core::fmt::Display for Battery {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self.percent() {
            Some(percent) => write!(f, "{percent} %"),
            None => f.write_str("unknown"),
        }
    }
}

/// The time by a lock's clock; or that it cannot tell. In seconds, as a [`Timestamp`], of which 0 stands for that.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub struct LockTime(#[serde(with = "crate::form::number")] u64);

impl LockTime {
    /// The lock cannot tell.
    pub const UNKNOWN: Self = Self(0);

    /// The lock's clock reads this.
    #[must_use]
    pub const fn at(time: Timestamp) -> Self {
        Self(time.unix_seconds())
    }

    /// What the clock read. `None` where the lock could not tell.
    #[must_use]
    pub const fn known(self) -> Option<Timestamp> {
        match self.0 {
            0 => None,
            seconds => Some(Timestamp::from_unix_seconds(seconds)),
        }
    }
}

plain! {
    Battery: Shape::Number(1), 1, |battery| [battery.0], |byte| value(byte);
    LockTime: Shape::Number(8), 8, |time| time.0.to_le_bytes(), |bytes| Ok(Self(u64::from_le_bytes(bytes)));
}
