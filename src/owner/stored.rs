//! A view in its stored form.

use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use serde::Deserialize;

use super::evidence::Said;
use super::outbox::Unheard;
use super::reported::{Contradiction, contradict};
use super::view::{Issued, OwnedLock, OwnedSlot, Standing, Statement};
use crate::counter::{Epoch, Term};
use crate::crypto::PublicKey;
use crate::error::StoredViewError;
use crate::id::{LockId, SlotCount, SlotId};
use crate::message::{Completed, Done, Provisioned, Receipt, Report, Withdraw};
use crate::slot::{GrantRef, Told};
use crate::staged::{Counted, Hold};
use crate::wire::{Kind, Unverified};

#[derive(Deserialize)]
pub(super) struct Stored {
    lock: LockId,
    owner: PublicKey,
    service: PublicKey,
    epoch: Epoch,
    #[serde(with = "crate::form::messages::one")]
    ownership: Vec<u8>,
    version: u64,
    standing: Standing,
    suspected: bool,
    slot_count: SlotCount,
    slots: BTreeMap<SlotId, OwnedSlot>,
}

impl TryFrom<Stored> for OwnedLock {
    type Error = StoredViewError;

    fn try_from(stored: Stored) -> Result<Self, StoredViewError> {
        let Stored { lock, owner, service, epoch, ownership, version, standing, suspected, slot_count, slots } = stored;
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
            if !known.reports_are_of((lock, epoch, *slot)) || !known.sends_are_of((lock, epoch, *slot)) {
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
        let of = (lock, epoch, service, (standing == Standing::Owned).then_some(owner));
        if !begins(&ownership, of) {
            return Err(StoredViewError::Evidence);
        }
        let slots = slots.into_iter().map(|(slot, known)| (slot, Counted::new(known))).collect();
        let hold = Hold::default();
        Ok(Self { lock, owner, service, epoch, ownership, version, standing, suspected, slot_count, slots, hold })
    }
}

impl OwnedSlot {
    /// Whether what is kept for the service is of this slot.
    fn sends_are_of(&self, (lock, epoch, slot): (LockId, Epoch, SlotId)) -> bool {
        let told = |Unheard(message): &Unheard| match Kind::of(message) {
            Ok(Kind::Receipt) => Unverified::<Receipt>::parse(message)
                .is_ok_and(|body| (body.claims().lock, body.claims().epoch, body.claims().slot) == (lock, epoch, slot)),
            Ok(Kind::Done) => Unverified::<Done>::parse(message).is_ok_and(|body| {
                let Done { lock: of, epoch: at, completed, .. } = *body.claims();
                (of, at, Told::by(&completed).map(|(slot, _)| slot)) == (lock, epoch, Some(slot))
            }),
            _ => false,
        };
        let asks = |Statement { key, bytes }: &Statement| {
            let GrantRef { generation, grant } = *key;
            let of = Withdraw { lock, epoch, by: Term::OWNER, slot, generation, grant };
            Unverified::<Withdraw>::parse(bytes).is_ok_and(|body| *body.claims() == of)
        };
        self.unheard.iter().all(told) && self.withdrawing.iter().all(asks)
    }

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

/// Whether a statement of ownership began this one; `None` for the owner where it went to somebody else.
fn begins(statement: &[u8], (lock, epoch, service, owner): (LockId, Epoch, PublicKey, Option<PublicKey>)) -> bool {
    let said = match Kind::of(statement) {
        Ok(Kind::Provisioned) => Unverified::<Provisioned>::parse(statement).ok().map(|body| {
            let Provisioned { lock, epoch, owner, service, .. } = *body.claims();
            (lock, epoch, service, owner)
        }),
        Ok(Kind::Done) => Unverified::<Done>::parse(statement).ok().and_then(|body| match body.claims().completed {
            Completed::Transfer { owner, service, .. } => {
                Some((body.claims().lock, body.claims().epoch, service, owner))
            }
            _ => None,
        }),
        _ => None,
    };
    said.is_some_and(|said| said == (lock, epoch, service, owner.unwrap_or(said.3)))
}
