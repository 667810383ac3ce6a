//! A lock of any size: how many slots it has is fixed when the library is compiled, so the program
//! has one compiled lock for each size and picks one when it runs.

use rand_core::CryptoRng;
use sharekey::crypto::Ring;
use sharekey::error::{LoadError, LockError, ProviderFailed};
use sharekey::id::{LockId, SlotId};
use sharekey::limits::{Action, Timestamp};
use sharekey::lock::{
    Cell, Condition, Lock, Making, Now, Ownership, PhysicalPresence, Record, Refusal, Session, StoredSeed, purpose,
};
use sharekey::message::{Operation, SlotReport};
use sharekey::secret::ActivationSecret;

use super::flash::Flash;
use crate::home::CRYPTO;

/// What is asked of the lock.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Request {
    Install,
    Unlock,
    Command,
    Provision,
    Reset {
        /// Whether the button inside is pressed.
        button: bool,
    },
}

/// An open session of either purpose.
pub enum Open {
    Install(Session<purpose::Install>),
    Operate(Session<purpose::Operate>),
}

/// What is left for the firmware once the record was written.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Effect {
    Nothing,
    Bolt(Action),
    Clock(Timestamp),
    MakeAnew,
}

/// Why there is no answer.
pub enum Fail {
    Refused(Refusal),
    /// Nobody pressed the button inside, so the firmware did not even ask the library.
    NoButton,
    /// The write did not come to its end.
    Store(anyhow::Error),
}

impl From<Refusal> for Fail {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

impl From<anyhow::Error> for Fail {
    fn from(error: anyhow::Error) -> Self {
        Self::Store(error)
    }
}

/// Where the lock draws its randomness.
pub type Rng<'r> = &'r mut dyn CryptoRng;

pub type Answered = Result<(Vec<u8>, Effect), Fail>;

/// [`Lock`], whatever its size.
pub trait AnyLock {
    fn id(&self) -> LockId;
    fn ownership(&self) -> Result<Ownership, LockError>;
    fn report(&self, slot: SlotId) -> Result<SlotReport, LockError>;
    fn condition(&self, cell: Cell) -> Result<Condition, LockError>;
    fn challenge(
        &mut self,
        request: Request,
        now: Now,
        rng: Rng<'_>,
        flash: &mut Flash,
    ) -> Result<(Vec<u8>, Open), Challenge>;
    fn answer(
        &mut self,
        session: Open,
        request: Request,
        bytes: &[u8],
        now: Now,
        rng: Rng<'_>,
        flash: &mut Flash,
    ) -> Answered;
}

/// Why there is no challenge.
pub enum Challenge {
    Refused(LockError),
    Store(anyhow::Error),
}

impl<const SLOTS: usize> AnyLock for Lock<Ring, SLOTS> {
    fn id(&self) -> LockId {
        Self::id(self)
    }

    fn ownership(&self) -> Result<Ownership, LockError> {
        Self::ownership(self)
    }

    fn report(&self, slot: SlotId) -> Result<SlotReport, LockError> {
        Self::report(self, slot)
    }

    fn condition(&self, cell: Cell) -> Result<Condition, LockError> {
        Self::condition(self, cell)
    }

    fn challenge(
        &mut self,
        request: Request,
        now: Now,
        rng: Rng<'_>,
        flash: &mut Flash,
    ) -> Result<(Vec<u8>, Open), Challenge> {
        match request {
            Request::Install => {
                let staged = Self::challenge::<purpose::Install>(self, now, rng).map_err(Challenge::Refused)?;
                let given = staged.commit(|record| flash.put(record)).map_err(Challenge::Store)?;
                Ok((given.challenge.to_vec(), Open::Install(given.session)))
            }
            _ => {
                let staged = Self::challenge::<purpose::Operate>(self, now, rng).map_err(Challenge::Refused)?;
                let given = staged.commit(|record| flash.put(record)).map_err(Challenge::Store)?;
                Ok((given.challenge.to_vec(), Open::Operate(given.session)))
            }
        }
    }

    fn answer(
        &mut self,
        session: Open,
        request: Request,
        bytes: &[u8],
        now: Now,
        rng: Rng<'_>,
        flash: &mut Flash,
    ) -> Answered {
        let put = |record: &Record| flash.put(record);
        match session {
            Open::Install(session) => {
                let installed = self.install(session, bytes, now, rng)?.commit(put)?;
                Ok((installed.receipt.to_vec(), Effect::Nothing))
            }
            Open::Operate(session) => match request {
                Request::Command => {
                    let commanded = self.command(session, bytes, now)?.commit(put)?;
                    let effect = match commanded.operation {
                        Operation::Act { action } => Effect::Bolt(action),
                        Operation::SetClock { to } => Effect::Clock(to),
                        _ => Effect::Nothing,
                    };
                    Ok((commanded.done.to_vec(), effect))
                }
                Request::Provision => {
                    let owned = self.provision(session, bytes, now)?.commit(put)?;
                    Ok((owned.provisioned.to_vec(), Effect::Nothing))
                }
                Request::Reset { button: false } => Err(Fail::NoButton),
                Request::Reset { button: true } => {
                    let button = PhysicalPresence::button_is_pressed();
                    self.factory_reset(session, bytes, button, now, rng)?.commit(put)?;
                    Ok((Vec::new(), Effect::MakeAnew))
                }
                Request::Unlock | Request::Install => {
                    let unlocked = self.unlock(session, bytes, now)?.commit(put)?;
                    // Only here is there an `Unlocked` to move the bolt by.
                    Ok((unlocked.reply.to_vec(), Effect::Bolt(unlocked.action)))
                }
            },
        }
    }
}

/// Why a lock did not boot.
pub enum Dead {
    Load(LoadError),
    Provider(ProviderFailed),
}

type Booted = Result<Box<dyn AnyLock>, Dead>;

/// Boots the lock from what is on its flash.
fn boot<const SLOTS: usize>(card: [u8; 16], flash: &Flash) -> Booted {
    let seed = StoredSeed::read(flash.seed().found()).map_err(Dead::Load)?;
    let card = ActivationSecret::from_bytes(card);
    let mut lock = Lock::<Ring, SLOTS>::load(CRYPTO, card, &seed).map_err(Dead::Provider)?;
    for cell in Lock::<Ring, SLOTS>::cells() {
        // Each cell is read once after loading, so none is refused; what is damaged stays so.
        let _ = lock.reload(cell, flash.get(cell).as_deref());
    }
    Ok(Box::new(lock))
}

/// Makes the lock: one record after the other. Where that ends early, the next boot does it again.
fn make<const SLOTS: usize>(card: [u8; 16], flash: &mut Flash, rng: Rng<'_>) -> anyhow::Result<()> {
    let card = ActivationSecret::from_bytes(card);
    let mut making = Making::<Ring, SLOTS>::new(CRYPTO, card, flash.seed().found(), rng)?;
    while let Some(record) = making.record()? {
        flash.put(&record)?;
        making.written();
    }
    Ok(())
}

/// How to make and boot a lock of one size.
pub struct Size {
    pub boot: fn([u8; 16], &Flash) -> Booted,
    pub make: fn([u8; 16], &mut Flash, Rng<'_>) -> anyhow::Result<()>,
}

macro_rules! sizes {
    ($($slots:literal)*) => {
        /// The sizes that there are.
        pub const SIZES: &[usize] = &[$($slots),*];

        /// The lock with this many slots; `None` where this program has none of that size.
        pub fn size(slots: usize) -> Option<Size> {
            match slots {
                $($slots => Some(Size { boot: boot::<$slots>, make: make::<$slots> }),)*
                _ => None,
            }
        }
    };
}

sizes!(1 2 3 4 5 6 7 8 9 10 16 32 64 255);
