//! The cloud: the service role around a store with compare-and-swap.

use std::collections::BTreeMap;

use crate::provider::Provider;
use sharekey::crypto::PublicKey;
use sharekey::error::ServiceError;
use sharekey::id::LockId;
use sharekey::service::{Key, Put, Request, Service, ShareRecord, Taken, Write, place_of};
use sharekey::slot::State;
use sharekey::staged::Staged;

use super::{Place, Tape, seed};
use crate::desk::NOW;

pub struct Cloud {
    pub service: Service<Provider>,
    /// What is stored, as bytes: it restarts between any two steps.
    pub records: BTreeMap<Key, Vec<u8>>,
    tape: Tape,
}

/// The record was changed by somebody else meanwhile.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Conflict;

impl Cloud {
    pub fn new(role: u8, tape: &Tape) -> Self {
        let service = Service::new(Provider, &seed(role)).unwrap();
        Self { service, records: BTreeMap::new(), tape: tape.clone() }
    }

    pub fn key(&self) -> PublicKey {
        *self.service.key()
    }

    pub fn load(&self, key: Key) -> Result<Option<Vec<u8>>, ServiceError> {
        Ok(self.records.get(&key).cloned())
    }

    /// What is known of a slot.
    pub fn record(&self, place: Place) -> ShareRecord {
        ShareRecord::load(place, |key| self.load(key)).unwrap()
    }

    /// Takes the record only in place of the version before.
    pub fn swap(&mut self, next: &ShareRecord) -> Result<(), Conflict> {
        if self.record(next.place()).version() + 1 != next.version() {
            return Err(Conflict);
        }
        let (lock, slot) = next.place();
        self.records.insert((lock, Some(slot)), next.of_slot().to_bytes());
        Ok(())
    }

    /// Takes what was decided only in place of what it was decided on.
    pub fn put(&mut self, write: &Write) -> Result<(), Conflict> {
        let (before, next) = match write.put() {
            Put::New(next) => (None, next),
            Put::InPlaceOf { before, next } => (Some(before), next),
        };
        if self.records.get(&write.key()).map(Vec::as_slice) != before {
            return Err(Conflict);
        }
        self.records.insert(write.key(), next.to_vec());
        Ok(())
    }

    /// Takes in whatever is sent, by the front door.
    pub fn serve<'a>(&mut self, request: impl Into<Request<'a>>) -> Result<Taken, ServiceError> {
        let decided = self.service.serve(request, |key| self.load(key))?;
        Ok(decided.commit(|write| self.put(write)).unwrap())
    }

    /// Takes in what is sent for a record, for whichever it is meant; gives the message to send.
    pub fn take<'a>(&mut self, place: Place, request: impl Into<Request<'a>>) -> Result<Vec<u8>, ServiceError> {
        let here = (place.0, Some(place.1));
        let taken = match request.into() {
            Request::Release { claim, install, .. } => self.serve((place, claim, install))?,
            Request::Message(message) if place_of(message).is_ok_and(|key| key == here) => self.serve(message)?,
            request => self.update(place, |service, record| service.take(record, request))?,
        };
        let answer = taken.answer()?;
        Ok(if answer.is_empty() { answer } else { self.tape.note(&answer) })
    }

    /// The lock proves something of a slot; gives its state afterwards.
    pub fn prove(&mut self, place: Place, proof: &[u8]) -> Result<State, ServiceError> {
        self.take(place, proof)?;
        Ok(self.record(place).slot().state())
    }

    /// The lock says what it did: to a slot, or to whom it belongs.
    pub fn hear(&mut self, message: &[u8]) -> Result<(), ServiceError> {
        match self.serve(message) {
            Err(ServiceError::NotOfASlot) => Ok(()),
            taken => taken?.answer().map(drop),
        }
    }

    /// Answers an owner's phone.
    pub fn report(&mut self, request: &[u8]) -> Result<Vec<u8>, ServiceError> {
        self.serve((request, NOW))?.answer()
    }

    /// What was shared with this key at this lock, and where.
    pub fn find(&self, at: LockId, subject: PublicKey) -> Option<(Place, Vec<u8>)> {
        let places =
            self.records.keys().filter_map(|(lock, slot)| Some((*lock, (*slot)?))).filter(|place| place.0 == at);
        let record = places.map(|place| self.record(place)).find(|record| record.subject() == Some(subject))?;
        Some((record.place(), record.grant()?.to_vec()))
    }

    /// Decides, stores, and only then has something to send.
    pub fn update<T>(
        &mut self,
        place: Place,
        decide: impl for<'r> FnOnce(
            &Service<Provider>,
            &'r mut ShareRecord,
        ) -> Result<Staged<'r, ShareRecord, T>, ServiceError>,
    ) -> Result<T, ServiceError> {
        let mut record = ShareRecord::load(place, |key| self.load(key))?;
        let decided = decide(&self.service, &mut record)?;
        Ok(decided.commit(|next| self.swap(next)).unwrap())
    }
}
