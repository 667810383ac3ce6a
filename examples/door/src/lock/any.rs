//! A lock of any size: how many slots it has is fixed when the library is compiled, so the program
//! has one compiled lock for each size and picks one when it runs.

use rand_core::CryptoRng;
use sharekey::crypto::Ring;
use sharekey::error::LockError;
use sharekey::id::{LockId, SlotId};
use sharekey::lock::{BootError, Cell, Condition, Door, Now, Ownership, PhysicalPresence, ServeError, Served};
use sharekey::message::SlotReport;
use sharekey::secret::ActivationSecret;

use super::board::Board;
use crate::home::CRYPTO;

/// Where the lock draws its randomness.
type Rng<'r> = &'r mut dyn CryptoRng;

/// [`Door`], whatever the size of its lock.
pub trait AnyDoor<'h> {
    fn serve(
        &mut self,
        frame: &[u8],
        now: Now,
        presence: Option<PhysicalPresence>,
        rng: Rng<'_>,
    ) -> Result<Served, ServeError<anyhow::Error>>;
    fn board(&mut self) -> &mut Board<'h>;
    fn id(&self) -> LockId;
    fn ownership(&self) -> Result<Ownership, LockError>;
    fn report(&self, slot: SlotId) -> Result<SlotReport, LockError>;
    fn condition(&self, cell: Cell) -> Result<Condition, LockError>;
}

impl<'h, const SLOTS: usize> AnyDoor<'h> for Door<Ring, Board<'h>, SLOTS> {
    fn serve(
        &mut self,
        frame: &[u8],
        now: Now,
        presence: Option<PhysicalPresence>,
        rng: Rng<'_>,
    ) -> Result<Served, ServeError<anyhow::Error>> {
        Self::serve(self, frame, now, presence, rng)
    }

    fn board(&mut self) -> &mut Board<'h> {
        Self::board(self)
    }

    fn id(&self) -> sharekey::id::LockId {
        self.lock().id()
    }

    fn ownership(&self) -> Result<Ownership, LockError> {
        self.lock().ownership()
    }

    fn report(&self, slot: SlotId) -> Result<SlotReport, LockError> {
        self.lock().report(slot)
    }

    fn condition(&self, cell: Cell) -> Result<Condition, LockError> {
        self.lock().condition(cell)
    }
}

pub type Booted<'h> = Result<Box<dyn AnyDoor<'h> + 'h>, BootError<anyhow::Error>>;

/// Boots the lock from what is on its flash; makes it, where it was not made to the end.
fn boot<'h, const SLOTS: usize>(card: ActivationSecret, board: Board<'h>, rng: Rng<'_>) -> Booted<'h> {
    Ok(Box::new(Door::<Ring, _, SLOTS>::boot(CRYPTO, card, board, rng)?))
}

macro_rules! sizes {
    ($($slots:literal)*) => {
        /// The sizes that there are.
        pub const SIZES: &[usize] = &[$($slots),*];

        /// How to boot a lock with this many slots; `None` where this program has none of that size.
        pub fn size<'h>(slots: usize) -> Option<fn(ActivationSecret, Board<'h>, Rng<'_>) -> Booted<'h>> {
            match slots {
                $($slots => Some(boot::<$slots>),)*
                _ => None,
            }
        }
    };
}

sizes!(1 2 3 4 5 6 7 8 9 10 16 32 64 255);
