use alloc::vec::Vec;

use super::share::check_signer;
use super::{Service, ShareRecord};
use crate::crypto::{Crypto, PublicKey};
use crate::error::ServiceError;
use crate::limits::Timestamp;
use crate::message::{FindRequest, Report, ReportAnswer, ReportRequest};
use crate::wire::{self, Unverified};

/// How far a request's time may be from the service's, in seconds.
const LEEWAY: u64 = 300;

impl<C: Crypto> Service<C> {
    /// Answers an owner's phone that asks what the record says: with a [`ReportAnswer`], for
    /// [`Owner::see`](crate::owner::Owner::see). Changes nothing. `now` is the service's time.
    ///
    /// Read the record after the request came, and as linearizably as for a write: the phone takes it as true of the
    /// moment that it asked. What a [`Staged`](crate::staged::Staged) shows as next is not stored yet, and is no record to
    /// report on.
    ///
    /// # Errors
    /// [`ServiceError::Wire`], [`ServiceError::Moved`], [`ServiceError::Restored`], [`ServiceError::UnknownSigner`],
    /// [`ServiceError::RequestSignature`], [`ServiceError::WrongLock`], [`ServiceError::WrongEpoch`] for an ownership that
    /// the service was not told of yet, [`ServiceError::WrongSlot`], [`ServiceError::RequestTime`],
    /// [`ServiceError::Busy`] while a change of this copy waits for its store, or where it has to be
    /// [brought along](Self::bring_along) first, [`ServiceError::Seal`].
    //= spec/protocol.md#reports
    //= type=implication
    //= reason=the record is passed in beside the request, or asked for after it; from where it was read is the store's and the caller's
    //# RPT-5. A report MUST be decided on a linearizable read of the records that began after the request came.
    pub fn report(&self, record: &ShareRecord, request: &[u8], now: Timestamp) -> Result<Vec<u8>, ServiceError> {
        let parsed = Unverified::<ReportRequest>::parse(request)?;
        self.check_serves(record)?;
        check_signer(parsed.claims().by)?;
        //= spec/protocol.md#reports
        //# RPT-2. The service MUST check the signature of a ReportRequest under the key that the record's ownership has for its `by`.
        let body = parsed.verify(&self.crypto, record.owner()).map_err(ServiceError::RequestSignature)?;
        if body.lock != record.lock() {
            return Err(ServiceError::WrongLock);
        }
        // A phone that was away may know an earlier one.
        //= spec/protocol.md#reports
        //# RPT-3. The service MUST refuse a ReportRequest of an epoch above the record's.
        if body.epoch > record.epoch() {
            return Err(ServiceError::WrongEpoch);
        }
        if body.slot != record.slot_id() {
            return Err(ServiceError::WrongSlot);
        }
        check_time(body.time, now)?;
        //= spec/protocol.md#reports
        //# RPT-19. A record that is not stored as it follows the lock's record MUST be stored before it is reported.
        if record.is_held() || !record.is_stored() {
            return Err(ServiceError::Busy);
        }
        let messages = record.messages();
        let report = Report {
            request: body.digest(&self.crypto),
            lock: record.lock(),
            epoch: record.epoch(),
            slot: record.slot_id(),
            //= spec/protocol.md#states
            //# SLO-5. A view MUST name the version of the record that it is a view of.
            version: record.version(),
            state: record.slot().state(),
            slots: record.slots(),
            messages: ReportAnswer::digest(&self.crypto, messages.iter().copied()),
        };
        let report = wire::seal(&self.crypto, &self.signer, &report)?;
        Ok(ReportAnswer::encode(&report, &messages))
    }

    /// Whose grants somebody asks for, by a [`FindRequest`]: give him those whose [subject](ShareRecord::subject) it is.
    /// `now` is the service's time.
    ///
    /// # Errors
    /// [`ServiceError::Wire`], [`ServiceError::RequestSignature`], [`ServiceError::OtherService`],
    /// [`ServiceError::RequestTime`].
    pub fn find(&self, request: &[u8], now: Timestamp) -> Result<PublicKey, ServiceError> {
        let parsed = Unverified::<FindRequest>::parse(request)?;
        let subject = parsed.claims().subject;
        //= spec/protocol.md#finding-a-grant
        //# FND-1. The service MUST check the signature of a FindRequest under the subject that it names.
        let body = parsed.verify(&self.crypto, &subject).map_err(ServiceError::RequestSignature)?;
        //= spec/protocol.md#finding-a-grant
        //# FND-2. The service MUST refuse a FindRequest that names another service.
        if body.service != *self.key() {
            return Err(ServiceError::OtherService);
        }
        check_time(body.time, now)?;
        Ok(subject)
    }
}

/// A bound on one side would let a request that is dated ten years ahead be repeated for ten years.
//= spec/protocol.md#reports
//# RPT-4. The service MUST refuse a ReportRequest or a FindRequest whose time is more than 300 seconds before or after its own.
fn check_time(asked: Timestamp, now: Timestamp) -> Result<(), ServiceError> {
    let apart = asked.unix_seconds().abs_diff(now.unix_seconds());
    if apart <= LEEWAY { Ok(()) } else { Err(ServiceError::RequestTime { now: now.unix_seconds() }) }
}
