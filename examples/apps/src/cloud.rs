//! The cloud: the service role around a store with compare-and-swap.

use std::collections::HashMap;

use sharekey::crypto::{PublicKey, Ring};
use sharekey::error::ServiceError;
use sharekey::id::{LockId, SlotId};
use sharekey::secret::Seed;
use sharekey::service::{Place, Request, Service, ShareRecord, place_of, places_of};

use super::{Outcome, entropy, now};

pub struct Cloud {
    service: Service<Ring>,
    /// One record per lock and slot. A real one is a linearizable database, with an index over the subject.
    records: HashMap<Place, Vec<u8>>,
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
        let (mut answer, (_, named)) = match place_of(message) {
            // The lock did something that is no matter of the cloud's.
            Err(ServiceError::NotOfASlot) => return Ok(Vec::new()),
            place => (Vec::new(), place?),
        };
        for (lock, slot) in places_of(message, 10)? {
            // A new lock says whose it is.
            if named.is_none() && !self.records.contains_key(&(lock, slot)) {
                self.service.open(message, slot)?.put_new(|new| self.put(None, new.record()))?;
            }
            answer = self.take_at(lock, slot, message)?;
        }
        Ok(answer)
    }

    /// Takes a request for one record: decides, stores, and only then has something to send.
    pub fn take_at<'a>(&mut self, lock: LockId, slot: SlotId, request: impl Into<Request<'a>>) -> Outcome<Vec<u8>> {
        let mut record = self.record(lock, slot)?;
        let before = record.to_bytes();
        let staged = self.service.take(&mut record, request)?;
        Ok(staged.commit(|next| self.put(Some(before), next))?.answer()?)
    }

    /// Only in place of the record that it was decided on, or of none: a real one does it in one transaction.
    fn put(&mut self, before: Option<Vec<u8>>, next: &ShareRecord) -> Outcome<()> {
        if self.records.get(&next.place()) != before.as_ref() {
            return Err("the record changed meanwhile".into());
        }
        self.records.insert(next.place(), next.to_bytes());
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
