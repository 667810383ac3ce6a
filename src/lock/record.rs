//! What the lock keeps on flash: one record a cell, each under a MAC (spec: "Records").

mod seed;

use arrayvec::ArrayVec;
use zeroize::Zeroizing;

pub(crate) use self::seed::seed_before;
pub use self::seed::{Found, StoredSeed};
use super::keys::{self, LockKeys};
use crate::counter::{Counter, Epoch, Generation};
use crate::crypto::{self, Crypto, Digest, PublicKey, Tag};
use crate::error::SealError;
use crate::id::{SlotCount, SlotId};
use crate::limits::{Limits, Rights, Timestamp};
use crate::message::{Holding, SlotReport};
use crate::secret::{MacKey, PairingKey, Seed};
use crate::wire::{self, Layout, fields, tagged};

/// The length of the longest record: a slot with a key under every limit.
pub const MAX_RECORD: usize = 173;

const MAGIC: [u8; 2] = *b"SR";
const VERSION: u8 = 1;
const PREFIX_LEN: usize = 5;

/// Where a record is kept. One operation writes one cell.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Cell {
    /// The seed that the lock's keys come from, and whether making the lock came to its end.
    Seed,
    /// Who owns the lock, and how many slots it has.
    Header,
    /// The replay counter's ceiling, and what the owner said of the time.
    Counter,
    /// One slot.
    Slot(SlotId),
}

impl Cell {
    /// A number for the store to file the cell under: 0, 1, 2, and 3 + index for the slots.
    #[must_use]
    pub fn key(self) -> u16 {
        match self {
            Self::Seed => 0,
            Self::Header => 1,
            Self::Counter => 2,
            Self::Slot(slot) => u16::from(slot.index()).saturating_add(3),
        }
    }

    /// Keeps one cell's record from being read as another's: part of what the MAC covers.
    fn prefix(self) -> [u8; PREFIX_LEN] {
        let (kind, index) = match self {
            Self::Seed => (1, 0),
            Self::Header => (2, 0),
            Self::Counter => (3, 0),
            Self::Slot(slot) => (4, slot.index()),
        };
        let [s, r] = MAGIC;
        [s, r, VERSION, kind, index]
    }
}

/// Bytes to store in one cell, durably and atomically. Wiped on drop; they hold keys.
pub struct Record {
    cell: Cell,
    bytes: Zeroizing<ArrayVec<u8, MAX_RECORD>>,
}

impl Record {
    pub(super) fn empty() -> Self {
        Self { cell: Cell::Header, bytes: Zeroizing::new(wire::empty()) }
    }

    pub(super) fn clear(&mut self) {
        wire::erase(&mut self.bytes);
    }

    pub(super) fn copied(&self) -> Self {
        Self { cell: self.cell, bytes: Zeroizing::new(wire::copied(&self.bytes)) }
    }

    /// Where to store it.
    #[must_use]
    pub const fn cell(&self) -> Cell {
        self.cell
    }

    /// What to store, 1 to [`MAX_RECORD`] bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }
}

impl core::fmt::Debug for Record {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "Record({:?}, [redacted])", self.cell)
    }
}

fields! {
    /// The seed record. The key of its MAC comes from the seed in it: that finds damage, and no forger.
    #[derive(Debug)]
    pub(crate) struct SeedRecord {
        pub(crate) seed: Seed,
        /// The lock was made to the end.
        pub(crate) initialised: bool,
    }
}

fields! {
    #[derive(Clone, Copy, PartialEq, Eq, Debug)]
    pub(crate) struct HeaderRecord {
        /// How many slots were ever written: of those at and above it no record is to be expected.
        pub(crate) slots: SlotCount,
        pub(crate) title: Title,
    }
}

tagged! {
    /// Whose the lock is.
    #[derive(Clone, Copy, PartialEq, Eq, Debug)]
    pub(crate) enum Title {
        1 = Unprovisioned,
        2 = Owned {
            epoch: Epoch,
            owner: PublicKey,
            service: PublicKey,
        },
    }
}

fields! {
    #[derive(Clone, Copy, PartialEq, Eq, Debug)]
    pub(crate) struct CounterRecord {
        /// No number at or above it has been used.
        pub(crate) ceiling: Counter,
        /// A clock that reads less than this was lost.
        pub(crate) latest: Timestamp,
        /// In which epoch the owner last set the clock; 0 where none did.
        pub(crate) set_in: Epoch,
    }
}

fields! {
    #[derive(PartialEq, Eq, Debug)]
    pub(crate) struct SlotRecord {
        pub(crate) epoch: Epoch,
        pub(crate) floor: Generation,
        pub(crate) content: Content,
    }
}

tagged! {
    #[derive(PartialEq, Eq, Debug)]
    pub(crate) enum Content {
        1 = Inactive,
        2 = Empty,
        3 = Installed { key: InstalledKey },
    }
}

fields! {
    #[derive(PartialEq, Eq, Debug)]
    pub(crate) struct InstalledKey {
        pub(crate) grant: Digest,
        pub(crate) device: PublicKey,
        pub(crate) pairing: PairingKey,
        pub(crate) rights: Rights,
        pub(crate) limits: Limits,
        /// Accepted openings so far.
        pub(crate) used: u32,
    }
}

impl InstalledKey {
    /// The same key with another count of openings: what the record says after one more.
    pub(crate) fn with_used(&self, used: u32) -> Self {
        Self { pairing: PairingKey::from_bytes(*self.pairing.expose()), used, ..*self }
    }
}

impl SlotRecord {
    pub(crate) fn copied(&self) -> Self {
        let content = match &self.content {
            Content::Inactive => Content::Inactive,
            Content::Empty => Content::Empty,
            Content::Installed { key } => Content::Installed { key: key.with_used(key.used) },
        };
        Self { content, ..*self }
    }

    pub(crate) const fn untouched(epoch: Epoch) -> Self {
        Self { epoch, floor: Generation::ZERO, content: Content::Inactive }
    }

    pub(crate) const fn report(&self) -> SlotReport {
        let holding = match &self.content {
            Content::Inactive => Holding::Inactive,
            Content::Empty => Holding::Empty,
            Content::Installed { key } => Holding::Installed { grant: key.grant, device: key.device },
        };
        SlotReport { floor: self.floor, holding }
    }
}

/// What a cell holds, told older from newer. A store that hands out an older copy breaks its contract; reading one over
/// a newer value in memory is refused as damage.
pub(crate) trait Stored {
    /// Numbers that never go down.
    type Age: Copy + core::fmt::Debug;

    fn age(&self) -> Self::Age;

    fn is_older(age: Self::Age, than: Self::Age) -> bool;
}

/// That the seed in the store is the running lock's.
#[derive(Debug)]
pub(crate) struct OwnSeed;

impl Stored for OwnSeed {
    type Age = ();

    fn age(&self) {}

    fn is_older((): (), (): ()) -> bool {
        false
    }
}

impl Stored for HeaderRecord {
    type Age = (Epoch, SlotCount);

    fn age(&self) -> Self::Age {
        (self.epoch(), self.slots)
    }

    fn is_older((epoch, slots): Self::Age, than: Self::Age) -> bool {
        epoch < than.0 || slots < than.1
    }
}

impl HeaderRecord {
    /// The number of the ownership; 0 where nobody owns the lock.
    pub(crate) const fn epoch(&self) -> Epoch {
        match self.title {
            Title::Unprovisioned => Epoch::ZERO,
            Title::Owned { epoch, .. } => epoch,
        }
    }
}

impl Stored for CounterRecord {
    type Age = (Counter, Epoch);

    fn age(&self) -> Self::Age {
        (self.ceiling, self.set_in)
    }

    fn is_older((ceiling, set_in): Self::Age, than: Self::Age) -> bool {
        ceiling < than.0 || set_in < than.1
    }
}

impl CounterRecord {
    /// Whether the present owner set the clock.
    pub(crate) fn is_set(&self, header: &HeaderRecord) -> bool {
        self.set_in == header.epoch() && self.set_in > Epoch::ZERO
    }
}

impl Stored for SlotRecord {
    type Age = (Epoch, Generation, Uses);

    fn age(&self) -> Self::Age {
        let uses = match &self.content {
            Content::Installed { key } => Uses::Counted(key.used),
            Content::Inactive | Content::Empty => Uses::Over,
        };
        (self.epoch, self.floor, uses)
    }

    fn is_older(age: Self::Age, than: Self::Age) -> bool {
        age < than
    }
}

/// At one floor: what comes after a key is none.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) enum Uses {
    Counted(u32),
    Over,
}

/// What is written into which cell: the record on flash and the content in memory both follow from it.
#[derive(Debug)]
pub(crate) enum Write {
    Seed(SeedRecord),
    Header(HeaderRecord),
    Counter(CounterRecord),
    Slot(SlotId, SlotRecord),
}

impl Write {
    pub(crate) const fn cell(&self) -> Cell {
        match self {
            Self::Seed(_) => Cell::Seed,
            Self::Header(_) => Cell::Header,
            Self::Counter(_) => Cell::Counter,
            Self::Slot(slot, _) => Cell::Slot(*slot),
        }
    }

    pub(crate) fn copied(&self) -> Self {
        match self {
            Self::Seed(SeedRecord { seed, initialised }) => {
                Self::Seed(SeedRecord { seed: Seed::from_bytes(*seed.expose()), initialised: *initialised })
            }
            Self::Header(header) => Self::Header(*header),
            Self::Counter(counter) => Self::Counter(*counter),
            Self::Slot(slot, record) => Self::Slot(*slot, record.copied()),
        }
    }

    /// Prefix, content, MAC.
    pub(crate) fn record<C: Crypto>(&self, crypto: &C, keys: &LockKeys<C>, into: &mut Record) -> Result<(), SealError> {
        into.cell = self.cell();
        let (bytes, prefix) = (&mut *into.bytes, into.cell.prefix());
        match self {
            Self::Seed(seed) => wire::write(bytes, &prefix, seed),
            Self::Header(header) => wire::write(bytes, &prefix, header),
            Self::Counter(counter) => wire::write(bytes, &prefix, counter),
            Self::Slot(_, slot) => wire::write(bytes, &prefix, slot),
        }?;
        //= spec/protocol.md#records
        //# REC-1. Every record MUST carry a MAC over its cell, its epoch where it has one, and its content.
        let tag = match self {
            //= spec/protocol.md#records
            //# REC-4. The MAC of the seed's record MUST be under the record key of the seed in it.
            Self::Seed(SeedRecord { seed, .. }) => {
                crypto::tag(crypto, keys::record_key(crypto, seed)?.expose(), &[bytes])
            }
            _ => crypto::tag(crypto, keys.record.expose(), &[bytes]),
        };
        into.bytes.try_extend_from_slice(tag.as_bytes()).map_err(|_| SealError::TooLong)
    }
}

/// Reads a cell's record; `None` where it is missing, foreign or damaged, which are one thing.
pub(crate) fn decode<C: Crypto, T: Layout>(crypto: &C, keys: &LockKeys<C>, cell: Cell, bytes: &[u8]) -> Option<T> {
    let (covered, tag) = bytes.split_last_chunk()?;
    if holds(crypto, &keys.record, covered, tag) { decode_content(cell, covered) } else { None }
}

fn holds(crypto: &impl Crypto, key: &MacKey, covered: &[u8], tag: &[u8; Tag::LEN]) -> bool {
    //= spec/protocol.md#records
    //# REC-2. A lock MUST take a record whose MAC does not hold for damaged.
    crypto::tag(crypto, key.expose(), &[covered]) == Tag::from_bytes(*tag)
}

fn decode_content<T: Layout>(cell: Cell, bytes: &[u8]) -> Option<T> {
    let (prefix, content) = bytes.split_first_chunk::<PREFIX_LEN>()?;
    if *prefix != cell.prefix() {
        return None;
    }
    //= spec/protocol.md#records
    //# REC-3. A lock MUST take a record that does not decode exactly for damaged.
    wire::decode_exact(content).ok()
}
