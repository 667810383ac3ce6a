//! The lock's own record: whose the lock is.

use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use super::taken::{LockChange, Taken};
use super::{Changed, Service};
use crate::counter::Epoch;
use crate::crypto::{Crypto, PublicKey, Signature};
use crate::error::ServiceError;
use crate::id::{LockId, SlotCount};
use crate::message::{Completed, Done, Provisioned};
use crate::staged::{Held, Hold, Staged};
use crate::wire::{Kind, Message, Unverified};

/// What the service knows of a lock as a whole: whose it is. One a lock, so that a statement of ownership is one write
/// for all its slots; what it keeps of a slot [says](super::ShareRecord::follows) which version of this it follows.
///
/// Records are ordered by their version; of two statements the higher epoch is the later.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(try_from = "super::stored::StoredLock", into = "super::stored::StoredLock")]
//= spec/protocol.md#service-confirmation
//= type=implication
//= reason=a record holds public keys, numbers and signed messages; there is no field for a secret
//# SVC-15. The service MUST NOT hold a secret of an owner, a guest or a lock.
pub struct LockRecord {
    pub(super) lock: LockId,
    pub(super) epoch: Epoch,
    pub(super) owner: PublicKey,
    pub(super) service: PublicKey,
    pub(super) slots: SlotCount,
    pub(super) version: u64,
    pub(super) restored: bool,
    pub(super) statement: Vec<u8>,
    pub(super) hold: Hold,
}

impl Held for LockRecord {
    fn hold(&mut self) -> &mut Hold {
        &mut self.hold
    }
}

impl LockRecord {
    /// The version: 1 for a new record, one more with everything that changed it.
    #[must_use]
    pub const fn version(&self) -> u64 {
        self.version
    }

    /// The lock.
    #[must_use]
    pub const fn lock(&self) -> LockId {
        self.lock
    }

    /// The ownership.
    #[must_use]
    pub const fn epoch(&self) -> Epoch {
        self.epoch
    }

    /// The owner's key.
    #[must_use]
    pub const fn owner(&self) -> &PublicKey {
        &self.owner
    }

    /// The service that the lock names: see [`Service::serves`].
    #[must_use]
    pub const fn service(&self) -> &PublicKey {
        &self.service
    }

    /// How many slots the lock has, by that statement.
    #[must_use]
    pub const fn slots(&self) -> SlotCount {
        self.slots
    }

    /// The `Provisioned` or `Done(Transfer)` that began the ownership.
    #[must_use]
    pub fn statement(&self) -> &[u8] {
        &self.statement
    }

    /// Whether the store was restored from an older copy since the ownership began: see [`Service::restored`].
    #[must_use]
    pub const fn is_restored(&self) -> bool {
        self.restored
    }

    /// A copy to decide on, where no other decision waits for its store.
    fn draft(&self) -> Result<Self, ServiceError> {
        if self.hold.is_held() { Err(ServiceError::Busy) } else { Ok(self.clone()) }
    }

    fn staged(&mut self, next: Self, changed: Changed) -> LockChange<'_> {
        if next == *self {
            return Ok(Staged::unchanged(self, Taken::new(Changed::Nothing)));
        }
        //= spec/protocol.md#service-confirmation
        //# SVC-20. What is accepted and changes a record MUST raise that record's version by one.
        let version = self.version.checked_add(1).ok_or(ServiceError::Exhausted)?;
        Ok(Staged::new(self, Self { version, ..next }, Taken::new(changed)))
    }
}

/// The record of a lock that had none: [`put_new`](Self::put_new) is all that can be done with it, so that it
/// never takes the place of a record that is there.
#[must_use = "there is no record before it is put"]
#[derive(Debug)]
pub struct NewRecord(LockRecord);

impl NewRecord {
    /// The record that is to be put, for the store's eyes.
    #[must_use]
    pub const fn record(&self) -> &LockRecord {
        &self.0
    }

    /// Stores the record through `create`, which must fail where there is one of its lock. That one then takes the
    /// statement in ([`Service::reopen`]).
    ///
    /// # Errors
    /// Whatever `create` fails with.
    pub fn put_new<E>(self, create: impl FnOnce(&Self) -> Result<(), E>) -> Result<LockRecord, E> {
        create(&self)?;
        Ok(self.0)
    }
}

/// What the lock says of who it belongs to.
#[derive(PartialEq, Eq)]
pub(super) struct Ownership {
    pub(super) lock: LockId,
    pub(super) epoch: Epoch,
    pub(super) owner: PublicKey,
    pub(super) service: PublicKey,
    pub(super) slots: SlotCount,
}

impl Ownership {
    /// Reads a statement that was checked before it was kept.
    pub(super) fn kept(statement: &[u8]) -> Option<Self> {
        match Kind::of(statement).ok()? {
            Kind::Done => Self::of_done(Unverified::parse(statement).ok()?.claims()),
            _ => Some(Self::of_provisioned(Unverified::parse(statement).ok()?.claims())),
        }
    }

    const fn of_provisioned(&Provisioned { lock, epoch, owner, service, slots, .. }: &Provisioned) -> Self {
        Self { lock, epoch, owner, service, slots }
    }

    /// `None` where it says nothing of ownership.
    pub(super) const fn of_done(&Done { lock, epoch, completed, .. }: &Done) -> Option<Self> {
        match completed {
            Completed::Transfer { owner, service, slots } => Some(Self { lock, epoch, owner, service, slots }),
            _ => None,
        }
    }
}

impl<C: Crypto> Service<C> {
    /// The record of a lock that says, by a `Provisioned` or a `Done(Transfer)`, that this service is its.
    ///
    /// # Errors
    /// [`ServiceError::Wire`], [`ServiceError::NotATransfer`], [`ServiceError::OwnershipSignature`],
    /// [`ServiceError::OtherService`], [`ServiceError::OwnerKey`].
    pub fn open(&self, statement: &[u8]) -> Result<NewRecord, ServiceError> {
        let Ownership { lock, epoch, owner, service, slots } = self.ownership(statement)?;
        //= spec/protocol.md#service
        //# SVC-1. The service MUST open a lock's record only on a Provisioned or a Done of a Transfer, signed by that lock, that names the service's own key.
        if service != *self.key() {
            return Err(ServiceError::OtherService);
        }
        let (statement, hold) = (Vec::from(statement), Hold::default());
        Ok(NewRecord(LockRecord { lock, epoch, owner, service, slots, version: 1, restored: false, statement, hold }))
    }

    /// Takes in a later statement of ownership. With a higher epoch every slot is as new, for the owner
    /// and service that it names; where that is another service, this one publishes, releases and withdraws
    /// nothing more of the lock, until a later transfer back. The same epoch again changes nothing, unless the lock says
    /// that it has more slots by now.
    ///
    /// # Errors
    /// [`ServiceError::Wire`], [`ServiceError::NotATransfer`], [`ServiceError::OwnershipSignature`],
    /// [`ServiceError::OwnerKey`], [`ServiceError::WrongLock`], [`ServiceError::OldEpoch`],
    /// [`ServiceError::Contradiction`], [`ServiceError::Busy`], [`ServiceError::Exhausted`].
    pub fn reopen<'r>(&self, record: &'r mut LockRecord, statement: &[u8]) -> LockChange<'r> {
        let Ownership { lock, epoch, owner, service, slots } = self.ownership(statement)?;
        if lock != record.lock {
            return Err(ServiceError::WrongLock);
        }
        //= spec/protocol.md#service
        //# SVC-2. The service MUST NOT lower a record's epoch.
        if epoch < record.epoch {
            return Err(ServiceError::OldEpoch);
        }
        //= spec/protocol.md#service-confirmation
        //# SVC-17. The service MUST refuse a second statement of ownership for the same epoch that names other keys.
        if epoch == record.epoch && (owner, service) != (record.owner, record.service) {
            return Err(ServiceError::Contradiction);
        }
        let mut next = record.draft()?;
        //= spec/protocol.md#service-confirmation
        //# SVC-23. A second statement of ownership for the record's epoch that names the same keys, and no more slots, MUST change nothing.
        if (epoch, slots) > (record.epoch, record.slots) {
            let (statement, restored) = (Vec::from(statement), record.restored && epoch == record.epoch);
            next = LockRecord { epoch, owner, service, slots, statement, restored, ..next };
        }
        let ours = service == *self.key();
        record.staged(next, if ours { Changed::Reopened { epoch } } else { Changed::Moved { epoch, to: service } })
    }

    /// Marks the record of a lock after its store was restored from an older copy, which may have forgotten a release or
    /// a withdrawal: until the lock has a later ownership (its owner transfers it to himself) the service
    /// signs nothing of it, and takes in only what the lock says.
    ///
    /// # Errors
    /// [`ServiceError::Busy`], [`ServiceError::Exhausted`].
    pub fn restored<'r>(&self, record: &'r mut LockRecord) -> LockChange<'r> {
        let next = LockRecord { restored: true, ..record.draft()? };
        record.staged(next, Changed::Restored)
    }

    /// Checks a statement of ownership under the lock that it names: the lock's id is its key.
    fn ownership(&self, statement: &[u8]) -> Result<Ownership, ServiceError> {
        let found = match Kind::of(statement)? {
            Kind::Done => Ownership::of_done(&self.signed::<Done>(statement, |done| done.lock)?),
            _ => Some(Ownership::of_provisioned(&self.signed::<Provisioned>(statement, |body| body.lock)?)),
        };
        let found = found.ok_or(ServiceError::NotATransfer)?;
        //= spec/protocol.md#service-confirmation
        //# SVC-19. The service MUST refuse a statement of ownership whose owner key fails KEY-1 or KEY-2.
        found.owner.check().map_err(ServiceError::OwnerKey)?;
        Ok(found)
    }

    fn signed<T: Message<Auth = Signature> + Copy>(
        &self,
        statement: &[u8],
        lock: fn(&T) -> LockId,
    ) -> Result<T, ServiceError> {
        let parsed = Unverified::<T>::parse(statement)?;
        let lock = lock(parsed.claims());
        //= spec/protocol.md#service
        //# SVC-1. The service MUST open a lock's record only on a Provisioned or a Done of a Transfer, signed by that lock, that names the service's own key.
        parsed.verify(&self.crypto, lock.key()).map(|body| *body).map_err(ServiceError::OwnershipSignature)
    }
}
