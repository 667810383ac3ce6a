use alloc::vec::Vec;

use super::record::Evidence;
use super::taken::staged;
use super::{Changed, RecordChange, Service, ShareRecord};
use crate::counter::Epoch;
use crate::crypto::{Crypto, PublicKey, Signature};
use crate::error::ServiceError;
use crate::id::{LockId, SlotId};
use crate::message::{Completed, Done, Provisioned};
use crate::slot::Slot;
use crate::staged::Hold;
use crate::wire::{Kind, Message, Unverified};

/// A record of a slot that had none: [`put_new`](Self::put_new) is all that can be done with it, so that it
/// never takes the place of a record that is there, and of the withdrawals in it.
#[must_use = "there is no record before it is put"]
#[derive(Debug)]
pub struct NewRecord(ShareRecord);

impl NewRecord {
    /// The record that is to be put, for the store's eyes.
    #[must_use]
    pub const fn record(&self) -> &ShareRecord {
        &self.0
    }

    /// Stores the record through `create`, which must fail where there is one for its
    /// [place](ShareRecord::place). That one then takes the statement in
    /// ([`take`](Service::take)).
    ///
    /// # Errors
    /// Whatever `create` fails with.
    pub fn put_new<E>(self, create: impl FnOnce(&Self) -> Result<(), E>) -> Result<ShareRecord, E> {
        create(&self)?;
        Ok(self.0)
    }

    /// [`put_new`](Self::put_new) for an asynchronous store.
    ///
    /// # Errors
    /// Whatever `create` fails with.
    pub async fn put_new_async<E>(self, create: impl AsyncFnOnce(&Self) -> Result<(), E>) -> Result<ShareRecord, E> {
        create(&self).await?;
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
}

impl Ownership {
    /// Reads a statement that was checked before it was kept.
    pub(super) fn kept(statement: &[u8]) -> Option<Self> {
        match Kind::of(statement).ok()? {
            Kind::Done => Self::of_done(Unverified::parse(statement).ok()?.claims()),
            _ => Some(Self::of_provisioned(Unverified::parse(statement).ok()?.claims())),
        }
    }

    const fn of_provisioned(&Provisioned { lock, epoch, owner, service, .. }: &Provisioned) -> Self {
        Self { lock, epoch, owner, service }
    }

    /// `None` where it says nothing of ownership.
    pub(super) const fn of_done(&Done { lock, epoch, completed, .. }: &Done) -> Option<Self> {
        match completed {
            Completed::Transfer { owner, service, .. } => Some(Self { lock, epoch, owner, service }),
            _ => None,
        }
    }
}

impl<C: Crypto> Service<C> {
    /// A new record for `slot` of the lock that says, by a `Provisioned` or a `Done(Transfer)`, that
    /// this service is its.
    ///
    /// A statement that is sent may be an old one: where the lock has a record already, open its other slots by
    /// the statement of [that one](Evidence::ownership), and give the new one to all of them.
    ///
    /// # Errors
    /// [`ServiceError::Wire`], [`ServiceError::NotATransfer`], [`ServiceError::OwnershipSignature`],
    /// [`ServiceError::OtherService`], [`ServiceError::OwnerKey`].
    pub fn open(&self, statement: &[u8], slot: SlotId) -> Result<NewRecord, ServiceError> {
        let Ownership { lock, epoch, owner, service } = self.ownership(statement)?;
        //= spec/protocol.md#service
        //# SVC-1. The service MUST open a lock's records only on a Provisioned or a Done of a Transfer, signed by that lock, that names the service's own key.
        if service != *self.key() {
            return Err(ServiceError::OtherService);
        }
        let evidence = Evidence { ownership: Vec::from(statement), ..Evidence::default() };
        Ok(NewRecord(ShareRecord {
            lock,
            slot_id: slot,
            owner,
            service,
            epoch,
            version: 1,
            slot: Slot::new(epoch),
            grant: None,
            evidence,
            hold: Hold::default(),
        }))
    }

    /// Takes in a later statement of ownership. A higher epoch begins the slot anew, for the owner
    /// and service that it names; where that is another service, this one publishes, releases and withdraws
    /// nothing more in the record, until a later transfer back. The same epoch again changes nothing but the
    /// version.
    ///
    /// # Errors
    /// [`ServiceError::Wire`], [`ServiceError::NotATransfer`], [`ServiceError::OwnershipSignature`],
    /// [`ServiceError::OwnerKey`], [`ServiceError::WrongLock`], [`ServiceError::OldEpoch`],
    /// [`ServiceError::Contradiction`], [`ServiceError::Exhausted`].
    pub fn reopen<'r>(&self, record: &'r mut ShareRecord, statement: &[u8]) -> RecordChange<'r> {
        let Ownership { lock, epoch, owner, service } = self.ownership(statement)?;
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
        //# SVC-23. A second statement of ownership for the record's epoch that names the same keys MUST change nothing but the version.
        if epoch > record.epoch {
            (next.epoch, next.owner, next.service) = (epoch, owner, service);
            //= spec/protocol.md#slot-record
            //# SLO-1. A record of a new epoch MUST begin Inactive, with all numbers 0 and nothing live.
            next.change_slot(|slot| *slot = Slot::new(epoch));
            next.evidence = Evidence { ownership: Vec::from(statement), ..Evidence::default() };
        }
        let ours = self.serves(&next);
        let changed = if ours { Changed::Reopened { epoch } } else { Changed::Moved { epoch, to: service } };
        staged(record, next, changed, Ok(Vec::new()))
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
        //# SVC-1. The service MUST open a lock's records only on a Provisioned or a Done of a Transfer, signed by that lock, that names the service's own key.
        parsed.verify(&self.crypto, lock.key()).map(|body| *body).map_err(ServiceError::OwnershipSignature)
    }
}
