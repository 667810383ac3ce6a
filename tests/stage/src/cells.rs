//! Records made by hand under the lock's own keys, and what else a test of records needs.

use sharekey::counter::Epoch;
use sharekey::crypto::Crypto;
use sharekey::error::LockError;
use sharekey::id::SlotId;
use sharekey::limits::{Limits, OffsetChange, Schedule, Timestamp, UtcOffset, Weekdays};
use sharekey::lock::{Cell, Clock, Commanded, Refusal};
use sharekey::message::Operation;

use super::forge::{self, label};
use super::provider::Provider;
use super::stand::{CARD, NOON, OWNER, SERVICE, SLOTS, Stand, TestLock};
use super::store::Store;
use super::{firmware, public, seed};

pub const SLOT_0: Cell = Cell::Slot(SlotId::new(0));
pub const SLOT_1: Cell = Cell::Slot(SlotId::new(1));
pub const SLOT_2: Cell = Cell::Slot(SlotId::new(2));

/// What stands before the content of a cell's record.
pub fn prefix(cell: Cell) -> [u8; 5] {
    let (kind, index) = match cell {
        Cell::Seed => (1, 0),
        Cell::Header => (2, 0),
        Cell::Counter => (3, 0),
        Cell::Slot(slot) => (4, slot.index()),
    };
    [b'S', b'R', 1, kind, index]
}

/// Appends the MAC of the lock whose seed is in `store`.
pub fn tag_record(store: &Store, covered: Vec<u8>) -> Vec<u8> {
    forge::tag(covered, &forge::derived(&store.get(Cell::Seed).unwrap()[5..37], label::RECORD_MAC))
}

/// The record of `cell` with this content, as the lock itself would write it.
pub fn record(store: &Store, cell: Cell, content: &[u8]) -> Vec<u8> {
    tag_record(store, [&prefix(cell)[..], content].concat())
}

/// The content of the header of an epoch of [`OWNER`] and [`SERVICE`].
pub fn owned(epoch: u32) -> Vec<u8> {
    let (owner, service) = (public(&seed(OWNER)), public(&seed(SERVICE)));
    [&[SLOTS as u8, 2][..], &epoch.to_le_bytes(), owner.as_bytes(), service.as_bytes()].concat()
}

/// The content of the counter's record, whose clock was set in this epoch.
pub fn counter(ceiling: u64, latest: u64, set_in: u32) -> Vec<u8> {
    [&ceiling.to_le_bytes()[..], &latest.to_le_bytes(), &set_in.to_le_bytes()].concat()
}

/// The ceiling and the latest time on flash.
pub fn stored_counter(store: &Store) -> (u64, u64) {
    let content = store.get(Cell::Counter).unwrap()[5..21].as_chunks().0.to_vec();
    (u64::from_le_bytes(content[0]), u64::from_le_bytes(content[1]))
}

/// The epoch in which the clock was set, on flash.
pub fn set_in(store: &Store) -> u32 {
    u32::from_le_bytes(store.get(Cell::Counter).unwrap()[21..25].try_into().unwrap())
}

/// The content of an inactive (1) or empty (2) slot's record.
pub fn slot(epoch: u32, floor: u32, tag: u8) -> Vec<u8> {
    [&epoch.to_le_bytes()[..], &floor.to_le_bytes(), &[tag]].concat()
}

/// Limits, with moments in seconds.
pub fn limits(from: Option<u64>, until: Option<u64>, schedule: Option<Schedule>, uses: Option<u32>) -> Limits {
    let at = |moment: Option<u64>| moment.map(Timestamp::from_unix_seconds);
    Limits::new(at(from), at(until), schedule, uses).unwrap()
}

/// A number of openings, and nothing else.
pub fn uses(uses: u32) -> Limits {
    limits(None, None, None, Some(uses))
}

/// A first and a last moment, and nothing else.
pub fn dates(from: u64, until: u64) -> Limits {
    limits(Some(from), Some(until), None, None)
}

/// Every limit that there is, each wide open at [`NOON`], and this number of openings.
pub fn every_limit(uses: u32) -> Limits {
    let next = OffsetChange { at: Timestamp::from_unix_seconds(NOON * 2), offset: UtcOffset::UTC };
    let schedule = Schedule::new(Weekdays::ALL, 0, 1440, UtcOffset::UTC, Some(next)).unwrap();
    limits(Some(1), Some(NOON * 2), Some(schedule), Some(uses))
}

/// A lock that just booted, with none of its cells read.
pub fn load(store: &Store) -> TestLock {
    firmware::load(Provider, CARD, store, |_| false).unwrap()
}

impl<C: Crypto + Clone> Stand<C> {
    /// Puts a record with this content on flash, as the lock itself would write it.
    pub fn forge(&mut self, cell: Cell, content: &[u8]) {
        let bytes = self.record(cell, content);
        self.store.set(cell, bytes);
    }

    /// The record of a cell with this content, as the lock itself would write it.
    pub fn record(&self, cell: Cell, content: &[u8]) -> Vec<u8> {
        record(&self.store, cell, content)
    }

    /// A copy of what is on flash in a cell.
    pub fn stored(&self, cell: Cell) -> Vec<u8> {
        self.store.get(cell).unwrap().to_vec()
    }

    /// Reads a cell again, as it is on flash.
    pub fn reload(&mut self, cell: Cell) -> Result<(), LockError> {
        self.lock.reload(cell, self.store.found(cell))
    }

    /// Boots with one cell spoilt; flash is left as it was.
    pub fn boot_with(&mut self, cell: Cell, bytes: Option<&[u8]>) {
        self.boot_spoilt(cell, bytes, &[]);
    }

    /// Both.
    pub fn boot_spoilt(&mut self, cell: Cell, bytes: Option<&[u8]>, unread: &[Cell]) {
        let kept = self.store.clone();
        match bytes {
            Some(bytes) => self.store.set(cell, bytes.to_vec()),
            None => self.store.remove(cell),
        }
        self.boot_without(unread);
        self.store = kept;
    }

    /// Hands the lock over to the same owner and service: a new epoch.
    pub fn transfer_to_oneself(&mut self) {
        let _ = self.command(transfer()).unwrap();
    }

    pub fn set_clock(&mut self, seconds: u64) -> Result<Commanded, Refusal> {
        self.command(Operation::SetClock { to: Timestamp::from_unix_seconds(seconds) })
    }

    /// What the firmware's clock reads from here on.
    pub fn clock_reads(&mut self, seconds: u64) {
        self.clock = Clock::At(Timestamp::from_unix_seconds(seconds));
    }

    pub fn epoch(&self) -> Result<Epoch, LockError> {
        self.lock.ownership().map(|owned| owned.epoch)
    }
}

pub fn transfer() -> Operation {
    Operation::Transfer { owner: public(&seed(OWNER)), service: public(&seed(SERVICE)) }
}
