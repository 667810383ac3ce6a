use alloc::vec::Vec;

use super::taken::staged;
use super::{Changed, RecordChange, Service, ShareRecord, check_meant_for};
use crate::crypto::Crypto;
use crate::error::ServiceError;
use crate::message::{Done, Receipt};
use crate::slot::{GrantRef, Proof, Told, Turn};
use crate::wire::Unverified;

impl<C: Crypto> Service<C> {
    /// Takes in the lock's proof of download. A receipt at or below the proven floor changes nothing.
    ///
    /// # Errors
    /// [`ServiceError::Wire`], [`ServiceError::ReceiptSignature`], [`ServiceError::WrongLock`],
    /// [`ServiceError::WrongEpoch`], [`ServiceError::WrongSlot`], [`ServiceError::Exhausted`].
    pub fn confirm<'r>(&self, record: &'r mut ShareRecord, receipt: &[u8]) -> RecordChange<'r> {
        let parsed = Unverified::<Receipt>::parse(receipt)?;
        //= spec/protocol.md#states
        //# SLO-2. A share MUST NOT become confirmed without the lock's signed statement, a Receipt or a Done of an Inspect, that the grant is installed.
        //= spec/protocol.md#service-confirmation
        //# SVC-14. The service MUST check a receipt's or a Done's signature under the lock id of the record before it acts on it.
        let body = parsed.verify(&self.crypto, record.lock().key()).map_err(ServiceError::ReceiptSignature)?;
        check_meant_for(record, &body.lock, body.epoch, body.slot)?;
        let mut next = record.draft()?;
        let key = GrantRef { generation: body.generation, grant: body.grant };
        let proof = Proof { key, device: body.device, install: Some(body.install), proof: body.digest(&self.crypto) };
        next.change_slot(|slot| slot.confirm(&proof));
        if next.own.slot != record.own.slot {
            next.own.evidence.receipt = Some(Vec::from(receipt));
        }
        staged(record, next, Changed::Downloaded { key, device: body.device }, Ok(Vec::new()))
    }

    /// Takes in what the lock says of the slot ([`Told`]). One that is not news
    /// changes nothing.
    ///
    /// # Errors
    /// [`ServiceError::Wire`], [`ServiceError::DoneSignature`], [`ServiceError::NotOfASlot`] (a
    /// transfer is for the lock's record, [`reopen`](Self::reopen)), [`ServiceError::WrongLock`],
    /// [`ServiceError::WrongEpoch`], [`ServiceError::WrongSlot`], [`ServiceError::Exhausted`].
    pub fn done<'r>(&self, record: &'r mut ShareRecord, done: &[u8]) -> RecordChange<'r> {
        let parsed = Unverified::<Done>::parse(done)?;
        //= spec/protocol.md#service-confirmation
        //# SVC-14. The service MUST check a receipt's or a Done's signature under the lock id of the record before it acts on it.
        let body = parsed.verify(&self.crypto, record.lock().key()).map_err(ServiceError::DoneSignature)?;
        let mut next = record.draft()?;
        let (slot, told) = Told::by(&body.completed).ok_or(ServiceError::NotOfASlot)?;
        check_meant_for(record, &body.lock, body.epoch, slot)?;
        next.change_slot(|slot| slot.hear(told, || body.digest(&self.crypto)));
        let (changed, kept) = match (told, told.found()) {
            (Told::Turned(Turn::Activate, number), _) => (Changed::Activated { number }, &mut next.own.evidence.done),
            (Told::Turned(Turn::Deactivate, number), _) => {
                (Changed::Deactivated { number }, &mut next.own.evidence.done)
            }
            (_, Some((key, device))) => (Changed::Downloaded { key, device }, &mut next.own.evidence.inspected),
            (Told::Holds(left), None) => (Changed::Vacant { floor: left.floor }, &mut next.own.evidence.inspected),
        };
        if next.own.slot != record.own.slot {
            *kept = Some(Vec::from(done));
        }
        staged(record, next, changed, Ok(Vec::new()))
    }
}
