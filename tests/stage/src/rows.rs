//! A service's two records of a slot as its store has them, for tests that keep them in a variable.

use sharekey::crypto::Crypto;
use sharekey::error::ServiceError;
use sharekey::id::SlotId;
use sharekey::service::{Changed, LockRecord, Place, Request, Service, ShareRecord, place_of};

use super::store::stored;

/// What is read where these are stored.
pub fn joined(place: Place, lock: &LockRecord, slot: Option<Vec<u8>>) -> Result<ShareRecord, ServiceError> {
    ShareRecord::load(place, |(_, of)| Ok(if of.is_some() { slot.clone() } else { Some(lock.to_bytes()) }))
}

/// The record of a lock that was not known, and in it the first of a slot.
pub fn open(service: &Service<impl Crypto>, statement: &[u8], slot: SlotId) -> Result<ShareRecord, ServiceError> {
    let Ok(lock) = service.open(statement)?.put_new(stored);
    along(service, joined((lock.lock(), slot), &lock, None)?)
}

/// The lock's record takes a statement in, and the slot's follows it.
pub fn reopen(
    service: &Service<impl Crypto>,
    record: &mut ShareRecord,
    statement: &[u8],
) -> Result<Changed, ServiceError> {
    let mut lock = record.of_lock().clone();
    let Ok(taken) = service.reopen(&mut lock, statement)?.commit(stored);
    *record = along(service, joined(record.place(), &lock, Some(record.of_slot().to_bytes()))?)?;
    Ok(taken.changed())
}

fn along(service: &Service<impl Crypto>, mut record: ShareRecord) -> Result<ShareRecord, ServiceError> {
    let Ok(taken) = service.bring_along(&mut record)?.commit(stored);
    taken.answer().map(|_| record)
}

/// A service takes this in, and stores it; gives the message to send.
pub fn serve<'a>(
    service: &Service<impl Crypto>,
    record: &mut ShareRecord,
    request: impl Into<Request<'a>>,
) -> Result<Vec<u8>, ServiceError> {
    let request = request.into();
    if let Request::Message(message) = request
        && let Ok((_, None)) = place_of(message)
    {
        return reopen(service, record, message).map(|_| Vec::new());
    }
    let Ok(taken) = service.take(record, request)?.commit(stored);
    taken.answer()
}
