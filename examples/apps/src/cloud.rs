//! The cloud: the service role around a store with compare-and-swap.

use std::collections::HashMap;

use sharekey::crypto::{PublicKey, Ring};
use sharekey::error::ServiceError;
use sharekey::secret::Seed;
use sharekey::service::{Key, Put, Request, Service, ShareRecord, Write};

use super::{Outcome, entropy, now};

pub struct Cloud {
    service: Service<Ring>,
    /// One record per lock, and one per slot. A real one is a linearizable database, with an index over the subject.
    records: HashMap<Key, Vec<u8>>,
}

impl Cloud {
    pub fn new() -> Outcome<Self> {
        Ok(Self { service: Service::new(Ring, &Seed::random(&mut entropy()))?, records: HashMap::new() })
    }

    pub fn key(&self) -> PublicKey {
        *self.service.key()
    }

    /// Takes in what owner, guest or lock sends: reads, decides, stores, and only then has something to send back.
    pub fn take<'a>(&mut self, request: impl Into<Request<'a>>) -> Outcome<Vec<u8>> {
        let decided = self.service.serve(request, |key| Ok::<_, ServiceError>(self.records.get(&key).cloned()));
        match decided {
            // The lock did something that is no matter of the cloud's.
            Err(ServiceError::NotOfASlot) => Ok(Vec::new()),
            decided => Ok(decided?.commit(|write| self.put(write))?.answer()?),
        }
    }

    /// Only in place of the record that it was decided on, or of none: a real one does it in one transaction.
    fn put(&mut self, write: &Write) -> Outcome<()> {
        let (before, next) = match write.put() {
            Put::New(next) => (None, next),
            Put::InPlaceOf { before, next } => (Some(before), next),
        };
        if self.records.get(&write.key()).map(Vec::as_slice) != before {
            return Err("the record changed meanwhile".into());
        }
        self.records.insert(write.key(), next.to_vec());
        Ok(())
    }

    /// An owner asks what became of a slot.
    pub fn report(&mut self, request: &[u8]) -> Outcome<Vec<u8>> {
        self.take((request, now()))
    }

    /// A guest asks what was shared with it.
    pub fn find(&self, request: &[u8]) -> Outcome<Vec<u8>> {
        let subject = self.service.find(request, now())?;
        let load = |key| Ok::<_, ServiceError>(self.records.get(&key).cloned());
        let slots = self.records.keys().filter_map(|(lock, slot)| Some((*lock, (*slot)?)));
        let mut records = slots.flat_map(|place| ShareRecord::load(place, load));
        let record = records.find(|record| record.subject() == Some(subject));
        Ok(record.as_ref().and_then(ShareRecord::grant).ok_or("nothing is shared with you")?.to_vec())
    }
}
