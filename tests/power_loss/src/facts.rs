//! What a lock must say, in plain data: kept by the harness from the messages alone, and read off the
//! flash by the record layout in the spec, without asking the lock.

use sharekey::counter::{Epoch, Generation};
use sharekey::crypto::{Digest, PublicKey};
use sharekey::error::LockError;
use sharekey::id::SlotId;
use sharekey::lock::{COUNTER_LEASE, Cell, Condition, Lock};
use sharekey::message::Holding;
use sharekey_model::power::{Flash, Reading};

use crate::world::Provider;

pub const SLOTS: usize = 3;

/// One slot, as of the current epoch.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct SlotFacts {
    pub floor: Generation,
    pub holding: Holding,
    /// Openings counted.
    pub used: u32,
}

pub const UNTOUCHED: SlotFacts = SlotFacts { floor: Generation::ZERO, holding: Holding::Inactive, used: 0 };

/// A lock that was made.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Facts {
    pub owner: Option<(Epoch, PublicKey, PublicKey)>,
    pub slots: [SlotFacts; SLOTS],
    pub ceiling: u64,
    pub latest: u64,
    /// The epoch in which the clock was set; 0 for none.
    pub set_in: Epoch,
}

pub const FRESH: Facts = Facts { owner: None, slots: [UNTOUCHED; SLOTS], ceiling: 0, latest: 0, set_in: Epoch::ZERO };

/// What an operation does to a lock, if its record arrives.
#[derive(Clone, Debug)]
pub enum Change {
    Nothing,
    /// Raises the ceiling, at this reading of the clock.
    Lease(Option<u64>),
    Owned(Epoch, PublicKey, PublicKey),
    Slot(SlotId, SlotFacts),
    Time(u64),
    Reset,
    Made,
}

impl Change {
    /// What the lock is afterwards; `None` for one that must be made.
    pub fn applied(&self, facts: &Option<Facts>) -> Option<Facts> {
        let mut after = match self {
            Self::Reset => return None,
            Self::Made => return Some(FRESH),
            _ => facts.clone()?,
        };
        match *self {
            Self::Nothing | Self::Reset | Self::Made => {}
            Self::Lease(clock) => {
                after.ceiling += COUNTER_LEASE;
                let set = after.owner.is_some_and(|(epoch, ..)| epoch == after.set_in);
                after.latest = clock.filter(|_| set).map_or(after.latest, |clock| clock.max(after.latest));
            }
            Self::Owned(epoch, owner, service) => {
                (after.owner, after.slots) = (Some((epoch, owner, service)), [UNTOUCHED; SLOTS]);
            }
            Self::Slot(slot, facts) => after.slots[usize::from(slot.index())] = facts,
            Self::Time(latest) => {
                (after.latest, after.set_in) = (latest, after.owner.map_or(Epoch::ZERO, |(epoch, ..)| epoch));
            }
        }
        Some(after)
    }
}

/// The content of a record: without prefix and MAC.
fn content(flash: &Flash, cell: Cell) -> Vec<u8> {
    let Reading::Bytes(bytes) = flash.read(cell) else { panic!("{cell:?}: {:?}", flash.read(cell)) };
    bytes[5..bytes.len() - 16].to_vec()
}

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes(bytes[at..at + 4].try_into().unwrap())
}

fn u64_at(bytes: &[u8], at: usize) -> u64 {
    u64::from_le_bytes(bytes[at..at + 8].try_into().unwrap())
}

fn key_at(bytes: &[u8], at: usize) -> [u8; 32] {
    bytes[at..at + 32].try_into().unwrap()
}

/// The slot's record, where it is of this epoch.
pub fn stored_slot(flash: &Flash, slot: SlotId, epoch: Option<Epoch>) -> SlotFacts {
    let bytes = content(flash, Cell::Slot(slot));
    if epoch.is_none_or(|epoch| Epoch::new(u32_at(&bytes, 0)) < epoch) {
        return UNTOUCHED;
    }
    let (holding, used) = match bytes[8] {
        1 => (Holding::Inactive, 0),
        2 => (Holding::Empty, 0),
        _ => {
            let (grant, device) = (Digest::from_bytes(key_at(&bytes, 9)), PublicKey::from_bytes(key_at(&bytes, 41)));
            (Holding::Installed { grant, device }, u32_at(&bytes, bytes.len() - 4))
        }
    };
    SlotFacts { floor: Generation::new(u32_at(&bytes, 4)), holding, used }
}

/// What the flash says, without the lock.
pub fn stored(flash: &Flash) -> Option<Facts> {
    let seed = flash.read(Cell::Seed);
    // Prefix, seed, and whether making came to its end.
    if seed.bytes().is_none_or(|seed| seed[37] == 0) {
        assert_ne!(seed, Reading::Unreadable);
        return None;
    }
    let header = content(flash, Cell::Header);
    assert_eq!(usize::from(header[0]), SLOTS);
    let owner = (header[1] == 2).then(|| {
        let key = |at| PublicKey::from_bytes(key_at(&header, at));
        (Epoch::new(u32_at(&header, 2)), key(6), key(38))
    });
    let epoch = owner.map(|(epoch, ..)| epoch);
    let counter = content(flash, Cell::Counter);
    let slots = slots().map(|slot| stored_slot(flash, slot, epoch));
    Some(Facts {
        owner,
        slots,
        ceiling: u64_at(&counter, 0),
        latest: u64_at(&counter, 8),
        set_in: Epoch::new(u32_at(&counter, 16)),
    })
}

pub fn slots() -> [SlotId; SLOTS] {
    [0, 1, 2].map(SlotId::new)
}

/// The lock says the same of itself.
pub fn assert_tells<C: Provider>(lock: &Lock<C, SLOTS>, facts: &Facts) {
    let owner = lock.ownership().map(|owned| (owned.epoch, owned.owner, owned.service));
    assert_eq!(owner, facts.owner.ok_or(LockError::NotProvisioned));
    for (slot, facts) in slots().into_iter().zip(facts.slots) {
        let report = lock.report(slot).map(|report| (report.floor, report.holding));
        assert_eq!(report, owner.map(|_| (facts.floor, facts.holding)), "{slot:?}");
        assert_eq!(lock.condition(Cell::Slot(slot)), Ok(Condition::Ready));
    }
    for cell in [Cell::Seed, Cell::Header, Cell::Counter] {
        assert_eq!(lock.condition(cell), Ok(Condition::Ready), "{cell:?}");
    }
}
