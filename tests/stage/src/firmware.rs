//! What every test does around the lock's typed calls, once: boot it, put a request to it. Over any provider and any
//! store; what becomes of a staged operation, a [`Finish`] says.
//!
//! A firmware has [`Door`] and `Lock::step` for all of this, and tests of their own. They know one session of a purpose, the
//! newest, and give a message to the call that it is meant for. A test keeps sessions that a newer one closed or that
//! are of another purpose, gives any message to any call, looks into a typed result, and boots with cells that are not
//! read yet; so it has the calls below them.

use core::fmt::Debug;

use rand_core::CryptoRng;
use sharekey::crypto::Crypto;
use sharekey::error::{LoadError, LockError};
use sharekey::lock::{Accepted, PhysicalPresence, Record, Refusal, Session, Store, StoredSeed, Unlocked, purpose};
use sharekey::lock::{
    Board, Cell, Challenged, Commanded, Door, Erased, Installed, Lock, Making, NewOwner, Now, Pending,
};
use sharekey::secret::ActivationSecret;

pub use crate::ops::{For, To};

/// Boots, and makes a lock where none is.
pub fn boot<C: Crypto, const SLOTS: usize>(
    crypto: C,
    card: [u8; 16],
    board: impl Board<Error: Debug>,
    rng: &mut impl CryptoRng,
) -> Lock<C, SLOTS> {
    Door::boot(crypto, ActivationSecret::from_bytes(card), board, rng).unwrap().into_parts().0
}

/// Begins to make a lock, for those who look at each record on its way, or stop between two.
pub fn begin<C: Crypto, const SLOTS: usize>(
    crypto: C,
    card: [u8; 16],
    mut store: impl Store,
    rng: &mut impl CryptoRng,
) -> Making<C, SLOTS> {
    let card = ActivationSecret::from_bytes(card);
    store.read(Cell::Seed, |found| Making::new(crypto, card, found, rng)).unwrap()
}

/// Writes the records of a lock that is being made, in their order.
///
/// # Errors
/// Why one was not written; the making waits for it.
pub fn records<C: Crypto, const SLOTS: usize, E>(
    making: &mut Making<C, SLOTS>,
    mut put: impl FnMut(&Record) -> Result<(), E>,
) -> Result<(), E> {
    while let Some(record) = making.record().unwrap() {
        put(&record)?;
        making.written();
    }
    Ok(())
}

/// The lock, of which every record is written.
pub fn made<C: Crypto, const SLOTS: usize>(making: Making<C, SLOTS>) -> Lock<C, SLOTS> {
    making.finish().unwrap_or_else(|_| panic!("all records are written"))
}

/// A lock that just booted, of whose cells those are read that `reads` says.
///
/// # Errors
/// Why there is no lock to boot.
pub fn load<C: Crypto, const SLOTS: usize>(
    crypto: C,
    card: [u8; 16],
    mut store: impl Store,
    reads: impl Fn(Cell) -> bool,
) -> Result<Lock<C, SLOTS>, LoadError> {
    let seed = store.read(Cell::Seed, |found| StoredSeed::read(&crypto, found))?;
    let mut lock = Lock::load(crypto, ActivationSecret::from_bytes(card), &seed).unwrap();
    for cell in Lock::<C, SLOTS>::cells().filter(|cell| reads(*cell)) {
        store.read(cell, |found| lock.reload(cell, found)).unwrap();
    }
    Ok(lock)
}

/// A session for either purpose.
pub enum AnySession {
    Install(Session<purpose::Install>),
    Operate(Session<purpose::Operate>),
}

impl From<Session<purpose::Install>> for AnySession {
    fn from(session: Session<purpose::Install>) -> Self {
        Self::Install(session)
    }
}

impl From<Session<purpose::Operate>> for AnySession {
    fn from(session: Session<purpose::Operate>) -> Self {
        Self::Operate(session)
    }
}

/// A result of the lock, one of those of [`Output`].
pub trait Outcome: Sized + sharekey::lock::FromPlan {
    fn output(self) -> Output;
    fn of(output: Output) -> Option<Self>;
    fn waiting(pending: Pending<Self>) -> Waiting;
    fn pending(waiting: Waiting) -> Option<Pending<Self>>;
}

macro_rules! results {
    ($($name:ident($type:ty) $said:expr),* $(,)?) => {
        /// What an accepted operation gave.
        pub enum Output {
            $($name($type),)*
        }

        /// What one gives once its record is written.
        pub enum Waiting {
            $($name(Pending<$type>),)*
        }

        $(impl Outcome for $type {
            fn output(self) -> Output {
                Output::$name(self)
            }

            fn of(output: Output) -> Option<Self> {
                if let Output::$name(result) = output { Some(result) } else { None }
            }

            fn waiting(pending: Pending<Self>) -> Waiting {
                Waiting::$name(pending)
            }

            fn pending(waiting: Waiting) -> Option<Pending<Self>> {
                if let Waiting::$name(pending) = waiting { Some(pending) } else { None }
            }
        })*

        impl Output {
            /// What the lock answers; nothing after a factory reset.
            pub fn answer(&self) -> &[u8] {
                match self {
                    $(Self::$name(result) => {
                        let said: fn(&$type) -> &[u8] = $said;
                        said(result)
                    })*
                }
            }

            /// What somebody who connected was given.
            pub fn given(self) -> (Vec<u8>, AnySession) {
                match self {
                    Self::ForInstall(given) => (given.challenge.to_vec(), given.session.into()),
                    Self::ToOperate(given) => (given.challenge.to_vec(), given.session.into()),
                    _ => panic!("no challenge"),
                }
            }

            /// The result of an operation that gives this one.
            pub fn take<T: Outcome>(self) -> T {
                T::of(self).unwrap_or_else(|| panic!("another result than {}", core::any::type_name::<T>()))
            }
        }

        impl Waiting {
            /// The cell that is held.
            pub fn cell(&self) -> Cell {
                match self {
                    $(Self::$name(pending) => pending.cell(),)*
                }
            }

            /// Reports that the record was written durably.
            ///
            /// # Errors
            /// As [`Lock::written`].
            pub fn written<C: Crypto, const SLOTS: usize>(
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
            pub fn abandon<C: Crypto, const SLOTS: usize>(
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
    ForInstall(Challenged<purpose::Install>) |given| &given.challenge,
    ToOperate(Challenged<purpose::Operate>) |given| &given.challenge,
    Owned(NewOwner) |owned| &owned.provisioned,
    Commanded(Commanded) |commanded| &commanded.done,
    Installed(Installed) |installed| &installed.receipt,
    Unlocked(Unlocked) |unlocked| &unlocked.reply,
    Erased(Erased) |_| &[],
}

/// What becomes of an operation that the lock accepted and staged.
pub trait Finish {
    type Out;

    fn finish<T: Outcome>(&mut self, staged: Accepted<'_, T>) -> Self::Out;
}

/// Stages an operation and drops it.
pub struct Forget;

impl Finish for Forget {
    type Out = ();

    fn finish<T: Outcome>(&mut self, staged: Accepted<'_, T>) {
        drop(staged);
    }
}

/// Takes the operation off the lock, to be reported later.
pub struct Detach;

impl Finish for Detach {
    type Out = (Option<Record>, Waiting);

    fn finish<T: Outcome>(&mut self, staged: Accepted<'_, T>) -> Self::Out {
        let (record, pending) = staged.detach();
        (record, T::waiting(pending))
    }
}

/// Writes the record to a store that must take it.
pub struct Put<'s, S>(pub &'s mut S);

impl<S: Store<Error: Debug>> Finish for Put<'_, S> {
    type Out = Output;

    fn finish<T: Outcome>(&mut self, staged: Accepted<'_, T>) -> Output {
        staged.commit(|record| self.0.put(record)).unwrap().output()
    }
}

/// Somebody connects.
///
/// # Errors
/// Why there is no challenge.
pub fn challenge<C: Crypto, const SLOTS: usize, F: Finish>(
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

/// Puts a message to the lock; the button inside is pressed. What is meant for another purpose than its session's goes
/// to [`Lock::install`] or [`Lock::unlock`].
///
/// # Errors
/// Why it is refused, and the answer.
pub fn send<C: Crypto, const SLOTS: usize, F: Finish>(
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
