//! A view in its stored form.

use alloc::collections::BTreeMap;

use serde::Deserialize;

use super::evidence::Said;
use super::view::{Contradiction, Issued, OwnedLock, OwnedSlot, Standing, Statement, contradict};
use crate::counter::Epoch;
use crate::crypto::PublicKey;
use crate::error::StoredViewError;
use crate::id::{LockId, SlotCount, SlotId};
use crate::message::Report;
use crate::staged::{Counted, Hold};
use crate::wire::Unverified;

#[derive(Deserialize)]
pub(super) struct Stored {
    lock: LockId,
    owner: PublicKey,
    service: PublicKey,
    epoch: Epoch,
    version: u64,
    standing: Standing,
    suspected: bool,
    slot_count: SlotCount,
    slots: BTreeMap<SlotId, OwnedSlot>,
}

impl TryFrom<Stored> for OwnedLock {
    type Error = StoredViewError;

    fn try_from(stored: Stored) -> Result<Self, StoredViewError> {
        let Stored { lock, owner, service, epoch, version, standing, suspected, slot_count, slots } = stored;
        for (slot, known) in &slots {
            if known.slot.epoch() != epoch {
                return Err(StoredViewError::Epoch);
            }
            if known.slot.shared().is_some_and(|key| known.issued(key).is_none()) {
                return Err(StoredViewError::Grant);
            }
            let is_of = |Issued { key, grant, .. }: &Issued| {
                let body = grant.body();
                (body.lock, body.epoch, body.slot, body.generation) == (lock, epoch, *slot, key.generation)
            };
            if !known.issued.iter().all(is_of) {
                return Err(StoredViewError::Grant);
            }
            if !known.reports_are_of((lock, epoch, *slot)) {
                return Err(StoredViewError::Evidence);
            }
            let says = |statement: &Statement, released| {
                Said::by(&statement.bytes) == Some(Said { lock, epoch, slot: *slot, key: statement.key, released })
            };
            if !known.denials.iter().all(|denial| says(denial, false))
                || !known.releases.iter().all(|release| says(release, true))
            {
                return Err(StoredViewError::Evidence);
            }
        }
        let slots = slots.into_iter().map(|(slot, known)| (slot, Counted::new(known))).collect();
        let hold = Hold::default();
        Ok(Self { lock, owner, service, epoch, version, standing, suspected, slot_count, slots, hold })
    }
}

impl OwnedSlot {
    /// Whether what is kept as reports are reports of this slot. Who signed them was checked before they were kept.
    fn reports_are_of(&self, of: (LockId, Epoch, SlotId)) -> bool {
        let parse = |bytes: &[u8]| Unverified::<Report>::parse(bytes).ok().map(|report| *report.claims());
        let is_of = |report: &Report| (report.lock, report.epoch, report.slot) == of;
        let reported = self.reported.as_ref().is_none_or(|reported| {
            parse(&reported.report).is_some_and(|report| is_of(&report) && report.version == reported.as_of.version)
        });
        let contradicted = self.contradiction.as_ref().is_none_or(|Contradiction { first, second }| {
            parse(first).zip(parse(second)).is_some_and(|(first, second)| is_of(&first) && contradict(&first, &second))
        });
        reported && contradicted
    }
}
