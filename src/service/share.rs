use alloc::vec::Vec;

use super::record::{ShareRecord, Standing};
use super::{Service, check_meant_for};
use crate::crypto::Crypto;
use crate::error::ServiceError;
use crate::message::{Grant, Withdraw, Withdrawn};
use crate::slot::GrantRef;
use crate::staged::Staged;
use crate::wire::{self, Encoded, Unverified};

impl<C: Crypto> Service<C> {
    /// Publishes a grant. A grant that is well signed and yet refused takes its number: the refusal
    /// is then what comes out of the [`Staged`], and the record must be stored just the same. (Where
    /// the number was taken before, there is nothing to store, and the refusal comes at once.)
    ///
    /// # Errors
    /// At once, with nothing changed: [`ServiceError::Wire`], [`ServiceError::GrantSignature`],
    /// [`ServiceError::WrongLock`], [`ServiceError::WrongEpoch`], [`ServiceError::WrongSlot`],
    /// [`ServiceError::Moved`], [`ServiceError::Exhausted`], and [`ServiceError::Slot`] with
    /// [`StaleNumber`](crate::error::SlotError::StaleNumber) or
    /// [`AlreadyPublished`](crate::error::SlotError::AlreadyPublished).
    ///
    /// Out of the `Staged`: [`ServiceError::SubjectKey`], and [`ServiceError::Slot`] with any other
    /// reason of the slot's.
    pub fn publish<'r>(
        &self,
        record: &'r mut ShareRecord,
        grant: &[u8],
    ) -> Result<Staged<'r, ShareRecord, Result<(), ServiceError>>, ServiceError> {
        let parsed = Unverified::<Grant>::parse(grant)?;
        //= spec/protocol.md#service
        //# SVC-6. The service MUST check the grant's signature under the owner key of the record's epoch before it publishes the grant.
        let body = parsed.verify(&self.crypto, record.owner()).map_err(ServiceError::GrantSignature)?;
        check_meant_for(record, &body.lock, body.epoch, body.slot)?;
        check_serving(record)?;
        let mut next = record.step()?;
        let key = GrantRef { generation: body.generation, grant: body.digest(&self.crypto) };
        //= spec/protocol.md#service-confirmation
        //# SVC-18. The service MUST refuse a grant whose subject fails KEY-1 or KEY-2.
        let result = match body.subject.check() {
            Ok(()) => publish_in(&mut next, key, grant),
            Err(error) => {
                //= spec/protocol.md#number-line
                //# SLO-9. A publication that is refused for another reason than its authenticator, lock, epoch or slot MUST still raise the highest number.
                next.slot.take(key.generation);
                Err(ServiceError::SubjectKey(error))
            }
        };
        match result {
            // It was taken before: there is nothing to store.
            Err(error) if next.slot == record.slot => Err(error),
            //= spec/protocol.md#service-confirmation
            //# SVC-21. The refusal of a publication that took its number MUST NOT be given before the record is stored.
            result => Ok(Staged::new(record, next, result)),
        }
    }

    /// Withdraws a grant, whatever became of it: the answer says whether it had been released.
    ///
    /// # Errors
    /// [`ServiceError::Wire`], [`ServiceError::WithdrawSignature`], [`ServiceError::WrongLock`],
    /// [`ServiceError::WrongEpoch`], [`ServiceError::WrongSlot`], [`ServiceError::Moved`],
    /// [`ServiceError::Exhausted`], [`ServiceError::Seal`].
    pub fn withdraw<'r>(
        &self,
        record: &'r mut ShareRecord,
        withdraw: &[u8],
    ) -> Result<Staged<'r, ShareRecord, Encoded<Withdrawn>>, ServiceError> {
        let parsed = Unverified::<Withdraw>::parse(withdraw)?;
        //= spec/protocol.md#service
        //# SVC-7. The service MUST check the withdrawal's signature under the owner key of the record's epoch before it acts on it.
        let body = parsed.verify(&self.crypto, record.owner()).map_err(ServiceError::WithdrawSignature)?;
        check_meant_for(record, &body.lock, body.epoch, body.slot)?;
        check_serving(record)?;
        let mut next = record.step()?;
        let key = GrantRef { generation: body.generation, grant: body.grant };
        //= spec/protocol.md#withdrawal
        //# SLO-16. A withdrawal whose authenticator, lock, epoch and slot hold MUST be answered, however often it comes.
        let answer = Withdrawn { withdraw: *body, outcome: next.change_slot(|slot| slot.withdraw(key)) };
        next.note_withdrawn(key, answer);
        let encoded = self.seal_answer(&answer)?;
        Ok(Staged::new(record, next, encoded))
    }

    /// The answer to the last withdrawal again, from the stored record, for another phone of the
    /// owner. `None` where nothing was withdrawn in this epoch.
    ///
    /// # Errors
    /// [`ServiceError::Seal`].
    pub fn last_withdrawn(&self, record: &ShareRecord) -> Result<Option<Encoded<Withdrawn>>, ServiceError> {
        record.evidence.withdrawn.as_ref().map(|answer| self.seal_answer(answer)).transpose()
    }
}

impl<C: Crypto> Service<C> {
    /// Every signed message that the owner's app should [see](crate::owner::Owner::see) with the
    /// record's version, in this order: the latest Done, inspection and receipt; each grant that is shared
    /// no more while its key may open, with the answer to its withdrawal; the grant that is shared; and the
    /// latest answer to a withdrawal, all of this epoch (spec: "Owner").
    ///
    /// # Errors
    /// [`ServiceError::Seal`].
    pub fn messages(&self, record: &ShareRecord) -> Result<Vec<Vec<u8>>, ServiceError> {
        let evidence = record.evidence();
        // What proves keys dead comes before what needs room among the live ones.
        let proofs = [evidence.done(), evidence.inspected(), evidence.receipt()];
        let mut messages: Vec<Vec<u8>> = proofs.into_iter().flatten().map(Vec::from).collect();
        for former in &evidence.former {
            //= spec/protocol.md#owner
            //# SVC-22. A report MUST hold every Grant that was published in the record's epoch and is live in the record.
            messages.push(former.grant.clone());
            if let Some(answer) = &former.withdrawn {
                messages.push(Vec::from(self.seal_answer(answer)?.as_bytes()));
            }
        }
        messages.extend(record.grant().map(Vec::from));
        // That of a former grant stands beside it.
        let told = |answer: &Withdrawn| evidence.former.iter().any(|former| former.withdrawn == Some(*answer));
        if let Some(answer) = evidence.withdrawn.filter(|answer| !told(answer)) {
            messages.push(Vec::from(self.seal_answer(&answer)?.as_bytes()));
        }
        Ok(messages)
    }

    fn seal_answer(&self, answer: &Withdrawn) -> Result<Encoded<Withdrawn>, ServiceError> {
        Ok(wire::seal(&self.crypto, &self.signer, answer)?)
    }
}

pub(super) fn check_serving(record: &ShareRecord) -> Result<(), ServiceError> {
    match record.standing {
        Standing::Serving => Ok(()),
        //= spec/protocol.md#service-confirmation
        //# SVC-16. The service MUST NOT publish, release or withdraw anything for a lock whose latest statement of ownership names another service.
        Standing::Moved { .. } => Err(ServiceError::Moved),
    }
}

fn publish_in(next: &mut ShareRecord, key: GrantRef, grant: &[u8]) -> Result<(), ServiceError> {
    let result = next.change_slot(|slot| slot.publish(key));
    if result.is_ok() {
        next.grant = Some(Vec::from(grant));
    }
    Ok(result?)
}
