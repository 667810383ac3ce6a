//! What a board gives the lock.

use sharekey::limits::Action;

/// How many slots this lock has.
pub const SLOTS: usize = sharekey::lock::SLOTS;

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
    /// [`NoEntropy`]: the lock refuses what it would have needed it for.
    fn fill(&mut self, into: &mut [u8; 32]) -> Result<(), NoEntropy>;
}

/// Everything around the lock but flash, which is a
/// [`NorFlash`](embedded_storage_async::nor_flash::NorFlash) of its own.
pub trait Board: Entropy {
    /// Milliseconds since boot, monotonic, and running through sleep: deadlines are judged by it.
    fn ticks(&self) -> u64;

    /// Whether somebody presses the button **inside** the door now. Read where it counts, never
    /// latched, and wired so that nothing but a finger closes it.
    fn button_is_pressed(&mut self) -> bool;

    /// Moves the bolt.
    fn bolt(&mut self, to: Action, by: &dyn core::fmt::Display);

    /// A line for whoever services the lock.
    fn log(&mut self, line: core::fmt::Arguments<'_>);
}
