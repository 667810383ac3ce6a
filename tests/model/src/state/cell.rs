//! What a lock keeps, and how each cell stands in memory.

use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use super::op::Read;
use sharekey::counter::{Counter, Epoch, Generation};
use sharekey::crypto::{Digest, PublicKey};
use sharekey::error::LockError;
use sharekey::id::SlotId;
use sharekey::limits::{Limits, Rights, Timestamp};
use sharekey::lock::{Cell, Condition};
use sharekey::message::{Holding, SlotReport};

/// Who owns the lock.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum HeaderModel {
    /// Nobody.
    Unprovisioned,
    /// An owner.
    Owned {
        /// Since this epoch began.
        epoch: Epoch,
        /// The owner.
        owner: PublicKey,
        /// The service.
        service: PublicKey,
    },
}

/// The replay counter on flash.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct CounterModel {
    /// No number at or above it was used.
    pub ceiling: Counter,
    /// The latest time known.
    pub latest: Timestamp,
    /// The epoch in which an owner set the clock; 0 for none.
    pub set_in: Epoch,
}

/// A key in a slot.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct KeyModel {
    /// The grant's digest.
    pub grant: Digest,
    /// Whose it is.
    pub device: PublicKey,
    /// Its pairing key, by the number that the model gave it.
    pub pairing: u64,
    /// What it may do.
    pub rights: Rights,
    /// When, and how often.
    pub limits: Limits,
    /// How many openings were counted.
    pub used: u32,
}

/// What a slot holds.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Holds {
    /// Nothing: it is closed.
    Inactive,
    /// Nothing yet.
    Empty,
    /// A key.
    Installed(KeyModel),
}

/// A slot.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct SlotModel {
    /// The epoch of its last write.
    pub epoch: Epoch,
    /// Its floor.
    pub floor: Generation,
    /// What it holds.
    pub holds: Holds,
}

impl SlotModel {
    /// Nothing was written in it yet.
    pub const UNTOUCHED: Self = Self { epoch: Epoch::ZERO, floor: Generation::ZERO, holds: Holds::Inactive };

    /// What an Inspect says of it.
    #[must_use]
    pub const fn report(&self) -> SlotReport {
        let holding = match self.holds {
            Holds::Inactive => Holding::Inactive,
            Holds::Empty => Holding::Empty,
            Holds::Installed(key) => Holding::Installed { grant: key.grant, device: key.device },
        };
        SlotReport { floor: self.floor, holding }
    }

    /// How many openings were counted of the key, where there is one. What comes after a key, at one floor, is none.
    fn used(&self) -> u64 {
        match self.holds {
            Holds::Installed(key) => key.used.into(),
            Holds::Inactive | Holds::Empty => u64::MAX,
        }
    }
}

impl HeaderModel {
    /// The number of the ownership; 0 for none.
    #[must_use]
    pub const fn epoch(&self) -> Epoch {
        match self {
            Self::Unprovisioned => Epoch::ZERO,
            Self::Owned { epoch, .. } => *epoch,
        }
    }
}

/// The content of one record.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Content {
    /// The seed: which lock it is, and whether it was made to the end.
    Seed {
        /// Which lock, by the number that the model gave it.
        lock: u64,
        /// Whether its making came to an end.
        initialised: bool,
    },
    /// The header.
    Header(HeaderModel),
    /// The counter's record.
    Counter(CounterModel),
    /// A slot.
    Slot(SlotId, SlotModel),
}

impl Content {
    /// Where it is kept.
    #[must_use]
    pub const fn cell(&self) -> Cell {
        match self {
            Self::Seed { .. } => Cell::Seed,
            Self::Header(_) => Cell::Header,
            Self::Counter(_) => Cell::Counter,
            Self::Slot(slot, _) => Cell::Slot(*slot),
        }
    }
}

/// What is in the store, and was: every write of every cell, the last one last. Only records of the
/// present lock; those of an earlier one are foreign.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default)]
pub struct Flash {
    /// What was written.
    pub writes: BTreeMap<Cell, Vec<Content>>,
}

impl Flash {
    /// Writes a record.
    pub fn put(&mut self, content: Content) {
        self.writes.entry(content.cell()).or_default().push(content);
    }

    /// What was written last.
    #[must_use]
    pub fn newest(&self, cell: Cell) -> Option<Content> {
        self.writes.get(&cell).and_then(|writes| writes.last()).copied()
    }

    /// What a reading finds.
    #[must_use]
    pub fn read(&self, cell: Cell, read: Read) -> Option<Content> {
        match read {
            Read::Newest => self.newest(cell),
            Read::Older(by) => self.writes.get(&cell)?.iter().rev().nth(by).copied(),
            Read::Spoilt | Read::NotYet => None,
        }
    }
}

/// What a cell waits for.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Hold {
    /// Nothing.
    Idle,
    /// To be read for the first time.
    Unread,
    /// To be read again, after a write that failed.
    Failed,
    /// For the report of a detached operation.
    Pending(u64),
}

/// One cell in memory.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct CellModel<T> {
    /// The newest content known since boot.
    pub known: Option<T>,
    /// What was read last was no sound record, or an older one.
    pub damaged: bool,
    /// What it waits for.
    pub hold: Hold,
}

impl<T: Copy + Aged> CellModel<T> {
    pub(super) const UNREAD: Self = Self { known: None, damaged: false, hold: Hold::Unread };

    pub(super) const fn of(content: T) -> Self {
        Self { known: Some(content), damaged: false, hold: Hold::Idle }
    }

    pub(super) fn idle(&self) -> bool {
        self.hold == Hold::Idle
    }

    /// The content, of a cell that waits for nothing and is sound.
    pub(super) fn ready(&self, damaged: LockError) -> Result<T, LockError> {
        if !self.idle() {
            return Err(LockError::Busy);
        }
        self.known.filter(|_| !self.damaged).ok_or(damaged)
    }

    /// Takes what was read.
    pub(super) fn reload(&mut self, read: Option<T>) -> Result<Option<T>, LockError> {
        if self.idle() && !self.damaged {
            return Err(LockError::NotBusy);
        }
        let read = read.filter(|read| self.known.is_none_or(|known| !read.is_older(&known)));
        self.hold = Hold::Idle;
        self.damaged = read.is_none();
        self.known = read.or(self.known);
        Ok(read)
    }

    pub(super) fn condition(&self) -> Condition {
        match self.hold {
            Hold::Idle if self.damaged => Condition::Damaged,
            hold => hold.condition(),
        }
    }
}

impl Hold {
    pub(super) const fn condition(self) -> Condition {
        match self {
            Self::Idle => Condition::Ready,
            Self::Unread => Condition::Unread,
            Self::Failed => Condition::Failed,
            Self::Pending(_) => Condition::Pending,
        }
    }
}

/// What tells an older copy of a cell from a newer one: numbers that never go down.
pub trait Aged {
    /// Whether it is older than what is known.
    fn is_older(&self, known: &Self) -> bool;

    /// The epoch that it shows; 0 for none.
    fn shows(&self) -> Epoch;
}

impl Aged for HeaderModel {
    fn is_older(&self, known: &Self) -> bool {
        self.epoch() < known.epoch()
    }

    fn shows(&self) -> Epoch {
        self.epoch()
    }
}

impl Aged for CounterModel {
    fn is_older(&self, known: &Self) -> bool {
        self.ceiling < known.ceiling || self.set_in < known.set_in
    }

    fn shows(&self) -> Epoch {
        self.set_in
    }
}

impl Aged for SlotModel {
    fn is_older(&self, known: &Self) -> bool {
        (self.epoch, self.floor, self.used()) < (known.epoch, known.floor, known.used())
    }

    fn shows(&self) -> Epoch {
        self.epoch
    }
}

impl Content {
    /// The epoch that it shows; 0 for none.
    #[must_use]
    pub fn shows(&self) -> Epoch {
        match self {
            Self::Seed { .. } => Epoch::ZERO,
            Self::Header(header) => header.shows(),
            Self::Counter(counter) => counter.shows(),
            Self::Slot(_, slot) => slot.shows(),
        }
    }
}
