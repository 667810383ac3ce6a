use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use crate::counter::Epoch;
use crate::crypto::PublicKey;
use crate::error::{ServiceError, StoredRecordError};
use crate::id::{LockId, SlotId};
use crate::message::{Grant, Withdrawn};
use crate::slot::{GrantRef, Slot, State};
use crate::staged::{Held, Hold};
use crate::wire::Unverified;

/// Whether the lock still names this service.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum Standing {
    /// The lock names this service.
    Serving,
    /// The lock was transferred to this service's successor. Nothing is published or released any
    /// more; a later transfer back opens the record again.
    Moved {
        /// The service that the lock names now.
        to: PublicKey,
    },
}

/// What the lock and the owner said, kept so that the owner's app can check the report itself.
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
    pub(super) withdrawn: Option<Withdrawn>,
    pub(super) former: Vec<Former>,
}

/// A grant that is shared no more while its key may open: what another phone of the owner knows it by.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(super) struct Former {
    pub(super) key: GrantRef,
    #[serde(with = "crate::form::messages::one")]
    pub(super) grant: Vec<u8>,
    /// The answer to its withdrawal; `None` where a Done ended the share.
    pub(super) withdrawn: Option<Withdrawn>,
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
}

/// What the service knows of one slot of one lock: what its store holds.
///
/// Reading one back with `serde` checks that it does not contradict itself.
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
    pub(super) standing: Standing,
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

    /// The owner's key.
    #[must_use]
    pub const fn owner(&self) -> &PublicKey {
        &self.owner
    }

    /// The service that the lock names.
    #[must_use]
    pub const fn service(&self) -> &PublicKey {
        &self.service
    }

    /// The ownership.
    #[must_use]
    pub const fn epoch(&self) -> Epoch {
        self.epoch
    }

    /// Whether the lock still names this service.
    #[must_use]
    pub const fn standing(&self) -> Standing {
        self.standing
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

    /// What to tell the owner's app. Advisory, but for the signed messages in it.
    #[must_use]
    pub fn report(&self) -> Report<'_> {
        //= spec/protocol.md#states
        //# SLO-5. A view MUST name the version of the record that it is a view of.
        Report { version: self.version, state: self.slot.state(), grant: self.grant(), evidence: &self.evidence }
    }

    pub(super) fn parsed_grant(&self) -> Option<Grant> {
        self.grant().and_then(parse_grant)
    }

    /// The record after one more accepted operation.
    pub(super) fn step(&self) -> Result<Self, ServiceError> {
        if self.hold.is_held() {
            return Err(ServiceError::Busy);
        }
        //= spec/protocol.md#service-confirmation
        //# SVC-20. Every accepted operation MUST raise the record's version by one, also where it changes nothing else.
        let version = self.version.checked_add(1).ok_or(ServiceError::Exhausted)?;
        Ok(Self { version, ..self.clone() })
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
    pub(super) fn note_withdrawn(&mut self, key: GrantRef, answer: Withdrawn) {
        self.evidence.withdrawn = Some(answer);
        self.evidence.former.iter_mut().filter(|former| former.key == key).for_each(|former| {
            former.withdrawn = Some(answer);
        });
    }
}

/// What a record says, for a service's own display or log. The state is the service's word alone. For the
/// owner's app, send the version and [`Service::messages`](super::Service::messages).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
pub struct Report<'a> {
    /// The version of the record.
    pub version: u64,
    /// The state that the record is in.
    pub state: State,
    /// The grant that is shared.
    #[serde(serialize_with = "crate::form::messages::maybe::serialize")]
    pub grant: Option<&'a [u8]>,
    /// What the lock and the owner said.
    pub evidence: &'a Evidence,
}

fn parse_grant(bytes: &[u8]) -> Option<Grant> {
    Unverified::<Grant>::parse(bytes).ok().map(|grant| *grant.claims())
}

#[derive(Serialize, Deserialize)]
struct Stored {
    lock: LockId,
    slot_id: SlotId,
    owner: PublicKey,
    service: PublicKey,
    epoch: Epoch,
    standing: Standing,
    version: u64,
    slot: Slot,
    #[serde(with = "crate::form::messages::maybe")]
    grant: Option<Vec<u8>>,
    evidence: Evidence,
}

impl From<ShareRecord> for Stored {
    fn from(record: ShareRecord) -> Self {
        let ShareRecord { lock, slot_id, owner, service, epoch, standing, version, slot, grant, evidence, hold: _ } =
            record;
        Self { lock, slot_id, owner, service, epoch, standing, version, slot, grant, evidence }
    }
}

impl TryFrom<Stored> for ShareRecord {
    type Error = StoredRecordError;

    fn try_from(stored: Stored) -> Result<Self, StoredRecordError> {
        let Stored { lock, slot_id, owner, service, epoch, standing, version, slot, grant, evidence } = stored;
        if version == 0 {
            return Err(StoredRecordError::Version);
        }
        if slot.epoch() != epoch {
            return Err(StoredRecordError::Epoch);
        }
        let check_grant = |key: GrantRef, bytes: &[u8]| {
            let expected = (lock, epoch, slot_id, key.generation);
            let found = parse_grant(bytes).map(|grant| (grant.lock, grant.epoch, grant.slot, grant.generation));
            if found == Some(expected) { Ok(()) } else { Err(StoredRecordError::GrantContent) }
        };
        match (slot.shared(), &grant) {
            (None, None) => {}
            (Some(key), Some(bytes)) => check_grant(key, bytes)?,
            _ => return Err(StoredRecordError::GrantPresence),
        }
        evidence.former.iter().try_for_each(|former| check_grant(former.key, &former.grant))?;
        let hold = Hold::default();
        Ok(Self { lock, slot_id, owner, service, epoch, standing, version, slot, grant, evidence, hold })
    }
}
