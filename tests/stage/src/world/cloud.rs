//! The cloud: the service role around a store with compare-and-swap.

use std::collections::BTreeMap;

use crate::provider::Provider;
use sharekey::crypto::PublicKey;
use sharekey::error::ServiceError;
use sharekey::id::{LockId, SlotId};
use sharekey::message::{Completed, Done};
use sharekey::service::{Service, ShareRecord};
use sharekey::slot::State;
use sharekey::staged::Staged;
use sharekey::wire::Unverified;

use super::door::SLOTS;
use super::{Place, Tape, seed, through_storage};
use crate::ops::slot_of;

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
        let place = (next.lock(), next.slot_id());
        let current = self.records.get(&place).map_or(0, ShareRecord::version);
        if current + 1 != next.version() {
            return Err(Conflict);
        }
        self.records.insert(place, next.clone());
        Ok(())
    }

    /// A lock says whose it is.
    pub fn ownership(&mut self, lock: LockId, statement: &[u8]) -> Result<(), ServiceError> {
        for slot in (0..u8::try_from(SLOTS).unwrap()).map(SlotId::new) {
            if self.records.contains_key(&(lock, slot)) {
                self.update((lock, slot), |service, record| service.reopen(record, statement))?;
            } else {
                let record = self.service.open(statement, slot)?;
                self.swap(&record).unwrap();
            }
        }
        Ok(())
    }

    pub fn publish(&mut self, place: Place, grant: &[u8]) -> Result<(), ServiceError> {
        self.update(place, |service, record| service.publish(record, grant))?
    }

    pub fn withdraw(&mut self, place: Place, withdraw: &[u8]) -> Result<Vec<u8>, ServiceError> {
        let answer = self.update(place, |service, record| service.withdraw(record, withdraw))?;
        Ok(self.tape.note(&answer))
    }

    /// What was shared with this key, and where.
    pub fn find(&self, subject: PublicKey) -> Option<(Place, Vec<u8>)> {
        let (place, record) = self.records.iter().find(|(_, record)| record.subject() == Some(subject))?;
        Some((*place, record.grant()?.to_vec()))
    }

    pub fn release(&mut self, place: Place, claim: &[u8], install: &[u8]) -> Result<Vec<u8>, ServiceError> {
        let release = self.update(place, |service, record| service.release(record, claim, install))?;
        Ok(self.tape.note(&release))
    }

    pub fn receipt(&mut self, place: Place, receipt: &[u8]) -> Result<State, ServiceError> {
        self.update(place, |service, record| service.confirm(record, receipt))
    }

    /// The lock says what it did: to a slot, or to whom it belongs.
    pub fn done(&mut self, lock: LockId, done: &[u8]) -> Result<(), ServiceError> {
        let completed = Unverified::<Done>::parse(done)?.claims().completed;
        match (completed, slot_of(&completed)) {
            (Completed::Transfer { .. }, _) => self.ownership(lock, done),
            (_, Some(slot)) => self.done_at((lock, slot), done).map(drop),
            (_, None) => Ok(()),
        }
    }

    pub fn done_at(&mut self, place: Place, done: &[u8]) -> Result<State, ServiceError> {
        self.update(place, |service, record| service.done(record, done))
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
