//! What can be said of limits before the lock judges them: whether they can ever hold, and how they stand.

use serde::{Deserialize, Serialize};

use super::{Action, Limits, Rights, Timestamp};
use crate::error::LimitsError;

/// How a key stands at a moment, as far as its limits tell.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub enum KeyStanding {
    /// It is not valid yet.
    NotYet,
    /// It is valid. Whether its schedule allows this very moment is another question.
    Valid,
    /// It is over: it opens no more.
    Over,
    /// All its openings were used.
    UsedUp,
}

/// Why a key would never open.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[non_exhaustive]
pub enum NeverOpens {
    /// It is over already.
    Over,
    /// No time that its schedule allows is left between its dates.
    NoTime,
    /// It has dates or a schedule, and the lock can never tell the time.
    NoClock,
}

/// The first second of the year 10000. What is later is a mistake: milliseconds in the place of seconds are, for every
/// moment since January 1978.
const YEAR_10000: u64 = 253_402_300_800;

/// From this span on a schedule allows some of it, whatever it is, and also where its offset changes in between.
const TWO_WEEKS: u64 = 1_209_600;

impl Timestamp {
    /// Whether this is a moment that somebody could mean: before the year 10000. Milliseconds that were taken for seconds
    /// are not.
    #[must_use]
    pub const fn is_plausible(self) -> bool {
        self.0 < YEAR_10000
    }
}

impl Limits {
    /// Whether an owner can mean these limits together with these rights. An `Owner` signs no others.
    ///
    /// # Errors
    /// [`LimitsError::FarAway`] for a date that is not [plausible](Timestamp::is_plausible),
    /// [`LimitsError::UsesWithoutOpen`] for a number of uses of a key that may only lock, of which there is no use;
    /// [`LimitsError::NoTime`] where the schedule allows no moment between the dates.
    pub fn check(&self, rights: Rights) -> Result<(), LimitsError> {
        //= spec/protocol.md#limits-that-cannot-be-meant
        //# LIM-18. An owner MUST NOT sign a grant whose limits cannot be meant: a date at or after 253402300800, a number of uses without the right to open, or a schedule that allows no moment from its `from` on and before its `until`.
        let change = self.schedule.and_then(|schedule| schedule.next_offset());
        let dates = [self.from, self.until, change.map(|change| change.at)];
        if !dates.into_iter().flatten().all(Timestamp::is_plausible) {
            return Err(LimitsError::FarAway);
        }
        if self.uses.is_some() && !rights.allow(Action::Open) {
            return Err(LimitsError::UsesWithoutOpen);
        }
        if self.allow_something_after(self.from.unwrap_or_default()) { Ok(()) } else { Err(LimitsError::NoTime) }
    }

    /// Why a key with these limits, shared at this moment, would never open, though nothing contradicts itself: to be said
    /// before it is shared. `clock` is whether the lock can tell the time; where that is not known, `true`.
    #[must_use]
    pub fn never_open(&self, now: Timestamp, clock: bool) -> Option<NeverOpens> {
        if self.standing(now) == KeyStanding::Over {
            return Some(NeverOpens::Over);
        }
        if self.need_clock() && !clock {
            return Some(NeverOpens::NoClock);
        }
        let begins = self.from.map_or(now, |from| from.max(now));
        if self.allow_something_after(begins) { None } else { Some(NeverOpens::NoTime) }
    }

    /// How the key stands at a moment, by its dates: never [`UsedUp`](KeyStanding::UsedUp), which they do not tell.
    #[must_use]
    pub fn standing(&self, now: Timestamp) -> KeyStanding {
        if self.until.is_some_and(|until| now >= until) {
            KeyStanding::Over
        } else if self.from.is_some_and(|from| now < from) {
            KeyStanding::NotYet
        } else {
            KeyStanding::Valid
        }
    }

    /// Whether the schedule, if there is one, allows a moment from `begin` on and before the end.
    fn allow_something_after(&self, begin: Timestamp) -> bool {
        let (Some(schedule), Some(until)) = (self.schedule, self.until) else { return true };
        if until.0.saturating_sub(begin.0) >= TWO_WEEKS {
            return true;
        }
        // What it allows begins at a whole minute, or where the offset changes.
        let change = schedule.next_offset().map(|change| change.at.0);
        let minutes = (begin.0.saturating_add(59) / 60..=until.0 / 60).map(|minute| minute.saturating_mul(60));
        let moments = [Some(begin.0), change].into_iter().flatten().chain(minutes);
        let inside = moments.filter(|second| (begin.0..until.0).contains(second));
        inside.map(Timestamp).any(|moment| schedule.allows(moment))
    }
}
