use alloc::vec::Vec;

use super::taken::staged;
use super::{Changed, RecordChange, Service, ShareRecord, check_meant_for};
use crate::counter::Term;
use crate::crypto::Crypto;
use crate::error::ServiceError;
use crate::message::{Grant, Withdraw, Withdrawn};
use crate::slot::GrantRef;
use crate::wire::{self, Unverified};

impl<C: Crypto> Service<C> {
    /// Publishes a grant; the one that is shared already, again. A grant that is well signed and yet refused takes
    /// its number: the refusal is then [what comes of it](super::Taken::answer), and the record must be stored just the
    /// same. (Where the number was taken before, there is nothing to store, and the refusal comes at once.)
    ///
    /// # Errors
    /// At once, with nothing changed: [`ServiceError::Wire`], [`ServiceError::UnknownSigner`],
    /// [`ServiceError::GrantSignature`], [`ServiceError::WrongLock`], [`ServiceError::WrongEpoch`],
    /// [`ServiceError::WrongSlot`], [`ServiceError::NoSuchSlot`], [`ServiceError::Moved`], [`ServiceError::Restored`],
    /// [`ServiceError::Exhausted`], and [`ServiceError::Slot`] with
    /// [`StaleNumber`](crate::error::SlotError::StaleNumber).
    ///
    /// As the answer: [`ServiceError::SubjectKey`], and [`ServiceError::Slot`] with any other reason of the slot's.
    pub fn publish<'r>(&self, record: &'r mut ShareRecord, grant: &[u8]) -> RecordChange<'r> {
        let parsed = Unverified::<Grant>::parse(grant)?;
        check_signer(parsed.claims().by)?;
        //= spec/protocol.md#service
        //# SVC-6. The service MUST check the grant's signature under the owner key of the record's epoch before it publishes the grant.
        let body = parsed.verify(&self.crypto, record.owner()).map_err(ServiceError::GrantSignature)?;
        check_meant_for(record, &body.lock, body.epoch, body.slot)?;
        self.check_serves(record)?;
        //= spec/protocol.md#service
        //# SVC-33. The service MUST refuse a grant for a slot that the lock does not have, by its statement of ownership and by what it said of the slot.
        if !record.exists() {
            return Err(ServiceError::NoSuchSlot);
        }
        let mut next = record.draft()?;
        let key = GrantRef { generation: body.generation, grant: body.digest(&self.crypto) };
        //= spec/protocol.md#service-confirmation
        //# SVC-18. The service MUST refuse a grant whose subject fails KEY-1 or KEY-2.
        let result = match body.subject.check() {
            Ok(()) => publish_in(&mut next, key, grant),
            Err(error) => {
                //= spec/protocol.md#number-line
                //# SLO-9. A publication that is refused for another reason than its authenticator, lock, epoch or slot MUST still raise the highest number.
                next.own.slot.take(key.generation);
                Err(ServiceError::SubjectKey(error))
            }
        };
        match result {
            Ok(()) => {
                let changed = Changed::Published { key, subject: body.subject };
                staged(record, next, changed, Ok(Vec::new()))
            }
            // It was taken before: there is nothing to store.
            Err(error) if next.own.slot == record.own.slot => Err(error),
            //= spec/protocol.md#service-confirmation
            //# SVC-21. The refusal of a publication that took its number MUST NOT be given before the record is stored.
            Err(error) => staged(record, next, Changed::NumberTaken { number: key.generation }, Err(error)),
        }
    }

    /// Withdraws a grant, whatever became of it: the answer is a `Withdrawn`, which says whether it had been
    /// released.
    ///
    /// # Errors
    /// [`ServiceError::Wire`], [`ServiceError::UnknownSigner`], [`ServiceError::WithdrawSignature`],
    /// [`ServiceError::WrongLock`], [`ServiceError::WrongEpoch`], [`ServiceError::WrongSlot`], [`ServiceError::Moved`],
    /// [`ServiceError::Restored`], [`ServiceError::Exhausted`], [`ServiceError::Seal`].
    pub fn withdraw<'r>(&self, record: &'r mut ShareRecord, withdraw: &[u8]) -> RecordChange<'r> {
        let parsed = Unverified::<Withdraw>::parse(withdraw)?;
        check_signer(parsed.claims().by)?;
        //= spec/protocol.md#service
        //# SVC-7. The service MUST check the withdrawal's signature under the owner key of the record's epoch before it acts on it.
        let withdraw_signature = parsed.signature();
        let body = parsed.verify(&self.crypto, record.owner()).map_err(ServiceError::WithdrawSignature)?;
        check_meant_for(record, &body.lock, body.epoch, body.slot)?;
        self.check_serves(record)?;
        let mut next = record.draft()?;
        let key = GrantRef { generation: body.generation, grant: body.grant };
        //= spec/protocol.md#withdrawal
        //# SLO-16. A withdrawal whose authenticator, lock, epoch and slot hold MUST be answered, however often it comes.
        let outcome = next.change_slot(|slot| slot.withdraw(key));
        let answer =
            wire::seal(&self.crypto, &self.signer, &Withdrawn { withdraw: *body, withdraw_signature, outcome })?;
        // One that changed nothing is not kept: two that are repeated in turn would else change the record for ever.
        if next.own.slot != record.own.slot || record.lacks_answer(key) {
            next.note_withdrawn(key, &answer);
        }
        staged(record, next, Changed::Withdrawn { key, outcome }, Ok(Vec::from(answer.as_bytes())))
    }

    /// Whether the lock names this service still. Where it does not, the record takes in what the lock says, and
    /// nothing of owner or guest.
    #[must_use]
    pub fn serves(&self, record: &ShareRecord) -> bool {
        *record.service() == *self.key()
    }

    pub(super) fn check_serves(&self, record: &ShareRecord) -> Result<(), ServiceError> {
        //= spec/protocol.md#service-confirmation
        //# SVC-16. The service MUST NOT publish, release or withdraw anything for a lock whose latest statement of ownership names another service.
        if !self.serves(record) {
            return Err(ServiceError::Moved);
        }
        //= spec/protocol.md#service-confirmation
        //# SVC-29. The service MUST NOT publish, release, withdraw or report anything of a lock whose record was restored from an older copy, until a statement of a later epoch.
        if record.of_lock.is_restored() { Err(ServiceError::Restored) } else { Ok(()) }
    }
}

/// Whether the record has a key for who signs.
pub(super) fn check_signer(by: Term) -> Result<(), ServiceError> {
    //= spec/protocol.md#service
    //# SVC-28. The service MUST refuse a message whose `by` names nobody whose key the record has: another one than 0.
    if by == Term::OWNER { Ok(()) } else { Err(ServiceError::UnknownSigner) }
}

fn publish_in(next: &mut ShareRecord, key: GrantRef, grant: &[u8]) -> Result<(), ServiceError> {
    //= spec/protocol.md#service-confirmation
    //# SVC-24. A grant that is sent for publication while it is shared MUST be accepted, with nothing changed.
    if next.own.slot.shared() == Some(key) {
        return Ok(());
    }
    let result = next.change_slot(|slot| slot.publish(key));
    if result.is_ok() {
        next.own.grant = Some(Vec::from(grant));
    }
    Ok(result?)
}
