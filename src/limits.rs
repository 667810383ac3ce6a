//! What a key may do and when: [`Rights`], [`Limits`], [`Schedule`] (spec: "Limits").
//!
//! All limits must hold at every unlock. Values are checked when they are built and when they are
//! decoded, so a value of these types is always meaningful.

use serde::{Deserialize, Serialize};

use crate::error::LimitsError;
use crate::form::byte_or_name;

mod outlook;
mod schedule;
mod show;

pub use self::outlook::{KeyStanding, NeverOpens};
pub use self::schedule::{OffsetChange, Schedule, UtcOffset, Weekdays};

/// A moment: whole seconds since 1970-01-01T00:00:00Z, leap seconds not counted. 8 bytes.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default, Serialize, Deserialize)]
pub struct Timestamp(#[serde(with = "crate::form::number")] u64);

impl Timestamp {
    /// The moment this many seconds after the Unix epoch.
    #[must_use]
    pub const fn from_unix_seconds(seconds: u64) -> Self {
        Self(seconds)
    }

    /// Seconds since the Unix epoch.
    #[must_use]
    pub const fn unix_seconds(self) -> u64 {
        self.0
    }
}

/// What a guest asks of the bolt. One byte.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[serde(remote = "Self")]
pub enum Action {
    /// Draw the bolt. Counts as a use.
    Open,
    /// Throw the bolt. Counts as no use, and needs none to be left.
    Lock,
}

byte_or_name!(Action);

impl From<Action> for u8 {
    fn from(action: Action) -> Self {
        match action {
            Action::Open => 1,
            Action::Lock => 2,
        }
    }
}

impl TryFrom<u8> for Action {
    type Error = LimitsError;

    fn try_from(byte: u8) -> Result<Self, LimitsError> {
        match byte {
            1 => Ok(Self::Open),
            2 => Ok(Self::Lock),
            //= spec/protocol.md#encoding
            //# MSG-6. A decoder MUST refuse a tag byte, an enumeration byte or a flag bit that version 1 does not define.
            _ => Err(LimitsError::Action),
        }
    }
}

/// The set of actions that a key is allowed. One byte of flags; never empty.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[serde(try_from = "u8", into = "u8")]
pub struct Rights(u8);

impl Rights {
    /// [`Action::Open`] only.
    pub const OPEN: Self = Self(1);
    /// [`Action::Lock`] only.
    pub const LOCK: Self = Self(2);
    /// Both.
    pub const OPEN_AND_LOCK: Self = Self(3);
    // Bit 2 is reserved for keys that ask the service at each opening, and refused until that is built.

    /// Whether `action` is in the set.
    #[must_use]
    pub const fn allow(self, action: Action) -> bool {
        let bit = match action {
            Action::Open => Self::OPEN,
            Action::Lock => Self::LOCK,
        };
        self.0 & bit.0 != 0
    }
}

impl From<Rights> for u8 {
    fn from(rights: Rights) -> Self {
        rights.0
    }
}

impl TryFrom<u8> for Rights {
    type Error = LimitsError;

    fn try_from(bits: u8) -> Result<Self, LimitsError> {
        //= spec/protocol.md#common-values
        //# MSG-15. A decoder MUST refuse rights in which neither bit 0 nor bit 1 is set.
        //= spec/protocol.md#common-values
        //# MSG-16. A decoder MUST refuse rights in which any of the bits 2 to 7 is set.
        if bits != 0 && bits & !Self::OPEN_AND_LOCK.0 == 0 { Ok(Self(bits)) } else { Err(LimitsError::Rights) }
    }
}

/// What bounds a key, each part optional; all that are there must hold at every unlock.
///
/// ```
/// use sharekey::limits::{Limits, Schedule, Timestamp, UtcOffset, Weekdays};
///
/// let (noon, in_two_weeks) = (1_795_435_200, 1_796_644_800);
/// let stay = Limits::NONE
///     .from(Timestamp::from_unix_seconds(noon))?
///     .until(Timestamp::from_unix_seconds(in_two_weeks))?;
/// let weekends = Schedule::new(Weekdays::SAT | Weekdays::SUN, 8 * 60, 20 * 60, UtcOffset::UTC, None)?;
/// let cleaner = Limits::NONE.on(weekends).uses(3)?;
/// assert_eq!((stay.max_uses(), cleaner.max_uses()), (None, Some(3)));
/// # Ok::<(), sharekey::error::LimitsError>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default, Serialize, Deserialize)]
#[serde(try_from = "RawLimits", into = "RawLimits")]
pub struct Limits {
    from: Option<Timestamp>,
    until: Option<Timestamp>,
    schedule: Option<Schedule>,
    uses: Option<u32>,
}

#[derive(Serialize, Deserialize)]
struct RawLimits {
    from: Option<Timestamp>,
    until: Option<Timestamp>,
    schedule: Option<Schedule>,
    uses: Option<RawUses>,
}

#[derive(Serialize, Deserialize)]
struct RawUses(#[serde(with = "crate::form::number")] u32);

impl From<Limits> for RawLimits {
    fn from(Limits { from, until, schedule, uses }: Limits) -> Self {
        Self { from, until, schedule, uses: uses.map(RawUses) }
    }
}

impl TryFrom<RawLimits> for Limits {
    type Error = LimitsError;

    fn try_from(raw: RawLimits) -> Result<Self, LimitsError> {
        //= spec/protocol.md#encoding
        //# MSG-7. A decoder MUST refuse a number outside the range given for its field.
        Self::new(raw.from, raw.until, raw.schedule, raw.uses.map(|RawUses(uses)| uses))
    }
}

impl Limits {
    /// No limits.
    pub const NONE: Self = Self { from: None, until: None, schedule: None, uses: None };

    /// Limits: valid `from` (included) `until` (excluded), on a `schedule`, for a number of `uses`.
    ///
    /// # Errors
    /// [`LimitsError::EmptyPeriod`] unless `from < until`; [`LimitsError::NoUses`] for 0 uses.
    pub fn new(
        from: Option<Timestamp>,
        until: Option<Timestamp>,
        schedule: Option<Schedule>,
        uses: Option<u32>,
    ) -> Result<Self, LimitsError> {
        //= spec/protocol.md#encoding-of-limits
        //# LIM-1. A decoder MUST refuse limits whose `from` is not before their `until`, where both are there.
        if let (Some(from), Some(until)) = (from, until)
            && from >= until
        {
            return Err(LimitsError::EmptyPeriod);
        }
        //= spec/protocol.md#encoding-of-limits
        //# LIM-2. A decoder MUST refuse limits of 0 uses.
        if uses == Some(0) {
            return Err(LimitsError::NoUses);
        }
        Ok(Self { from, until, schedule, uses })
    }

    /// The same limits, and not before this moment.
    ///
    /// # Errors
    /// [`LimitsError::EmptyPeriod`] where they end by then.
    pub fn from(self, from: Timestamp) -> Result<Self, LimitsError> {
        Self::new(Some(from), self.until, self.schedule, self.uses)
    }

    /// The same limits, and from this moment on no more.
    ///
    /// # Errors
    /// [`LimitsError::EmptyPeriod`] where they have not begun by then.
    pub fn until(self, until: Timestamp) -> Result<Self, LimitsError> {
        Self::new(self.from, Some(until), self.schedule, self.uses)
    }

    /// The same limits, and on this schedule only.
    #[must_use]
    pub const fn on(self, schedule: Schedule) -> Self {
        Self { schedule: Some(schedule), ..self }
    }

    /// The same limits, and for so many openings.
    ///
    /// # Errors
    /// [`LimitsError::NoUses`] for none.
    pub fn uses(self, uses: u32) -> Result<Self, LimitsError> {
        Self::new(self.from, self.until, self.schedule, Some(uses))
    }

    /// The first moment at which the key opens.
    #[must_use]
    pub const fn valid_from(&self) -> Option<Timestamp> {
        self.from
    }

    /// The moment from which it no longer opens.
    #[must_use]
    pub const fn valid_until(&self) -> Option<Timestamp> {
        self.until
    }

    /// The times of the week at which it opens.
    #[must_use]
    pub const fn schedule(&self) -> Option<&Schedule> {
        self.schedule.as_ref()
    }

    /// How many openings it is good for, at least 1.
    #[must_use]
    pub const fn max_uses(&self) -> Option<u32> {
        self.uses
    }

    /// Whether a lock must know the time to judge these limits.
    #[must_use]
    pub const fn need_clock(&self) -> bool {
        self.from.is_some() || self.until.is_some() || self.schedule.is_some()
    }
}
