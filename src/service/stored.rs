//! A record in its stored form.

use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use super::open::Ownership;
use super::record::{Evidence, parse_grant};
use super::{Meant, ShareRecord, meant_for};
use crate::counter::Epoch;
use crate::crypto::PublicKey;
use crate::error::StoredRecordError;
use crate::id::{LockId, SlotId};
use crate::message::{Withdraw, Withdrawn};
use crate::slot::{GrantRef, Slot, StoredSlot};
use crate::staged::Hold;
use crate::wire::Unverified;

/// The version of the stored form. One that is read for ever has golden files in `tests/roles/golden`.
const FORMAT: u8 = 1;

#[derive(Serialize, Deserialize)]
pub(super) struct Stored {
    /// First, so that it is the first byte.
    format: u8,
    lock: LockId,
    slot_id: SlotId,
    owner: PublicKey,
    service: PublicKey,
    epoch: Epoch,
    version: u64,
    slot: StoredSlot,
    #[serde(with = "crate::form::messages::maybe")]
    grant: Option<Vec<u8>>,
    evidence: Evidence,
}

impl ShareRecord {
    /// The record for the store: a byte that says which format it is, and the rest. Equal records have equal
    /// bytes, and others have others, so that they serve for compare-and-swap too.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        // A vector takes all bytes, and a record has no value without a form.
        postcard::to_extend(self, Vec::new()).unwrap_or_default()
    }

    /// Reads a record back.
    ///
    /// # Errors
    /// [`StoredRecordError`], naming what is wrong with it.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, StoredRecordError> {
        match bytes.first() {
            None => return Err(StoredRecordError::Truncated),
            Some(&FORMAT) => {}
            Some(&found) => return Err(StoredRecordError::Format { found }),
        }
        let (stored, rest) = postcard::take_from_bytes::<Stored>(bytes).map_err(|error| match error {
            postcard::Error::DeserializeUnexpectedEnd => StoredRecordError::Truncated,
            _ => StoredRecordError::Malformed,
        })?;
        if rest.is_empty() { stored.try_into() } else { Err(StoredRecordError::Trailing) }
    }
}

impl From<ShareRecord> for Stored {
    fn from(record: ShareRecord) -> Self {
        let ShareRecord { lock, slot_id, owner, service, epoch, version, slot, grant, evidence, hold: _ } = record;
        Self { format: FORMAT, lock, slot_id, owner, service, epoch, version, slot: slot.into(), grant, evidence }
    }
}

impl TryFrom<Stored> for ShareRecord {
    type Error = StoredRecordError;

    fn try_from(stored: Stored) -> Result<Self, StoredRecordError> {
        let Stored { format, lock, slot_id, owner, service, epoch, version, slot, grant, evidence } = stored;
        if format != FORMAT {
            return Err(StoredRecordError::Format { found: format });
        }
        if version == 0 {
            return Err(StoredRecordError::Version);
        }
        let slot = Slot::try_from(slot)?;
        if slot.epoch() != epoch {
            return Err(StoredRecordError::Epoch);
        }
        let hold = Hold::default();
        let record = Self { lock, slot_id, owner, service, epoch, version, slot, grant, evidence, hold };
        match (record.slot.shared(), &record.grant) {
            (None, None) => {}
            (Some(key), Some(grant)) => record.check_grant(key, grant)?,
            _ => return Err(StoredRecordError::GrantPresence),
        }
        record.check_evidence()?;
        Ok(record)
    }
}

impl ShareRecord {
    fn check_grant(&self, key: GrantRef, grant: &[u8]) -> Result<(), StoredRecordError> {
        let expected = (self.lock, self.epoch, self.slot_id, key.generation);
        let found = parse_grant(grant).map(|grant| (grant.lock, grant.epoch, grant.slot, grant.generation));
        if found == Some(expected) { Ok(()) } else { Err(StoredRecordError::GrantContent) }
    }

    /// Whether what was said was said of this record. Who said it was checked before it was kept.
    fn check_evidence(&self) -> Result<(), StoredRecordError> {
        let Self { lock, owner, service, epoch, .. } = *self;
        let Evidence { ownership, done, inspected, receipt, withdrawn, former } = &self.evidence;
        former.iter().try_for_each(|former| self.check_grant(former.key, &former.grant))?;
        let said = Ownership::kept(ownership) == Some(Ownership { lock, epoch, owner, service });
        let proofs = [done, inspected, receipt].into_iter().flatten().map(|message| meant_for(message).ok());
        let answers = former.iter().map(|former| &former.withdrawn).chain([withdrawn]).flatten();
        let mut meant = proofs.chain(answers.map(|answer| answered(answer)));
        let here = Some((lock, epoch, Some(self.slot_id)));
        if said && meant.all(|meant| meant == here) { Ok(()) } else { Err(StoredRecordError::Evidence) }
    }
}

fn answered(answer: &[u8]) -> Option<Meant> {
    let Withdraw { lock, epoch, slot, .. } = Unverified::<Withdrawn>::parse(answer).ok()?.claims().withdraw;
    Some((lock, epoch, Some(slot)))
}
