//! Weekdays and times of the day, in local time.

use serde::{Deserialize, Serialize};

use super::Timestamp;
use crate::error::LimitsError;

/// A set of weekdays: bit 0 is Monday, bit 6 Sunday. One byte; never empty.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[serde(try_from = "u8", into = "u8")]
pub struct Weekdays(u8);

impl Weekdays {
    /// Every day.
    pub const ALL: Self = Self(0x7f);
    /// Monday to Friday.
    pub const MON_TO_FRI: Self = Self(0x1f);
    /// Monday.
    pub const MON: Self = Self(1);
    /// Tuesday.
    pub const TUE: Self = Self(1 << 1);
    /// Wednesday.
    pub const WED: Self = Self(1 << 2);
    /// Thursday.
    pub const THU: Self = Self(1 << 3);
    /// Friday.
    pub const FRI: Self = Self(1 << 4);
    /// Saturday.
    pub const SAT: Self = Self(1 << 5);
    /// Sunday.
    pub const SUN: Self = Self(1 << 6);

    /// The days of either set: `Weekdays::SAT.or(Weekdays::SUN)`. `|` is the same.
    #[must_use]
    pub const fn or(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Whether the day with this index, 0 for Monday to 6 for Sunday, is in the set.
    #[must_use]
    pub const fn contains(self, day: u8) -> bool {
        day < 7 && self.0 & (1 << day) != 0
    }
}

impl core::ops::BitOr for Weekdays {
    type Output = Self;

    fn bitor(self, other: Self) -> Self {
        self.or(other)
    }
}

impl From<Weekdays> for u8 {
    fn from(days: Weekdays) -> Self {
        days.0
    }
}

impl TryFrom<u8> for Weekdays {
    type Error = LimitsError;

    fn try_from(bits: u8) -> Result<Self, LimitsError> {
        //= spec/protocol.md#encoding-of-limits
        //# LIM-3. A decoder MUST refuse a set of days that is empty or has bit 7 set.
        if bits != 0 && bits & !Self::ALL.0 == 0 { Ok(Self(bits)) } else { Err(LimitsError::Weekdays) }
    }
}

/// An offset of local time from UTC in minutes, −720 to 840, east positive.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[serde(try_from = "RawOffset", into = "RawOffset")]
pub struct UtcOffset(i16);

#[derive(Serialize, Deserialize)]
struct RawOffset(#[serde(with = "crate::form::number")] i16);

impl UtcOffset {
    /// No offset.
    pub const UTC: Self = Self(0);

    /// The offset of this many minutes.
    ///
    /// # Errors
    /// [`LimitsError::Offset`] outside −720..=840.
    pub const fn from_minutes(minutes: i16) -> Result<Self, LimitsError> {
        //= spec/protocol.md#encoding-of-limits
        //# LIM-7. A decoder MUST refuse an offset outside −720 to 840.
        if -720 <= minutes && minutes <= 840 { Ok(Self(minutes)) } else { Err(LimitsError::Offset) }
    }

    /// Minutes, east positive.
    #[must_use]
    pub const fn minutes(self) -> i16 {
        self.0
    }
}

impl From<UtcOffset> for RawOffset {
    fn from(offset: UtcOffset) -> Self {
        Self(offset.0)
    }
}

impl TryFrom<RawOffset> for UtcOffset {
    type Error = LimitsError;

    fn try_from(raw: RawOffset) -> Result<Self, LimitsError> {
        //= spec/protocol.md#encoding
        //# MSG-7. A decoder MUST refuse a number outside the range given for its field.
        Self::from_minutes(raw.0)
    }
}

/// When the offset changes next (summer time), and to what.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub struct OffsetChange {
    /// From this moment on, …
    pub at: Timestamp,
    /// … this offset holds.
    pub offset: UtcOffset,
}

/// Weekdays and a window of minutes in local time.
///
/// The window begins at `start` (0..1440 minutes after midnight, included) and ends at `end`
/// (1..=1440, excluded). Where `start > end` it passes midnight, and all of it belongs to the
/// weekday on which it starts.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[serde(try_from = "RawSchedule", into = "RawSchedule")]
pub struct Schedule {
    days: Weekdays,
    start: u16,
    end: u16,
    offset: UtcOffset,
    next: Option<OffsetChange>,
}

#[derive(Serialize, Deserialize)]
struct RawSchedule {
    days: Weekdays,
    #[serde(with = "crate::form::number")]
    start: u16,
    #[serde(with = "crate::form::number")]
    end: u16,
    offset: UtcOffset,
    next: Option<OffsetChange>,
}

impl From<Schedule> for RawSchedule {
    fn from(Schedule { days, start, end, offset, next }: Schedule) -> Self {
        Self { days, start, end, offset, next }
    }
}

impl TryFrom<RawSchedule> for Schedule {
    type Error = LimitsError;

    fn try_from(raw: RawSchedule) -> Result<Self, LimitsError> {
        //= spec/protocol.md#encoding
        //# MSG-7. A decoder MUST refuse a number outside the range given for its field.
        Self::new(raw.days, raw.start, raw.end, raw.offset, raw.next)
    }
}

const MINUTES_A_DAY: u16 = 1440;
const SECONDS_A_WEEK: u32 = 604_800;

impl Schedule {
    /// The schedule on `days` from minute `start` to minute `end` of local time at `offset`, which
    /// changes at `next`.
    ///
    /// # Errors
    /// [`LimitsError::Window`] unless `start` is in 0..1440, `end` in 1..=1440, and they differ.
    pub const fn new(
        days: Weekdays,
        start: u16,
        end: u16,
        offset: UtcOffset,
        next: Option<OffsetChange>,
    ) -> Result<Self, LimitsError> {
        //= spec/protocol.md#encoding-of-limits
        //# LIM-4. A decoder MUST refuse a window whose start is above 1439.
        //= spec/protocol.md#encoding-of-limits
        //# LIM-5. A decoder MUST refuse a window whose end is 0 or above 1440.
        //= spec/protocol.md#encoding-of-limits
        //# LIM-6. A decoder MUST refuse a window whose start equals its end.
        if start >= MINUTES_A_DAY || end == 0 || end > MINUTES_A_DAY || start == end {
            return Err(LimitsError::Window);
        }
        Ok(Self { days, start, end, offset, next })
    }

    /// The weekdays on which a window starts.
    #[must_use]
    pub const fn days(&self) -> Weekdays {
        self.days
    }

    /// The window: its first minute, and the minute that ends it.
    #[must_use]
    pub const fn window(&self) -> (u16, u16) {
        (self.start, self.end)
    }

    /// The offset from UTC before any change.
    #[must_use]
    pub const fn offset(&self) -> UtcOffset {
        self.offset
    }

    /// The next change of the offset.
    #[must_use]
    pub const fn next_offset(&self) -> Option<OffsetChange> {
        self.next
    }

    /// Whether the schedule allows `now`.
    #[must_use]
    pub fn allows(&self, now: Timestamp) -> bool {
        let (day, minute) = self.local(now);
        let yesterday = if day == 0 { 6 } else { day.saturating_sub(1) };
        if self.start < self.end {
            //= spec/protocol.md#schedule
            //# LIM-10. Where start is below end, a lock MUST allow exactly the minutes from start, included, to end, excluded, of the weekdays in the set.
            self.days.contains(day) && self.start <= minute && minute < self.end
        } else {
            //= spec/protocol.md#schedule
            //# LIM-11. Where start is above end, a lock MUST allow exactly the minutes from start of a weekday in the set, included, to the minute end of the day after it, excluded.
            (self.days.contains(day) && self.start <= minute) || (self.days.contains(yesterday) && minute < self.end)
        }
    }

    /// The local weekday (0 is Monday) and minute of the day.
    fn local(&self, now: Timestamp) -> (u8, u16) {
        let offset = match self.next {
            Some(change) if now >= change.at => change.offset,
            _ => self.offset,
        };
        // Of the time only the second of the week matters. Byte by byte, for a division of 64 bits is a kilobyte of code
        // on a microcontroller.
        let bytes = now.unix_seconds().to_be_bytes();
        let second = bytes.into_iter().fold(0_u32, |rest, byte| ((rest << 8) | u32::from(byte)) % SECONDS_A_WEEK);
        // 1970-01-01 was a Thursday, day 3 of a week that begins on Monday; and a week more, for an offset to take from.
        let minute = (second / 60).saturating_add(10 * 1440).saturating_add_signed(offset.0.into());
        let (day, minute) = (minute / 1440 % 7, minute % 1440);
        (u8::try_from(day).unwrap_or_default(), u16::try_from(minute).unwrap_or_default())
    }
}
