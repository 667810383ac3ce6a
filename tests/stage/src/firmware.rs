//! What every firmware does around the lock's role, once: make a lock, boot it, put a request to it. Over any provider
//! and any store; what becomes of a staged operation, a [`Finish`] says.

use std::borrow::Cow;

use rand_core::CryptoRng;
use sharekey::error::{LoadError, LockError};
use sharekey::lock::{Cell, Challenged, Commanded, Erased, Found, Installed, Lock, Making, Now, Owned, Pending};
use sharekey::lock::{PhysicalPresence, Record, Refusal, Session, Staged, StoredSeed, Unlocked, purpose};
use sharekey::secret::ActivationSecret;

use crate::provider::Plain;

/// Where a lock keeps its records.
pub trait Flash {
    type Error: core::fmt::Debug;

    fn put(&mut self, record: &Record) -> Result<(), Self::Error>;

    /// What is in the cell of the seed, for which nothing there and unreadable are told apart.
    fn seed<T>(&self, look: impl FnOnce(Found<'_>) -> T) -> T;

    /// What is in another cell; `None` where there is nothing that can be read.
    fn read(&self, cell: Cell) -> Option<Cow<'_, [u8]>>;
}

/// Makes a lock, at the factory or after a reset.
pub fn make<C: Plain, const SLOTS: usize>(
    card: [u8; 16],
    flash: &mut impl Flash,
    rng: &mut impl CryptoRng,
) -> Lock<C, SLOTS> {
    make_with(C::default(), card, flash, rng)
}

/// The same with a provider that has a state of its own.
pub fn make_with<C: sharekey::crypto::Crypto, const SLOTS: usize>(
    crypto: C,
    card: [u8; 16],
    flash: &mut impl Flash,
    rng: &mut impl CryptoRng,
) -> Lock<C, SLOTS> {
    let card = ActivationSecret::from_bytes(card);
    let mut making = flash.seed(|found| Making::new(crypto, card, found, rng)).unwrap();
    while let Some(record) = making.record().unwrap() {
        flash.put(&record).unwrap();
        making.written();
    }
    making.finish().unwrap_or_else(|_| panic!("all records are written"))
}

/// Boots: what is left is what was stored.
///
/// # Errors
/// Why there is no lock to boot.
pub fn boot<C: Plain, const SLOTS: usize>(card: [u8; 16], flash: &impl Flash) -> Result<Lock<C, SLOTS>, LoadError> {
    let mut lock = load(card, flash)?;
    for cell in Lock::<C, SLOTS>::cells() {
        lock.reload(cell, flash.read(cell).as_deref()).unwrap();
    }
    Ok(lock)
}

/// A lock that just booted, with none of its cells read.
///
/// # Errors
/// Why there is no lock to boot.
pub fn load<C: Plain, const SLOTS: usize>(card: [u8; 16], flash: &impl Flash) -> Result<Lock<C, SLOTS>, LoadError> {
    let seed = flash.seed(StoredSeed::read)?;
    Ok(Lock::load(C::default(), ActivationSecret::from_bytes(card), &seed).unwrap())
}

/// A session for either purpose.
pub enum AnySession {
    Install(Session<purpose::Install>),
    Operate(Session<purpose::Operate>),
}

/// For what a challenge is asked.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum For {
    Install,
    Operate,
}

/// Which call of the lock a message is given to. What is meant for another purpose than its session's goes to
/// [`Lock::install`] or [`Lock::unlock`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum To {
    Install,
    Unlock,
    Command,
    Provision,
    Reset,
}

impl To {
    pub const ALL: [Self; 5] = [Self::Install, Self::Unlock, Self::Command, Self::Provision, Self::Reset];
}

/// What an accepted operation gave.
pub enum Output {
    ForInstall(Challenged<purpose::Install>),
    ToOperate(Challenged<purpose::Operate>),
    Owned(Owned),
    Commanded(Commanded),
    Installed(Installed),
    Unlocked(Unlocked),
    Erased(Erased),
}

/// What one gives once its record is written.
pub enum Waiting {
    ForInstall(Pending<Challenged<purpose::Install>>),
    ToOperate(Pending<Challenged<purpose::Operate>>),
    Owned(Pending<Owned>),
    Commanded(Pending<Commanded>),
    Installed(Pending<Installed>),
    Unlocked(Pending<Unlocked>),
    Erased(Pending<Erased>),
}

/// A result of the lock, one of those of [`Output`].
pub trait Outcome: Sized {
    fn output(self) -> Output;
    fn waiting(pending: Pending<Self>) -> Waiting;
}

macro_rules! results {
    ($($name:ident($type:ty)),* $(,)?) => {
        $(impl Outcome for $type {
            fn output(self) -> Output {
                Output::$name(self)
            }

            fn waiting(pending: Pending<Self>) -> Waiting {
                Waiting::$name(pending)
            }
        })*

        impl Waiting {
            /// Reports that the record was written durably.
            ///
            /// # Errors
            /// As [`Lock::written`].
            pub fn written<C: sharekey::crypto::Crypto, const SLOTS: usize>(
                self,
                lock: &mut Lock<C, SLOTS>,
            ) -> Result<Output, LockError> {
                match self {
                    $(Self::$name(pending) => lock.written(pending).map(Output::$name),)*
                }
            }

            /// Gives up an operation without a record.
            ///
            /// # Errors
            /// As [`Lock::abandon`].
            pub fn abandon<C: sharekey::crypto::Crypto, const SLOTS: usize>(
                self,
                lock: &mut Lock<C, SLOTS>,
            ) -> Result<(), LockError> {
                match self {
                    $(Self::$name(pending) => lock.abandon(pending),)*
                }
            }
        }
    };
}

results! {
    ForInstall(Challenged<purpose::Install>),
    ToOperate(Challenged<purpose::Operate>),
    Owned(Owned),
    Commanded(Commanded),
    Installed(Installed),
    Unlocked(Unlocked),
    Erased(Erased),
}

/// What becomes of an operation that the lock accepted and staged.
pub trait Finish {
    type Out;

    fn finish<T: Outcome>(&mut self, staged: Staged<'_, T>) -> Self::Out;
}

/// Stages an operation and drops it.
pub struct Forget;

impl Finish for Forget {
    type Out = ();

    fn finish<T: Outcome>(&mut self, staged: Staged<'_, T>) {
        drop(staged);
    }
}

/// Writes the record to a store that must take it.
pub struct Put<'f, F>(pub &'f mut F);

impl<F: Flash> Finish for Put<'_, F> {
    type Out = Output;

    fn finish<T: Outcome>(&mut self, staged: Staged<'_, T>) -> Output {
        staged.commit(|record| self.0.put(record)).unwrap().output()
    }
}

/// Somebody connects.
///
/// # Errors
/// Why there is no challenge.
pub fn challenge<C: sharekey::crypto::Crypto, const SLOTS: usize, F: Finish>(
    lock: &mut Lock<C, SLOTS>,
    purpose: For,
    now: Now,
    rng: &mut impl CryptoRng,
    finish: &mut F,
) -> Result<F::Out, LockError> {
    Ok(match purpose {
        For::Install => finish.finish(lock.challenge::<purpose::Install>(now, rng)?),
        For::Operate => finish.finish(lock.challenge::<purpose::Operate>(now, rng)?),
    })
}

/// Puts a message to the lock; the button inside is pressed.
///
/// # Errors
/// Why it is refused, and the answer.
pub fn send<C: sharekey::crypto::Crypto, const SLOTS: usize, F: Finish>(
    lock: &mut Lock<C, SLOTS>,
    (session, to): (AnySession, To),
    message: &[u8],
    now: Now,
    rng: &mut impl CryptoRng,
    finish: &mut F,
) -> Result<F::Out, Refusal> {
    let session = match session {
        AnySession::Operate(session) => session,
        AnySession::Install(session) => return Ok(finish.finish(lock.install(session, message, now, rng)?)),
    };
    Ok(match to {
        To::Unlock | To::Install => finish.finish(lock.unlock(session, message, now)?),
        To::Command => finish.finish(lock.command(session, message, now)?),
        To::Provision => finish.finish(lock.provision(session, message, now)?),
        To::Reset => {
            let button = PhysicalPresence::button_is_pressed();
            finish.finish(lock.factory_reset(session, message, button, now, rng)?)
        }
    })
}
