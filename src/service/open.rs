use alloc::vec::Vec;

use super::Service;
use super::record::{Evidence, ShareRecord, Standing};
use crate::counter::Epoch;
use crate::crypto::{Crypto, PublicKey};
use crate::error::ServiceError;
use crate::id::{LockId, SlotId};
use crate::message::{Completed, Done, Provisioned};
use crate::slot::Slot;
use crate::staged::{Hold, Staged};
use crate::wire::{Kind, Unverified};

/// What the lock says of who it belongs to.
struct Ownership {
    lock: LockId,
    epoch: Epoch,
    owner: PublicKey,
    service: PublicKey,
}

impl<C: Crypto> Service<C> {
    /// A new record for `slot` of the lock that says, by a `Provisioned` or a `Done(Transfer)`, that
    /// this service is its. Put it only where there is none; one that is there takes the statement
    /// through [`reopen`](Self::reopen).
    ///
    /// # Errors
    /// [`ServiceError::Wire`], [`ServiceError::NotATransfer`], [`ServiceError::OwnershipSignature`],
    /// [`ServiceError::OtherService`], [`ServiceError::OwnerKey`].
    pub fn open(&self, statement: &[u8], slot: SlotId) -> Result<ShareRecord, ServiceError> {
        let Ownership { lock, epoch, owner, service } = self.ownership(statement)?;
        //= spec/protocol.md#service
        //# SVC-1. The service MUST open a lock's records only on a Provisioned or a Done of a Transfer, signed by that lock, that names the service's own key.
        if service != *self.key() {
            return Err(ServiceError::OtherService);
        }
        Ok(ShareRecord {
            lock,
            slot_id: slot,
            owner,
            service,
            epoch,
            standing: Standing::Serving,
            version: 1,
            slot: Slot::new(epoch),
            grant: None,
            evidence: Evidence { ownership: Vec::from(statement), ..Evidence::default() },
            hold: Hold::default(),
        })
    }

    /// Takes in a later statement of ownership. A higher epoch begins the slot anew, for the owner
    /// and service that it names; where that is another service, the record
    /// [has moved](Standing::Moved). The same epoch again changes nothing but the version.
    ///
    /// # Errors
    /// [`ServiceError::Wire`], [`ServiceError::NotATransfer`], [`ServiceError::OwnershipSignature`],
    /// [`ServiceError::OwnerKey`], [`ServiceError::WrongLock`], [`ServiceError::OldEpoch`],
    /// [`ServiceError::Contradiction`], [`ServiceError::Exhausted`].
    pub fn reopen<'r>(
        &self,
        record: &'r mut ShareRecord,
        statement: &[u8],
    ) -> Result<Staged<'r, ShareRecord, Standing>, ServiceError> {
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
        let mut next = record.step()?;
        //= spec/protocol.md#service-confirmation
        //# SVC-23. A second statement of ownership for the record's epoch that names the same keys MUST change nothing but the version.
        if epoch > record.epoch {
            next.standing = if service == *self.key() { Standing::Serving } else { Standing::Moved { to: service } };
            (next.epoch, next.owner, next.service) = (epoch, owner, service);
            //= spec/protocol.md#slot-record
            //# SLO-1. A record of a new epoch MUST begin Inactive, with all numbers 0 and nothing live.
            next.change_slot(|slot| *slot = Slot::new(epoch));
            next.evidence = Evidence { ownership: Vec::from(statement), ..Evidence::default() };
        }
        let standing = next.standing;
        Ok(Staged::new(record, next, standing))
    }

    /// Checks a statement of ownership under the lock that it names: the lock's id is its key.
    fn ownership(&self, statement: &[u8]) -> Result<Ownership, ServiceError> {
        let found = match Kind::of(statement)? {
            Kind::Done => self.transferred(statement)?,
            _ => self.provisioned(statement)?,
        };
        //= spec/protocol.md#service-confirmation
        //# SVC-19. The service MUST refuse a statement of ownership whose owner key fails KEY-1 or KEY-2.
        found.owner.check().map_err(ServiceError::OwnerKey)?;
        Ok(found)
    }

    fn provisioned(&self, statement: &[u8]) -> Result<Ownership, ServiceError> {
        let parsed = Unverified::<Provisioned>::parse(statement)?;
        let lock = parsed.claims().lock;
        //= spec/protocol.md#service
        //# SVC-1. The service MUST open a lock's records only on a Provisioned or a Done of a Transfer, signed by that lock, that names the service's own key.
        let body = parsed.verify(&self.crypto, lock.key()).map_err(ServiceError::OwnershipSignature)?;
        Ok(Ownership { lock, epoch: body.epoch, owner: body.owner, service: body.service })
    }

    fn transferred(&self, statement: &[u8]) -> Result<Ownership, ServiceError> {
        let parsed = Unverified::<Done>::parse(statement)?;
        let lock = parsed.claims().lock;
        //= spec/protocol.md#service
        //# SVC-1. The service MUST open a lock's records only on a Provisioned or a Done of a Transfer, signed by that lock, that names the service's own key.
        let body = parsed.verify(&self.crypto, lock.key()).map_err(ServiceError::OwnershipSignature)?;
        match body.completed {
            Completed::Transfer { owner, service } => Ok(Ownership { lock, epoch: body.epoch, owner, service }),
            _ => Err(ServiceError::NotATransfer),
        }
    }
}
