//! The cloud: the service role around a store with compare-and-swap.

use std::collections::HashMap;

use sharekey::crypto::{PublicKey, Ring};
use sharekey::error::ServiceError;
use sharekey::id::{LockId, SlotId};
use sharekey::lock::SLOTS;
use sharekey::secret::Seed;
use sharekey::service::{Request, Service, ShareRecord, place_of};

use super::{Outcome, entropy, now};

pub struct Cloud {
    service: Service<Ring>,
    /// One record per lock and slot. A real one is a linearizable database, with an index over the subject.
    records: HashMap<(LockId, SlotId), Vec<u8>>,
}

impl Cloud {
    pub fn new() -> Outcome<Self> {
        Ok(Self { service: Service::new(Ring, &Seed::random(&mut entropy()))?, records: HashMap::new() })
    }

    pub fn key(&self) -> PublicKey {
        *self.service.key()
    }

    /// Takes in what owner, guest or lock sends; gives the message to send back, if there is one.
    pub fn take(&mut self, message: &[u8]) -> Outcome<Vec<u8>> {
        match place_of(message) {
            Ok((lock, Some(slot))) => return self.take_at(lock, slot, message),
            // The lock says whose it is.
            Ok((lock, None)) => {
                for slot in (0..u8::try_from(SLOTS)?).map(SlotId::new) {
                    if self.records.contains_key(&(lock, slot)) {
                        self.take_at(lock, slot, message)?;
                    } else {
                        // A real one fails where somebody else has put one meanwhile.
                        self.service.open(message, slot)?.put_new(|new| self.put(new.record()))?;
                    }
                }
            }
            // The lock did something that is no matter of the cloud's.
            Err(ServiceError::NotOfASlot) => {}
            Err(error) => return Err(error.into()),
        }
        Ok(Vec::new())
    }

    /// Takes a request for one record: decides, stores, and only then has something to send.
    pub fn take_at<'a>(&mut self, lock: LockId, slot: SlotId, request: impl Into<Request<'a>>) -> Outcome<Vec<u8>> {
        let mut record = self.record(lock, slot)?;
        let before = record.to_bytes();
        let staged = self.service.take(&mut record, request)?;
        // Only in place of the one that it was decided on.
        if self.records.get(&(lock, slot)) != Some(&before) {
            return Err("the record changed meanwhile".into());
        }
        Ok(staged.commit(|next| self.put(next))?.answer()?)
    }

    fn put(&mut self, record: &ShareRecord) -> Result<(), std::convert::Infallible> {
        self.records.insert(record.place(), record.to_bytes());
        Ok(())
    }

    /// An owner asks what became of a slot.
    pub fn report(&self, lock: LockId, slot: SlotId, request: &[u8]) -> Outcome<Vec<u8>> {
        Ok(self.service.report(&self.record(lock, slot)?, request, now())?)
    }

    fn record(&self, lock: LockId, slot: SlotId) -> Outcome<ShareRecord> {
        let stored = self.records.get(&(lock, slot)).ok_or("the cloud does not know this slot")?;
        Ok(ShareRecord::from_bytes(stored)?)
    }

    /// A guest asks what was shared with it.
    pub fn find(&self, request: &[u8]) -> Outcome<Vec<u8>> {
        let subject = self.service.find(request, now())?;
        let mut records = self.records.values().flat_map(|stored| ShareRecord::from_bytes(stored));
        let record = records.find(|record| record.subject() == Some(subject));
        Ok(record.as_ref().and_then(ShareRecord::grant).ok_or("nothing is shared with you")?.to_vec())
    }
}
