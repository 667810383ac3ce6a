use alloc::vec::Vec;

use super::taken::staged;
use super::{Changed, Service, ShareRecord, Taken, check_meant_for};
use crate::crypto::Crypto;
use crate::error::ServiceError;
use crate::message::{Completed, Done, Holding, Receipt, SlotReport};
use crate::slot::{GrantRef, Proof, Turn};
use crate::staged::Staged;
use crate::wire::{Unverified, Verified};

impl<C: Crypto> Service<C> {
    /// Takes in the lock's proof of download. A receipt at or below the proven floor changes nothing.
    ///
    /// # Errors
    /// [`ServiceError::Wire`], [`ServiceError::ReceiptSignature`], [`ServiceError::WrongLock`],
    /// [`ServiceError::WrongEpoch`], [`ServiceError::WrongSlot`], [`ServiceError::Exhausted`].
    pub fn confirm<'r>(
        &self,
        record: &'r mut ShareRecord,
        receipt: &[u8],
    ) -> Result<Staged<'r, ShareRecord, Taken>, ServiceError> {
        let parsed = Unverified::<Receipt>::parse(receipt)?;
        //= spec/protocol.md#states
        //# SLO-2. A share MUST NOT become confirmed without the lock's signed statement, a Receipt or a Done of an Inspect, that the grant is installed.
        //= spec/protocol.md#service-confirmation
        //# SVC-14. The service MUST check a receipt's or a Done's signature under the lock id of the record before it acts on it.
        let body = parsed.verify(&self.crypto, record.lock.key()).map_err(ServiceError::ReceiptSignature)?;
        check_meant_for(record, &body.lock, body.epoch, body.slot)?;
        let mut next = record.draft()?;
        let key = GrantRef { generation: body.generation, grant: body.grant };
        let proof = Proof { key, device: body.device, install: Some(body.install), proof: body.digest(&self.crypto) };
        next.change_slot(|slot| slot.confirm(&proof));
        if next.slot != record.slot {
            next.evidence.receipt = Some(Vec::from(receipt));
        }
        staged(record, next, Changed::Downloaded { key, device: body.device }, Ok(Vec::new()))
    }

    /// Takes in what the lock says it did to the slot (Activate, Deactivate, Inspect). One that is not news
    /// changes nothing.
    ///
    /// # Errors
    /// [`ServiceError::Wire`], [`ServiceError::DoneSignature`], [`ServiceError::NotOfASlot`] (a
    /// transfer goes through [`reopen`](Self::reopen)), [`ServiceError::WrongLock`],
    /// [`ServiceError::WrongEpoch`], [`ServiceError::WrongSlot`], [`ServiceError::Exhausted`].
    pub fn done<'r>(
        &self,
        record: &'r mut ShareRecord,
        done: &[u8],
    ) -> Result<Staged<'r, ShareRecord, Taken>, ServiceError> {
        let parsed = Unverified::<Done>::parse(done)?;
        //= spec/protocol.md#service-confirmation
        //# SVC-14. The service MUST check a receipt's or a Done's signature under the lock id of the record before it acts on it.
        let body = parsed.verify(&self.crypto, record.lock.key()).map_err(ServiceError::DoneSignature)?;
        let mut next = record.draft()?;
        let changed = self.apply_done(&mut next, &body)?;
        if next.slot != record.slot {
            let kept = match body.completed {
                Completed::Inspect { .. } => &mut next.evidence.inspected,
                _ => &mut next.evidence.done,
            };
            *kept = Some(Vec::from(done));
        }
        staged(record, next, changed, Ok(Vec::new()))
    }

    fn apply_done(&self, next: &mut ShareRecord, done: &Verified<'_, Done>) -> Result<Changed, ServiceError> {
        Ok(match done.completed {
            Completed::Activate { slot, generation: number, .. } => {
                check_meant_for(next, &done.lock, done.epoch, slot)?;
                next.change_slot(|slot| slot.done(Turn::Activate, number));
                Changed::Activated { number }
            }
            Completed::Deactivate { slot, generation: number, .. } => {
                check_meant_for(next, &done.lock, done.epoch, slot)?;
                next.change_slot(|slot| slot.done(Turn::Deactivate, number));
                Changed::Deactivated { number }
            }
            Completed::Inspect { slot, left: left @ SlotReport { floor, holding } } => {
                check_meant_for(next, &done.lock, done.epoch, slot)?;
                next.change_slot(|slot| slot.inspected(&left, done.digest(&self.crypto)));
                match holding {
                    Holding::Installed { grant, device } => {
                        Changed::Downloaded { key: GrantRef { generation: floor, grant }, device }
                    }
                    Holding::Inactive | Holding::Empty => Changed::Vacant { floor },
                }
            }
            Completed::Transfer { .. } | Completed::SetClock { .. } | Completed::Act { .. } => {
                return Err(ServiceError::NotOfASlot);
            }
        })
    }
}
