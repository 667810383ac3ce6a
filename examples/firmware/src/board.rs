//! What is around the lock: its records, its clock, and what the hardware gives.

use embedded_storage_async::nor_flash::NorFlash;
use sequential_storage::map::MapConfig;
use sharekey::limits::{Action, Timestamp};
use sharekey::lock::{self, Battery, By, Cell, Found, Now, PhysicalPresence, Record};

use crate::clock::WallClock;
use crate::log::Part;
use crate::store::{Records, StoreFailed};

/// The source has no entropy to give: it is not ready, or its health test failed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct NoEntropy;

/// A source of entropy.
///
/// Real hardware must provide a true random number generator that was characterised for the part
/// (NIST SP 800-90B, or AIS 31), with its health tests switched on, and must fail rather than give
/// what fails them. It is read once a request, 32 bytes that carry at least 256 bits of entropy.
///
/// A lock whose source is broken repeats no nonce, for the counter on flash is in each. Its pairing
/// keys and the seed of a lock made first in its life are only as good as this source.
pub trait Entropy {
    /// Fills 32 bytes.
    ///
    /// # Errors
    /// [`NoEntropy`]: the lock refuses the request.
    fn fill(&mut self, into: &mut [u8; 32]) -> Result<(), NoEntropy>;
}

/// Everything around the lock but flash, which is a [`NorFlash`] of its own.
pub trait Hardware: Entropy {
    /// Milliseconds since boot, monotonic, and running through sleep: deadlines are judged by it.
    fn ticks(&self) -> u64;

    /// Whether somebody presses the button **inside** the door now. Read where it counts, never
    /// latched, and wired so that nothing but a finger closes it.
    fn button_is_pressed(&mut self) -> bool;

    /// How full the battery is: what the guest's app and the owner's show. A board on the mains cannot tell.
    fn battery(&self) -> Battery {
        Battery::UNKNOWN
    }

    /// Moves the bolt. On whose word is for the log.
    fn bolt(&mut self, to: Action, by: By);

    /// A line for whoever services the lock.
    fn log(&mut self, line: &[Part<'_>]);
}

/// What the lock stores on and tells time by, for the library's front door.
pub struct Board<F: NorFlash, H> {
    /// Its records.
    pub records: Records<F>,
    /// Everything else.
    pub hardware: H,
    clock: WallClock,
}

impl<F: NorFlash, H: Hardware> Board<F, H> {
    /// A board that has just booted, with its records on these pages of its flash.
    #[must_use]
    pub const fn new(flash: F, pages: MapConfig<F>, hardware: H) -> Self {
        Self { records: Records::new(flash, pages), hardware, clock: WallClock::unset() }
    }

    /// The time now.
    pub fn now(&self) -> Now {
        self.clock.now(self.hardware.ticks(), self.hardware.battery())
    }

    /// The button inside, where it is pressed now.
    pub fn presence(&mut self) -> Option<PhysicalPresence> {
        self.hardware.button_is_pressed().then(PhysicalPresence::button_is_pressed)
    }
}

impl<F: NorFlash, H> lock::Store for Board<F, H> {
    type Error = StoreFailed;

    fn put(&mut self, record: &Record) -> Result<(), StoreFailed> {
        self.records.put(record)
    }

    fn read<T>(&mut self, cell: Cell, look: impl FnOnce(Found<'_>) -> T) -> T {
        self.records.read(cell, look)
    }
}

impl<F: NorFlash, H: Hardware> lock::Board for Board<F, H> {
    fn set_clock(&mut self, to: Option<Timestamp>) -> Result<(), StoreFailed> {
        self.clock.set(to, self.hardware.ticks());
        Ok(())
    }
}
