//! Records in their stored forms.

use alloc::vec::Vec;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::lock::Ownership;
use super::record::{Evidence, parse_grant};
use super::{LockRecord, Meant, Place, meant_for};
use crate::counter::Epoch;
use crate::crypto::{Digest, PublicKey};
use crate::error::StoredRecordError;
use crate::id::{LockId, SlotCount, SlotId};
use crate::message::{Withdraw, Withdrawn};
use crate::slot::{GrantRef, Slot, StoredSlot};
use crate::staged::Hold;
use crate::wire::Unverified;

/// The version of the stored form of a slot's record; the first had the ownership in each. One that is read for ever
/// has golden files in `tests/roles/golden`.
const SLOT_FORMAT: u8 = 2;
/// That of a lock's record. It is none of a slot's, so that neither is read as the other.
const LOCK_FORMAT: u8 = 129;

/// What the store holds of one slot of one lock: [`to_bytes`](Self::to_bytes), or a form of serde. Reading one back checks
/// that it does not contradict itself. Nothing is decided on it alone: see [`ShareRecord`](super::ShareRecord).
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(try_from = "StoredSlotRecord", into = "StoredSlotRecord")]
//= spec/protocol.md#service-confirmation
//= type=implication
//= reason=a record holds public keys, numbers and signed messages; there is no field for a secret
//# SVC-15. The service MUST NOT hold a secret of an owner, a guest or a lock.
pub struct SlotRecord {
    pub(super) lock: LockId,
    pub(super) slot_id: SlotId,
    pub(super) epoch: Epoch,
    /// The version of the lock's record; 0 where nothing is stored.
    pub(super) follows: u64,
    /// 0 where nothing is stored.
    pub(super) version: u64,
    pub(super) slot: Slot,
    pub(super) grant: Option<Vec<u8>>,
    pub(super) evidence: Evidence,
    /// The installs of the share that were released, in their order.
    pub(super) released: Vec<Digest>,
}

#[derive(Serialize, Deserialize)]
struct StoredSlotRecord {
    /// First, so that it is the first byte.
    format: u8,
    lock: LockId,
    slot_id: SlotId,
    epoch: Epoch,
    follows: u64,
    version: u64,
    slot: StoredSlot,
    #[serde(with = "crate::form::messages::maybe")]
    grant: Option<Vec<u8>>,
    evidence: Evidence,
    released: Vec<Digest>,
}

#[derive(Serialize, Deserialize)]
pub(super) struct StoredLock {
    format: u8,
    lock: LockId,
    epoch: Epoch,
    owner: PublicKey,
    service: PublicKey,
    slots: SlotCount,
    version: u64,
    restored: bool,
    #[serde(with = "crate::form::messages::one")]
    statement: Vec<u8>,
}

/// Reads bytes whose first says the format, to their end.
fn read<T: DeserializeOwned>(bytes: &[u8], format: u8) -> Result<T, StoredRecordError> {
    match bytes.first() {
        None => return Err(StoredRecordError::Truncated),
        Some(found) if *found == format => {}
        Some(&found) => return Err(StoredRecordError::Format { found }),
    }
    let (stored, rest) = postcard::take_from_bytes(bytes).map_err(|error| match error {
        postcard::Error::DeserializeUnexpectedEnd => StoredRecordError::Truncated,
        _ => StoredRecordError::Malformed,
    })?;
    if rest.is_empty() { Ok(stored) } else { Err(StoredRecordError::Trailing) }
}

/// A vector takes all bytes, and a record has no value without a form.
fn write(record: &impl Serialize) -> Vec<u8> {
    postcard::to_extend(record, Vec::new()).unwrap_or_default()
}

impl LockRecord {
    /// The record for the store: a byte that says which format it is, and the rest. Equal records have equal
    /// bytes, and others have others, so that they serve for compare-and-swap too.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        write(self)
    }

    /// Reads a record back.
    ///
    /// # Errors
    /// [`StoredRecordError`], naming what is wrong with it.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, StoredRecordError> {
        read::<StoredLock>(bytes, LOCK_FORMAT)?.try_into()
    }
}

impl From<LockRecord> for StoredLock {
    fn from(record: LockRecord) -> Self {
        let LockRecord { lock, epoch, owner, service, slots, version, restored, statement, hold: _ } = record;
        Self { format: LOCK_FORMAT, lock, epoch, owner, service, slots, version, restored, statement }
    }
}

impl TryFrom<StoredLock> for LockRecord {
    type Error = StoredRecordError;

    fn try_from(stored: StoredLock) -> Result<Self, StoredRecordError> {
        let StoredLock { format, lock, epoch, owner, service, slots, version, restored, statement } = stored;
        if format != LOCK_FORMAT {
            return Err(StoredRecordError::Format { found: format });
        }
        if version == 0 {
            return Err(StoredRecordError::Version);
        }
        // Who said it was checked before it was kept.
        if Ownership::kept(&statement) != Some(Ownership { lock, epoch, owner, service, slots }) {
            return Err(StoredRecordError::Evidence);
        }
        Ok(Self { lock, epoch, owner, service, slots, version, restored, statement, hold: Hold::default() })
    }
}

impl From<SlotRecord> for StoredSlotRecord {
    fn from(row: SlotRecord) -> Self {
        let SlotRecord { lock, slot_id, epoch, follows, version, slot, grant, evidence, released } = row;
        let slot = slot.into();
        Self { format: SLOT_FORMAT, lock, slot_id, epoch, follows, version, slot, grant, evidence, released }
    }
}

impl TryFrom<StoredSlotRecord> for SlotRecord {
    type Error = StoredRecordError;

    fn try_from(stored: StoredSlotRecord) -> Result<Self, StoredRecordError> {
        let StoredSlotRecord { format, lock, slot_id, epoch, follows, version, slot, grant, evidence, released } =
            stored;
        if format != SLOT_FORMAT {
            return Err(StoredRecordError::Format { found: format });
        }
        if version == 0 || follows == 0 {
            return Err(StoredRecordError::Version);
        }
        let slot = Slot::try_from(slot)?;
        if slot.epoch() != epoch {
            return Err(StoredRecordError::Epoch);
        }
        let row = Self { lock, slot_id, epoch, follows, version, slot, grant, evidence, released };
        match (row.slot.shared(), &row.grant) {
            (None, None) => {}
            (Some(key), Some(grant)) => row.check_grant(key, grant)?,
            _ => return Err(StoredRecordError::GrantPresence),
        }
        row.check_evidence()?;
        Ok(row)
    }
}

impl SlotRecord {
    /// A slot of which nothing is stored.
    pub(super) fn new(lock: LockId, slot_id: SlotId, epoch: Epoch) -> Self {
        let (grant, evidence, released) = (None, Evidence::default(), Vec::new());
        //= spec/protocol.md#slot-record
        //# SLO-1. A record of a new epoch MUST begin Inactive, with all numbers 0 and nothing live.
        Self { lock, slot_id, epoch, follows: 0, version: 0, slot: Slot::new(epoch), grant, evidence, released }
    }

    /// Lock and slot.
    #[must_use]
    pub const fn place(&self) -> Place {
        (self.lock, self.slot_id)
    }

    /// The ownership.
    #[must_use]
    pub const fn epoch(&self) -> Epoch {
        self.epoch
    }

    /// Which version of the lock's record it follows.
    #[must_use]
    pub const fn follows(&self) -> u64 {
        self.follows
    }

    /// Reads a record back.
    ///
    /// # Errors
    /// [`StoredRecordError`], naming what is wrong with it.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, StoredRecordError> {
        read::<StoredSlotRecord>(bytes, SLOT_FORMAT)?.try_into()
    }

    /// The record for the store: a byte that says which format it is, and the rest. Equal records have equal
    /// bytes, and others have others, so that they serve for compare-and-swap too.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        write(self)
    }

    pub(super) fn subject(&self) -> Option<PublicKey> {
        self.grant.as_deref().and_then(parse_grant).map(|grant| grant.subject)
    }

    fn check_grant(&self, key: GrantRef, grant: &[u8]) -> Result<(), StoredRecordError> {
        let expected = (self.lock, self.epoch, self.slot_id, key.generation);
        let found = parse_grant(grant).map(|grant| (grant.lock, grant.epoch, grant.slot, grant.generation));
        if found == Some(expected) { Ok(()) } else { Err(StoredRecordError::GrantContent) }
    }

    /// Whether what was said was said of this record. Who said it was checked before it was kept.
    fn check_evidence(&self) -> Result<(), StoredRecordError> {
        let Evidence { done, inspected, receipt, withdrawn, former } = &self.evidence;
        former.iter().try_for_each(|former| self.check_grant(former.key, &former.grant))?;
        let proofs = [done, inspected, receipt].into_iter().flatten().map(|message| meant_for(message).ok());
        let answers = former.iter().map(|former| &former.withdrawn).chain([withdrawn]).flatten();
        let mut meant = proofs.chain(answers.map(|answer| answered(answer)));
        let here = Some((self.lock, self.epoch, Some(self.slot_id)));
        if meant.all(|meant| meant == here) { Ok(()) } else { Err(StoredRecordError::Evidence) }
    }
}

fn answered(answer: &[u8]) -> Option<Meant> {
    let Withdraw { lock, epoch, slot, .. } = Unverified::<Withdrawn>::parse(answer).ok()?.claims().withdraw;
    Some((lock, epoch, Some(slot)))
}
