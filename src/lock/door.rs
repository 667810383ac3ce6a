//! The front door: boot, then a frame in and an answer out, over a board that can store and set its clock.

use rand_core::CryptoRng;

use super::accepted::Accepted;
use super::keys::LockKeys;
use super::make::make;
use super::record::{Cell, Found, Record, StoredSeed, seed_before};
use super::reset::PhysicalPresence;
use super::step::{Answer, Effect, Served, Then, fill};
use super::{Lock, Now};
use crate::crypto::Crypto;
use crate::error::{BootError, LoadError, ServeError};
use crate::limits::Timestamp;
use crate::secret::ActivationSecret;
use crate::wire;

/// Where a lock keeps its records: one in each cell (spec: "The store's contract").
pub trait Store {
    /// Why the store failed.
    type Error;

    /// Puts the record into its cell, in the place of what is there: durable when this returns, and atomic over a
    /// power cut. A put that failed does not take effect later.
    ///
    /// # Errors
    /// Whatever the store fails with; what the cell holds then, the next reading tells.
    fn put(&mut self, record: &Record) -> Result<(), Self::Error>;

    /// Shows what is in a cell: nothing, because it was never written; its bytes; or that there is something that
    /// cannot be read. Never the one for the other: a lock is made where nothing is, and making it erases one.
    fn read<T>(&mut self, cell: Cell, look: impl FnOnce(Found<'_>) -> T) -> T;
}

/// What a door needs of the board that it runs on.
pub trait Board: Store {
    /// Sets the board's clock, which [`Now::clock`](super::Now::clock) tells from then on. `None` where a lock is made:
    /// whatever the clock reads, it is [`Unset`](super::Clock::Unset) until it is set again. A board without a clock
    /// does nothing.
    ///
    /// # Errors
    /// Where it could not be set: the owner's command is dropped, or the making put off.
    fn set_clock(&mut self, to: Option<Timestamp>) -> Result<(), Self::Error>;
}

impl<S: Store> Store for &mut S {
    type Error = S::Error;

    fn put(&mut self, record: &Record) -> Result<(), Self::Error> {
        (**self).put(record)
    }

    fn read<T>(&mut self, cell: Cell, look: impl FnOnce(Found<'_>) -> T) -> T {
        (**self).read(cell, look)
    }
}

impl<B: Board> Board for &mut B {
    fn set_clock(&mut self, to: Option<Timestamp>) -> Result<(), Self::Error> {
        (**self).set_clock(to)
    }
}

/// A lock on its board: made or loaded by [`boot`](Self::boot), and asked by [`serve`](Self::serve). Other loops go
/// over [`Lock::step`].
pub struct Door<C: Crypto, B: Board, const SLOTS: usize> {
    lock: Lock<C, SLOTS>,
    board: B,
}

impl<C: Crypto, B: Board, const SLOTS: usize> Door<C, B, SLOTS> {
    /// Loads the lock that the board's store holds; makes one where none was made to the end. `card` is the secret on
    /// the activation card. A record that cannot be read counts as damaged, after a second try.
    ///
    /// # Errors
    /// [`BootError`]. No lock was touched where the seed cannot be read.
    pub fn boot(
        crypto: C,
        card: ActivationSecret,
        mut board: B,
        rng: &mut (impl CryptoRng + ?Sized),
    ) -> Result<Self, BootError<B::Error>> {
        let (keys, made) = Self::keys(&crypto, &mut board, rng)?;
        let mut door = Self { lock: Lock::unread(crypto, card, keys), board };
        door.begin(made);
        Ok(door)
    }

    /// [`boot`](Self::boot) into a place where the door stays, such as a `static` or the frame of `main`: what it
    /// takes of the stack besides is less, for a lock is large.
    ///
    /// # Errors
    /// [`BootError`], as for [`boot`](Self::boot); the place is as it was.
    #[inline(never)]
    pub fn boot_in<'p>(
        place: &'p mut Option<Self>,
        crypto: C,
        card: ActivationSecret,
        mut board: B,
        rng: &mut (impl CryptoRng + ?Sized),
    ) -> Result<&'p mut Self, BootError<B::Error>> {
        let (keys, made) = Self::keys(&crypto, &mut board, rng)?;
        let door = Self::put(place, crypto, card, keys, board);
        door.begin(made);
        Ok(door)
    }

    /// Makes a lock, whatever is there: on the order of whoever services it, and never of itself. The owner, every key
    /// and the lock's identity are gone after it.
    ///
    /// # Errors
    /// [`BootError`]. The next boot goes on with the making.
    pub fn make_anew(
        crypto: C,
        card: ActivationSecret,
        mut board: B,
        rng: &mut (impl CryptoRng + ?Sized),
    ) -> Result<Self, BootError<B::Error>> {
        let keys = Self::make(&crypto, &mut board, rng)?;
        let mut door = Self { lock: Lock::unread(crypto, card, keys), board };
        door.begin(true);
        Ok(door)
    }

    /// The keys of the lock that the board's store holds, or of one that is made; and whether it was.
    #[inline(never)]
    fn keys(
        crypto: &C,
        board: &mut B,
        rng: &mut (impl CryptoRng + ?Sized),
    ) -> Result<(LockKeys<C>, bool), BootError<B::Error>> {
        let again = |board: &mut B| board.read(Cell::Seed, |found| StoredSeed::read(crypto, found));
        let seed = match again(board) {
            Err(LoadError::SeedDamaged) => again(board),
            read => read,
        };
        match seed {
            Ok(seed) => Ok((LockKeys::derive(crypto, seed.seed())?, false)),
            Err(LoadError::NotMade) => Ok((Self::make(crypto, board, rng)?, true)),
            Err(LoadError::SeedDamaged) => Err(BootError::SeedUnreadable),
            Err(LoadError::Seal(failed)) => Err(BootError::Seal(failed)),
        }
    }

    #[inline(never)]
    fn make(
        crypto: &C,
        board: &mut B,
        rng: &mut (impl CryptoRng + ?Sized),
    ) -> Result<LockKeys<C>, BootError<B::Error>> {
        board.set_clock(None).map_err(BootError::Board)?;
        let before = board.read(Cell::Seed, |found| seed_before(crypto, found));
        make::<C, _, SLOTS>(crypto, &before, rng, |record| board.put(record))?.map_err(BootError::Board)
    }

    /// Puts the lock together in a call of its own: what that takes of the stack is gone before the cells are read.
    #[inline(never)]
    fn put(place: &mut Option<Self>, crypto: C, card: ActivationSecret, keys: LockKeys<C>, board: B) -> &mut Self {
        place.insert(Self { lock: Lock::unread(crypto, card, keys), board })
    }

    /// Reads the cells, unless they were written just now.
    #[inline(never)]
    fn begin(&mut self, made: bool) {
        if made {
            self.lock.role.was_made();
        } else {
            Lock::<C, SLOTS>::cells().for_each(|cell| self.reload(cell));
            self.complete();
        }
    }

    /// Takes any frame that comes over the link, and gives what to send. `presence` says that the button inside is
    /// pressed; `rng` is fresh entropy. What [`Served::effect`] says is to be done before the answer is sent.
    ///
    /// Sessions, writes and their order are seen to. A cell whose write failed at an earlier frame is read again first;
    /// after a factory reset the next lock is made at once.
    ///
    /// # Errors
    /// [`ServeError`]: answer nothing.
    pub fn serve(
        &mut self,
        frame: &[u8],
        now: Now,
        presence: Option<PhysicalPresence>,
        rng: &mut (impl CryptoRng + ?Sized),
    ) -> Result<Served, ServeError<B::Error>> {
        let mut answer = wire::empty();
        let effect = self.serve_into(&mut answer, frame, now, presence, rng)?;
        Ok(Served { answer, effect })
    }

    /// [`serve`](Self::serve) where room is scarce: the answer goes into a place that stays, and is empty where nothing
    /// is to be sent.
    ///
    /// # Errors
    /// [`ServeError`]; the answer is empty then.
    #[inline(never)]
    pub fn serve_into(
        &mut self,
        answer: &mut Answer,
        frame: &[u8],
        now: Now,
        presence: Option<PhysicalPresence>,
        rng: &mut (impl CryptoRng + ?Sized),
    ) -> Result<Effect, ServeError<B::Error>> {
        answer.clear();
        self.heal(rng)?;
        let Self { lock, board } = self;
        let effect = match lock.plan(|role, plan| role.serve(frame, now, presence, rng, plan)) {
            Ok(accepted) => go_through(accepted, board, answer).map_err(ServeError::Board)?,
            Err(denial) => {
                fill(answer, denial.answer());
                Effect::Refused(denial.error)
            }
        };
        if effect == Effect::Reset {
            self.heal(rng)?;
        } else {
            self.complete();
        }
        Ok(effect)
    }

    /// The lock, to look at.
    #[must_use]
    pub const fn lock(&self) -> &Lock<C, SLOTS> {
        &self.lock
    }

    /// The lock, for a loop of one's own over [`Lock::step`]: what a failed write left is then to be read again there.
    pub const fn lock_mut(&mut self) -> &mut Lock<C, SLOTS> {
        &mut self.lock
    }

    /// Gives lock and board back, for a loop of one's own.
    #[must_use]
    pub fn into_parts(self) -> (Lock<C, SLOTS>, B) {
        (self.lock, self.board)
    }

    /// The board.
    pub const fn board(&mut self) -> &mut B {
        &mut self.board
    }

    /// Writes what the store lacks. Where it cannot, the lock goes on without, and the next boot or frame sees to it.
    #[inline(never)]
    fn complete(&mut self) {
        let Self { lock, board } = self;
        while let Ok(Some(accepted)) = lock.complete() {
            if accepted.commit(|record| board.put(record)).is_err() {
                return;
            }
        }
    }

    /// Reads what a failed write left; goes on with the lock that follows one that was reset.
    #[inline(never)]
    fn heal(&mut self, rng: &mut (impl CryptoRng + ?Sized)) -> Result<(), ServeError<B::Error>> {
        while let Some(cell) = self.lock.unsettled() {
            self.reload(cell);
        }
        if !self.lock.is_reset() {
            return Ok(());
        }
        let Self { lock, board } = self;
        // The seed that is there goes into the next one's. What cannot be read is not taken for a lock to be made.
        let crypto = &lock.role.crypto;
        let before = board.read(Cell::Seed, |found| match StoredSeed::read(crypto, found) {
            Err(LoadError::NotMade) => Ok(seed_before(crypto, found)),
            Err(LoadError::Seal(failed)) => Err(ServeError::Remake(failed)),
            Err(LoadError::SeedDamaged) | Ok(_) => Err(ServeError::Boot),
        })?;
        board.set_clock(None).map_err(ServeError::Board)?;
        lock.role
            .remake(&before, rng, |record| board.put(record))
            .map_err(ServeError::Remake)?
            .map_err(ServeError::Board)
    }

    /// Reads a cell again, twice where it cannot be read: what cannot be read counts as damaged.
    #[inline(never)]
    fn reload(&mut self, cell: Cell) {
        let Self { lock, board } = self;
        for last in [false, true] {
            let done = board.read(cell, |found| {
                if matches!(found, Found::Unreadable) && !last {
                    return false;
                }
                // A refusal says that the cell needed no reload, which the next frame tells too.
                let _ = lock.reload(cell, found);
                true
            });
            if done {
                return;
            }
        }
    }
}

#[inline(never)]
fn go_through<B: Board>(
    accepted: Accepted<'_, Effect>,
    board: &mut B,
    answer: &mut Answer,
) -> Result<Effect, B::Error> {
    //= spec/protocol.md#clock
    //# CLK-5. The firmware MUST set its clock to the time of a SetClock before the record is stored, and drop the operation where it could not.
    if let Then::Clock(to) = accepted.plan().then {
        board.set_clock(Some(to))?;
    }
    accepted.commit_into(answer, |record| board.put(record))
}

impl<C: Crypto, B: Board, const SLOTS: usize> core::fmt::Debug for Door<C, B, SLOTS> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Door").field("lock", &self.lock).finish_non_exhaustive()
    }
}
