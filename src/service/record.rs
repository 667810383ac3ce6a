use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use super::{Key, LockRecord, Place, SlotRecord};
use crate::counter::Epoch;
use crate::crypto::{Digest, PublicKey};
use crate::error::{ServiceError, StoredRecordError};
use crate::id::{LockId, SlotCount, SlotId};
use crate::message::{Done, Grant};
use crate::slot::{GrantRef, Slot};
use crate::staged::{Held, Hold};
use crate::wire::Unverified;

/// How many installs of a share a record knows again, beside the latest.
const REMEMBERED: usize = 16;

/// What was said and signed of a slot, kept so that the owner's app can check the report itself.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Evidence {
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

    /// The latest answer to a withdrawal that changed the record.
    #[must_use]
    pub fn withdrawn(&self) -> Option<&[u8]> {
        self.withdrawn.as_deref()
    }
}

/// What the service knows of one slot of one lock: the slot's own record, and the [lock's](LockRecord), which it follows.
/// The two are [loaded](Self::load) together, and only what follows the lock's present record is decided on.
///
/// Whoever has one can read all of it, and needs neither the service nor its key; what an owner's phone believes is a
/// [report](super::Service::report) only.
/// What a [`Staged`](crate::staged::Staged) shows as [`next`](crate::staged::Staged::next) is for the store alone:
/// a report of it would give out the answer to a withdrawal that nobody has stored.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ShareRecord {
    pub(super) of_lock: LockRecord,
    pub(super) own: SlotRecord,
    pub(super) hold: Hold,
}

impl Held for ShareRecord {
    fn hold(&mut self) -> &mut Hold {
        &mut self.hold
    }
}

impl ShareRecord {
    /// Loads both records of a place: `load` gives what the store holds under a key, as it is when asked, from no cache
    /// and no replica that lags behind. The slot's is asked for first, and the lock's after it, which so is none that
    /// the slot's record has passed.
    ///
    /// A slot that has no record yet, or whose record is of an earlier ownership, is as new: its next version
    /// brings it [along](Self::is_stored).
    ///
    /// # Errors
    /// Whatever `load` fails with; [`ServiceError::UnknownLock`], [`ServiceError::Stored`].
    pub fn load<E: From<ServiceError>>(
        place: Place,
        mut load: impl FnMut(Key) -> Result<Option<Vec<u8>>, E>,
    ) -> Result<Self, E> {
        let slot = load((place.0, Some(place.1)))?;
        let lock = load((place.0, None))?;
        Ok(Self::read(place, lock.as_deref(), slot.as_deref())?.0)
    }

    /// The two records, and the subject that the slot's has as it is stored.
    pub(super) fn read(
        place: Place,
        lock: Option<&[u8]>,
        slot: Option<&[u8]>,
    ) -> Result<(Self, Option<PublicKey>), ServiceError> {
        let row = slot.map(SlotRecord::from_bytes).transpose()?;
        let of_lock = LockRecord::from_bytes(lock.ok_or(ServiceError::UnknownLock)?)?;
        let indexed = row.as_ref().and_then(SlotRecord::subject);
        Ok((Self::joined(place, of_lock, row)?, indexed))
    }

    /// The slot's record, following this record of the lock.
    fn joined((lock, slot): Place, of_lock: LockRecord, row: Option<SlotRecord>) -> Result<Self, StoredRecordError> {
        let row = row.unwrap_or_else(|| SlotRecord::new(lock, slot, of_lock.epoch));
        if (row.lock, row.slot_id) != (lock, slot) || of_lock.lock != lock {
            return Err(StoredRecordError::Place);
        }
        //= spec/protocol.md#service
        //# SVC-26. The service MUST refuse a lock's record that is older than the version that a slot's record follows.
        if row.follows > of_lock.version || row.epoch > of_lock.epoch {
            return Err(StoredRecordError::OlderLock);
        }
        if row.follows == of_lock.version && row.epoch < of_lock.epoch {
            return Err(StoredRecordError::Epoch);
        }
        //= spec/protocol.md#service
        //# SVC-27. A slot's record of an epoch below that of the lock's record MUST be taken for one that was opened just now, but for its version.
        let row = if row.epoch < of_lock.epoch {
            SlotRecord { version: row.version, follows: row.follows, ..SlotRecord::new(lock, slot, of_lock.epoch) }
        } else {
            row
        };
        Ok(Self { of_lock, own: row, hold: Hold::default() })
    }

    /// Whether the store holds the record as it is: it was not opened just now, and follows the lock's record. Where it
    /// does not, whatever is accepted brings it along, and nothing is signed before it is stored.
    #[must_use]
    pub const fn is_stored(&self) -> bool {
        self.own.version != 0 && self.own.follows == self.of_lock.version
    }

    /// The version: 1 for the first that is stored, 0 before; one more with everything that changed the record.
    #[must_use]
    pub const fn version(&self) -> u64 {
        self.own.version
    }

    /// Which version of the lock's record the slot's follows, as it is stored.
    #[must_use]
    pub const fn follows(&self) -> u64 {
        self.own.follows
    }

    /// The lock's record.
    #[must_use]
    pub const fn of_lock(&self) -> &LockRecord {
        &self.of_lock
    }

    /// The lock.
    #[must_use]
    pub const fn lock(&self) -> LockId {
        self.own.lock
    }

    /// Which of its slots.
    #[must_use]
    pub const fn slot_id(&self) -> SlotId {
        self.own.slot_id
    }

    /// Lock and slot.
    #[must_use]
    pub const fn place(&self) -> Place {
        (self.own.lock, self.own.slot_id)
    }

    /// The owner's key.
    #[must_use]
    pub const fn owner(&self) -> &PublicKey {
        &self.of_lock.owner
    }

    /// The service that the lock names: see [`Service::serves`](super::Service::serves).
    #[must_use]
    pub const fn service(&self) -> &PublicKey {
        &self.of_lock.service
    }

    /// The ownership.
    #[must_use]
    pub const fn epoch(&self) -> Epoch {
        self.own.epoch
    }

    /// The slot, as this record knows it.
    #[must_use]
    pub const fn slot(&self) -> &Slot {
        &self.own.slot
    }

    /// The grant that is shared, for the guest to fetch; `None` where none is.
    #[must_use]
    pub fn grant(&self) -> Option<&[u8]> {
        self.own.grant.as_deref()
    }

    /// Who may claim the shared grant: the key by which a guest finds it. A database keeps an index
    /// over this, updated in the same transaction as the record.
    #[must_use]
    pub fn subject(&self) -> Option<PublicKey> {
        self.own.subject()
    }

    /// What the lock and the owner said.
    #[must_use]
    pub const fn evidence(&self) -> &Evidence {
        &self.own.evidence
    }

    /// The slot's own record, as it is stored.
    #[must_use]
    pub const fn of_slot(&self) -> &SlotRecord {
        &self.own
    }

    /// The messages of a report, in this order: the statement of ownership; the latest Done, inspection and receipt; each
    /// grant that is shared no more while its key may open, with the answer to its withdrawal; the grant that is
    /// shared; and the latest answer to a withdrawal.
    //= spec/protocol.md#reports
    //# RPT-20. After the statement of ownership a report MUST hold only Grants, Withdrawns, Receipts and Dones of the report's slot.
    //= spec/protocol.md#reports
    //# RPT-6. What a report holds MUST be a function of the slot's stored record and of the version of the lock's record that it follows.
    pub(super) fn messages(&self) -> Vec<&[u8]> {
        let Evidence { done, inspected, receipt, withdrawn, former } = &self.own.evidence;
        //= spec/protocol.md#reports
        //# RPT-7. A report MUST begin with the statement of ownership of the record's epoch.
        let mut messages = alloc::vec![self.of_lock.statement()];
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
        //= spec/protocol.md#reports
        //# RPT-17. A Report MUST name the highest number of slots that a message of the lock in it names.
        let inspected = self.own.evidence.inspected.as_deref().and_then(slots_in);
        inspected.map_or(self.of_lock.slots, |said| said.max(self.of_lock.slots))
    }

    /// Whether the lock has this slot, by its statement of ownership or by what it said of the slot.
    pub(super) fn exists(&self) -> bool {
        let told = self.own.slot.floor().max(self.own.slot.last_told());
        self.own.slot_id.index() < self.slots().value() || told.value() > 0
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

    /// The record as it is stored next: of the next version, and following the lock's record.
    pub(super) fn stored_next(mut self) -> Result<Self, ServiceError> {
        //= spec/protocol.md#service-confirmation
        //# SVC-20. What is accepted and changes a record MUST raise that record's version by one.
        self.own.version = self.own.version.checked_add(1).ok_or(ServiceError::Exhausted)?;
        //= spec/protocol.md#service
        //# SVC-30. A slot's record MUST name, whenever it is stored, the version of the lock's record that it was decided under.
        self.own.follows = self.of_lock.version;
        Ok(self)
    }

    /// Takes the slot a step further. A grant that it no longer shares goes, and is kept as a former one for as
    /// long as its key may open.
    pub(super) fn change_slot<T>(&mut self, step: impl FnOnce(&mut Slot) -> T) -> T {
        let SlotRecord { slot, grant, evidence, released, .. } = &mut self.own;
        let before = slot.shared();
        let result = step(slot);
        if slot.shared() != before {
            released.clear();
        }
        if slot.shared().is_none()
            && let (Some(key), Some(grant)) = (before, grant.take())
        {
            //= spec/protocol.md#owner
            //# SVC-22. A report MUST hold every Grant that was published in the record's epoch and is live in the record.
            evidence.former.push(Former { key, grant, withdrawn: None });
        }
        evidence.former.retain(|former| slot.is_live(former.key));
        result
    }

    /// Whether this install of the shared grant was released before.
    pub(super) fn knows_release(&self, install: &Digest) -> bool {
        let latest = self.own.slot.shared().and_then(|key| self.own.slot.live(key)).and_then(|live| live.install());
        latest == Some(*install) || self.own.released.contains(install)
    }

    /// Remembers a release, and forgets the one of the longest ago.
    pub(super) fn note_release(&mut self, install: Digest) {
        let released = &mut self.own.released;
        if released.len() >= REMEMBERED {
            released.remove(0);
        }
        released.push(install);
    }

    /// Keeps the answer to a withdrawal.
    pub(super) fn note_withdrawn(&mut self, key: GrantRef, answer: &[u8]) {
        let evidence = &mut self.own.evidence;
        evidence.withdrawn = Some(Vec::from(answer));
        evidence.former.iter_mut().filter(|former| former.key == key).for_each(|former| {
            former.withdrawn = Some(Vec::from(answer));
        });
    }

    /// Whether a former grant of this key has no answer to its withdrawal yet.
    pub(super) fn lacks_answer(&self, key: GrantRef) -> bool {
        self.own.evidence.former.iter().any(|former| former.key == key && former.withdrawn.is_none())
    }
}

fn slots_in(done: &[u8]) -> Option<SlotCount> {
    Unverified::<Done>::parse(done).ok()?.claims().completed.slots()
}

pub(super) fn parse_grant(bytes: &[u8]) -> Option<Grant> {
    Unverified::<Grant>::parse(bytes).ok().map(|grant| *grant.claims())
}
