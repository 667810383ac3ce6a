//! The cloud: the service role around a store with compare-and-swap.

use std::collections::HashMap;

use sharekey::crypto::{PublicKey, Ring};
use sharekey::error::ServiceError;
use sharekey::id::{LockId, SlotId};
use sharekey::lock::SLOTS;
use sharekey::secret::Seed;
use sharekey::service::{NewRecord, Request, Service, ShareRecord, place_of};

use super::{Outcome, entropy};

pub struct Cloud {
    service: Service<Ring>,
    store: Store,
}

/// One record per lock and slot. A real one is a linearizable database.
#[derive(Default)]
struct Store(HashMap<(LockId, SlotId), Vec<u8>>);

impl Store {
    /// Takes the record only where there is none.
    fn create(&mut self, new: &NewRecord) -> Result<(), &'static str> {
        let record = new.record();
        match self.0.insert(record.place(), record.to_bytes()) {
            None => Ok(()),
            Some(_) => Err("there is a record"),
        }
    }

    /// Takes the record only in place of the one that it was decided on.
    fn swap(&mut self, before: &[u8], next: &ShareRecord) -> Result<(), &'static str> {
        let stored = self.0.get_mut(&next.place()).filter(|stored| *stored == before);
        *stored.ok_or("the record changed meanwhile")? = next.to_bytes();
        Ok(())
    }

    fn get(&self, lock: LockId, slot: SlotId) -> Outcome<ShareRecord> {
        let stored = self.0.get(&(lock, slot)).ok_or("the cloud does not know this slot")?;
        Ok(ShareRecord::from_bytes(stored)?)
    }
}

impl Cloud {
    pub fn new() -> Outcome<Self> {
        Ok(Self { service: Service::new(Ring, &Seed::random(&mut entropy()))?, store: Store::default() })
    }

    pub fn key(&self) -> PublicKey {
        *self.service.key()
    }

    /// Takes in what owner, guest or lock sends; gives the message to send back, if there is one.
    pub fn take(&mut self, message: &[u8]) -> Outcome<Vec<u8>> {
        match place_of(message) {
            // The lock did something that is no matter of the cloud's.
            Err(ServiceError::NotOfASlot) => Ok(Vec::new()),
            Err(error) => Err(error.into()),
            Ok((lock, Some(slot))) => self.update(lock, slot, message),
            // The lock says whose it is.
            Ok((lock, None)) => {
                for slot in (0..u8::try_from(SLOTS)?).map(SlotId::new) {
                    if self.store.0.contains_key(&(lock, slot)) {
                        self.update(lock, slot, message)?;
                    } else {
                        self.service.open(message, slot)?.put_new(|new| self.store.create(new))?;
                    }
                }
                Ok(Vec::new())
            }
        }
    }

    /// A guest asks, by its key, what was shared with it.
    pub fn find(&self, subject: &PublicKey) -> Outcome<Vec<u8>> {
        // A real store keeps an index over the subject.
        for stored in self.store.0.values() {
            let record = ShareRecord::from_bytes(stored)?;
            if let (Some(grant), true) = (record.grant(), record.subject() == Some(*subject)) {
                return Ok(grant.to_vec());
            }
        }
        Err("nothing is shared with you".into())
    }

    pub fn release(&mut self, lock: LockId, slot: SlotId, claim: &[u8], install: &[u8]) -> Outcome<Vec<u8>> {
        self.update(lock, slot, (claim, install))
    }

    /// The record of a slot, whose report the owner's app may know.
    pub fn record(&self, lock: LockId, slot: SlotId) -> Outcome<ShareRecord> {
        self.store.get(lock, slot)
    }

    /// Decides, stores, and only then has something to send.
    fn update<'a>(&mut self, lock: LockId, slot: SlotId, request: impl Into<Request<'a>>) -> Outcome<Vec<u8>> {
        let mut record = self.store.get(lock, slot)?;
        let before = record.to_bytes();
        let taken = self.service.take(&mut record, request)?.commit(|next| self.store.swap(&before, next))?;
        Ok(taken.answer()?)
    }
}
