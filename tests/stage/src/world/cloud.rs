//! The cloud: the service role around a store with compare-and-swap.

use std::collections::BTreeMap;

use crate::provider::Provider;
use sharekey::crypto::PublicKey;
use sharekey::error::ServiceError;
use sharekey::id::{LockId, SlotId};
use sharekey::message::ReportRequest;
use sharekey::service::{Request, Service, ShareRecord, place_of};
use sharekey::slot::State;
use sharekey::staged::Staged;
use sharekey::wire::Unverified;

use super::door::SLOTS;
use super::{Place, Tape, seed, through_storage};
use crate::desk::NOW;

pub struct Cloud {
    pub service: Service<Provider>,
    pub records: BTreeMap<Place, ShareRecord>,
    /// Whether it restarts between any two steps.
    pub restarts: bool,
    tape: Tape,
}

/// The record was changed by somebody else meanwhile.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Conflict;

impl Cloud {
    pub fn new(role: u8, tape: &Tape) -> Self {
        let service = Service::new(Provider, &seed(role)).unwrap();
        Self { service, records: BTreeMap::new(), restarts: false, tape: tape.clone() }
    }

    pub fn key(&self) -> PublicKey {
        *self.service.key()
    }

    /// Takes the record only in place of the version before.
    pub fn swap(&mut self, next: &ShareRecord) -> Result<(), Conflict> {
        let place = next.place();
        let current = self.records.get(&place).map_or(0, ShareRecord::version);
        if current + 1 != next.version() {
            return Err(Conflict);
        }
        self.records.insert(place, next.clone());
        Ok(())
    }

    /// Takes in what is sent for a record; gives the message to send.
    pub fn take<'a>(&mut self, place: Place, request: impl Into<Request<'a>>) -> Result<Vec<u8>, ServiceError> {
        let answer = self.update(place, |service, record| service.take(record, request))?.answer()?;
        Ok(if answer.is_empty() { answer } else { self.tape.note(&answer) })
    }

    /// The lock proves something of a slot; gives its state afterwards.
    pub fn prove(&mut self, place: Place, proof: &[u8]) -> Result<State, ServiceError> {
        self.take(place, proof)?;
        Ok(self.records[&place].slot().state())
    }

    /// The lock says what it did: to a slot, or to whom it belongs.
    pub fn hear(&mut self, message: &[u8]) -> Result<(), ServiceError> {
        let places = match place_of(message) {
            Ok((lock, Some(slot))) => vec![(lock, slot)],
            Ok((lock, None)) => (0..u8::try_from(SLOTS).unwrap()).map(|slot| (lock, SlotId::new(slot))).collect(),
            Err(ServiceError::NotOfASlot) => vec![],
            Err(error) => return Err(error),
        };
        for (lock, slot) in places {
            if self.records.contains_key(&(lock, slot)) {
                self.take((lock, slot), message)?;
            } else {
                let new = self.service.open(message, slot)?;
                new.put_new(|new| self.swap(new.record())).unwrap();
            }
        }
        Ok(())
    }

    /// Answers an owner's phone.
    pub fn report(&self, lock: LockId, request: &[u8]) -> Result<Vec<u8>, ServiceError> {
        let slot = Unverified::<ReportRequest>::parse(request)?.claims().slot;
        self.service.report(&self.records[&(lock, slot)], request, NOW)
    }

    /// What was shared with this key at this lock, and where.
    pub fn find(&self, at: LockId, subject: PublicKey) -> Option<(Place, Vec<u8>)> {
        let mut records = self.records.iter().filter(|((lock, _), _)| *lock == at);
        let (place, record) = records.find(|(_, record)| record.subject() == Some(subject))?;
        Some((*place, record.grant()?.to_vec()))
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
        let mut record = self.records[&place].clone();
        if self.restarts {
            record = through_storage(&record);
            assert_eq!(record, self.records[&place]);
        }
        let mut next = None;
        let decided = decide(&self.service, &mut record)?.commit(|record| {
            next = Some(record.clone());
            Ok::<_, Conflict>(())
        });
        self.swap(&next.unwrap()).unwrap();
        Ok(decided.unwrap())
    }
}
