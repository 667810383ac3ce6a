//! The date and time: unset at boot, set by the owner, and from then on counted in ticks.

use core::cell::Cell;

use sharekey::limits::Timestamp;
use sharekey::lock::{Battery, Clock, Now};

/// A clock without a battery. One with a battery differs in that it may know the time at boot.
#[derive(Default)]
pub struct WallClock {
    /// The time that it was set to, and the ticks then.
    set: Option<(Timestamp, u64)>,
}

impl WallClock {
    /// A clock that was not set yet.
    #[must_use]
    pub const fn unset() -> Self {
        Self { set: None }
    }

    /// The owner says what time it is; or, with `None`, a lock was made, and nobody has said so yet.
    pub fn set(&mut self, to: Option<Timestamp>, ticks: u64) {
        self.set = to.map(|to| (to, ticks));
    }

    /// What the lock is told with each call.
    #[must_use]
    pub fn now(&self, ticks: u64, battery: Battery) -> Now {
        Now { ticks, clock: self.read(ticks).map_or(Clock::Unset, Clock::At), battery }
    }

    fn read(&self, ticks: u64) -> Option<Timestamp> {
        let (to, at) = self.set?;
        let seconds = thousandth(ticks.checked_sub(at)?);
        to.unix_seconds().checked_add(seconds).map(Timestamp::from_unix_seconds)
    }
}

/// A thousandth, 16 bits at a time: a division of 64 bits is a kilobyte of flash here.
fn thousandth(of: u64) -> u64 {
    let (mut quotient, mut rest) = (0, 0);
    for shift in [48, 32, 16, 0] {
        let part = rest << 16 | (of >> shift & 0xffff) as u32;
        quotient = quotient << 16 | u64::from(part / 1000);
        rest = part % 1000;
    }
    quotient
}

/// A hardware's counter of 32 bits, which wraps, as one of 64, which does not. It has to be read once a turn at least.
pub struct Unwrapped(Cell<u64>);

impl Unwrapped {
    /// Of a counter that was not read yet.
    #[must_use]
    pub const fn begun() -> Self {
        Self(Cell::new(0))
    }

    /// What the counter says now, with its turns.
    pub fn read(&self, counter: u32) -> u64 {
        let last = self.0.get();
        let ahead = counter.wrapping_sub(last as u32);
        let now = last.saturating_add(ahead.into());
        self.0.set(now);
        now
    }
}
