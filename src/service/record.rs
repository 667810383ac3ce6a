use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use super::Place;
use super::stored::Stored;
use crate::counter::Epoch;
use crate::crypto::PublicKey;
use crate::error::ServiceError;
use crate::id::{LockId, SlotCount, SlotId};
use crate::message::{Done, Grant, Provisioned};
use crate::slot::{GrantRef, Slot};
use crate::staged::{Held, Hold};
use crate::wire::{Kind, Unverified};

/// What was said and signed, kept so that the owner's app can check the report itself.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Evidence {
    #[serde(with = "crate::form::messages::one")]
    pub(super) ownership: Vec<u8>,
    #[serde(with = "crate::form::messages::maybe")]
    pub(super) done: Option<Vec<u8>>,
    #[serde(with = "crate::form::messages::maybe")]
    pub(super) inspected: Option<Vec<u8>>,
    #[serde(with = "crate::form::messages::maybe")]
    pub(super) receipt: Option<Vec<u8>>,
    #[serde(with = "crate::form::messages::maybe")]
    pub(super) withdrawn: Option<Vec<u8>>,
    pub(super) former: Vec<Former>,
}

/// A grant that is shared no more while its key may open: what another phone of the owner knows it by.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(super) struct Former {
    pub(super) key: GrantRef,
    #[serde(with = "crate::form::messages::one")]
    pub(super) grant: Vec<u8>,
    /// The answer to its withdrawal; `None` where a Done ended the share.
    #[serde(with = "crate::form::messages::maybe")]
    pub(super) withdrawn: Option<Vec<u8>>,
}

impl Evidence {
    /// The `Provisioned` or `Done(Transfer)` that opened the record's epoch.
    #[must_use]
    pub fn ownership(&self) -> &[u8] {
        &self.ownership
    }

    /// The newest `Done(Activate)` or `Done(Deactivate)`.
    #[must_use]
    pub fn done(&self) -> Option<&[u8]> {
        self.done.as_deref()
    }

    /// The latest `Done(Inspect)` that proved something new.
    #[must_use]
    pub fn inspected(&self) -> Option<&[u8]> {
        self.inspected.as_deref()
    }

    /// The latest receipt that proved something new.
    #[must_use]
    pub fn receipt(&self) -> Option<&[u8]> {
        self.receipt.as_deref()
    }

    /// The latest answer to a withdrawal.
    #[must_use]
    pub fn withdrawn(&self) -> Option<&[u8]> {
        self.withdrawn.as_deref()
    }
}

/// What the service knows of one slot of one lock: what its store holds, by
/// [`to_bytes`](Self::to_bytes) or in a form of serde. Reading one back checks that it does not contradict itself.
///
/// Whoever has one can read all of it, and needs neither the service nor its key; what an owner's phone believes is a
/// [report](super::Service::report) only.
/// What a [`Staged`](crate::staged::Staged) shows as [`next`](crate::staged::Staged::next) is for the store alone:
/// a report of it would give out the answer to a withdrawal that nobody has stored.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(try_from = "Stored", into = "Stored")]
//= spec/protocol.md#service-confirmation
//= type=implication
//= reason=a record holds public keys, numbers and signed messages; there is no field for a secret
//# SVC-15. The service MUST NOT hold a secret of an owner, a guest or a lock.
pub struct ShareRecord {
    pub(super) lock: LockId,
    pub(super) slot_id: SlotId,
    pub(super) owner: PublicKey,
    pub(super) service: PublicKey,
    pub(super) epoch: Epoch,
    pub(super) version: u64,
    pub(super) slot: Slot,
    pub(super) grant: Option<Vec<u8>>,
    pub(super) evidence: Evidence,
    pub(super) hold: Hold,
}

impl Held for ShareRecord {
    fn hold(&mut self) -> &mut Hold {
        &mut self.hold
    }
}

impl ShareRecord {
    /// The version: 1 for a new record, one more with every accepted operation. Put it only in place
    /// of the version before (of no record at all, for 1).
    #[must_use]
    pub const fn version(&self) -> u64 {
        self.version
    }

    /// The lock.
    #[must_use]
    pub const fn lock(&self) -> LockId {
        self.lock
    }

    /// Which of its slots.
    #[must_use]
    pub const fn slot_id(&self) -> SlotId {
        self.slot_id
    }

    /// Lock and slot: the record's key in the store.
    #[must_use]
    pub const fn place(&self) -> Place {
        (self.lock, self.slot_id)
    }

    /// The owner's key.
    #[must_use]
    pub const fn owner(&self) -> &PublicKey {
        &self.owner
    }

    /// The service that the lock names: see [`Service::serves`](super::Service::serves).
    #[must_use]
    pub const fn service(&self) -> &PublicKey {
        &self.service
    }

    /// The ownership.
    #[must_use]
    pub const fn epoch(&self) -> Epoch {
        self.epoch
    }

    /// The slot, as this record knows it.
    #[must_use]
    pub const fn slot(&self) -> &Slot {
        &self.slot
    }

    /// The grant that is shared, for the guest to fetch; `None` where none is.
    #[must_use]
    pub fn grant(&self) -> Option<&[u8]> {
        self.grant.as_deref()
    }

    /// Who may claim the shared grant: the key by which a guest finds it. A database keeps an index
    /// over this, updated in the same transaction as the record.
    #[must_use]
    pub fn subject(&self) -> Option<PublicKey> {
        self.parsed_grant().map(|grant| grant.subject)
    }

    /// What the lock and the owner said.
    #[must_use]
    pub const fn evidence(&self) -> &Evidence {
        &self.evidence
    }

    /// The messages of a report, in this order: the statement of ownership; the latest Done, inspection and receipt; each
    /// grant that is shared no more while its key may open, with the answer to its withdrawal; the grant that is
    /// shared; and the latest answer to a withdrawal.
    //= spec/protocol.md#reports
    //# RPT-6. What a report holds MUST be a function of the stored record.
    pub(super) fn messages(&self) -> Vec<&[u8]> {
        let Evidence { ownership, done, inspected, receipt, withdrawn, former } = &self.evidence;
        //= spec/protocol.md#reports
        //# RPT-7. A report MUST begin with the statement of ownership of the record's epoch.
        let mut messages = alloc::vec![ownership.as_slice()];
        // What proves keys dead comes before what needs room among the live ones.
        messages.extend([done, inspected, receipt].into_iter().filter_map(Option::as_deref));
        for former in former {
            //= spec/protocol.md#owner
            //# SVC-22. A report MUST hold every Grant that was published in the record's epoch and is live in the record.
            messages.push(&former.grant);
            messages.extend(former.withdrawn.as_deref());
        }
        messages.extend(self.grant());
        // That of a former grant stands beside it.
        let told = former.iter().any(|former| former.withdrawn == *withdrawn);
        messages.extend(withdrawn.as_deref().filter(|_| !told));
        messages
    }

    /// How many slots the lock has, by what it said: the number never goes down.
    pub(super) fn slots(&self) -> SlotCount {
        let Evidence { ownership, inspected, .. } = &self.evidence;
        //= spec/protocol.md#reports
        //# RPT-17. A Report MUST name the highest number of slots that a message of the lock in it names.
        let said = [Some(ownership), inspected.as_ref()].into_iter().flatten().filter_map(|message| slots_in(message));
        // There is one in the statement of ownership.
        said.max().unwrap_or(SlotCount::MAX)
    }

    pub(super) fn parsed_grant(&self) -> Option<Grant> {
        self.grant().and_then(parse_grant)
    }

    /// Whether a change of this copy waits for its store.
    pub(super) const fn is_held(&self) -> bool {
        self.hold.is_held()
    }

    /// A copy to decide on, where no other decision waits for its store.
    pub(super) fn draft(&self) -> Result<Self, ServiceError> {
        if self.is_held() { Err(ServiceError::Busy) } else { Ok(self.clone()) }
    }

    /// Takes the slot a step further. A grant that it no longer shares goes, and is kept as a former one for as
    /// long as its key may open.
    pub(super) fn change_slot<T>(&mut self, step: impl FnOnce(&mut Slot) -> T) -> T {
        let before = self.slot.shared();
        let result = step(&mut self.slot);
        if self.slot.shared().is_none()
            && let (Some(key), Some(grant)) = (before, self.grant.take())
        {
            //= spec/protocol.md#owner
            //# SVC-22. A report MUST hold every Grant that was published in the record's epoch and is live in the record.
            self.evidence.former.push(Former { key, grant, withdrawn: None });
        }
        let Self { slot, evidence, .. } = self;
        evidence.former.retain(|former| slot.is_live(former.key));
        result
    }

    /// Keeps the answer to a withdrawal.
    pub(super) fn note_withdrawn(&mut self, key: GrantRef, answer: &[u8]) {
        self.evidence.withdrawn = Some(Vec::from(answer));
        self.evidence.former.iter_mut().filter(|former| former.key == key).for_each(|former| {
            former.withdrawn = Some(Vec::from(answer));
        });
    }
}

fn slots_in(message: &[u8]) -> Option<SlotCount> {
    match Kind::of(message).ok()? {
        Kind::Done => Unverified::<Done>::parse(message).ok()?.claims().completed.slots(),
        _ => Some(Unverified::<Provisioned>::parse(message).ok()?.claims().slots),
    }
}

pub(super) fn parse_grant(bytes: &[u8]) -> Option<Grant> {
    Unverified::<Grant>::parse(bytes).ok().map(|grant| *grant.claims())
}
