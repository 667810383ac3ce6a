//! The cloud: the service role around a store with compare-and-swap.

use std::collections::HashMap;

use sharekey::crypto::{PublicKey, Ring};
use sharekey::id::{LockId, SlotId};
use sharekey::lock::SLOTS;
use sharekey::secret::Seed;
use sharekey::service::{Service, ShareRecord};
use sharekey::staged::Staged;

use super::{Outcome, entropy};

pub struct Cloud {
    service: Service<Ring>,
    store: Store,
}

/// One record per lock and slot. A real one is a linearizable database.
#[derive(Default)]
struct Store(HashMap<(LockId, SlotId), ShareRecord>);

impl Store {
    /// Takes the record only in place of the version before.
    fn swap(&mut self, next: &ShareRecord) -> Result<(), &'static str> {
        let key = (next.lock(), next.slot_id());
        let current = self.0.get(&key).map_or(0, ShareRecord::version);
        if current + 1 != next.version() {
            return Err("the record changed meanwhile");
        }
        self.0.insert(key, next.clone());
        Ok(())
    }

    fn get(&self, lock: LockId, slot: SlotId) -> Outcome<ShareRecord> {
        self.0.get(&(lock, slot)).cloned().ok_or_else(|| "the cloud does not know this slot".into())
    }
}

impl Cloud {
    pub fn new() -> Outcome<Self> {
        Ok(Self { service: Service::new(Ring, &Seed::random(&mut entropy()))?, store: Store::default() })
    }

    pub fn key(&self) -> PublicKey {
        *self.service.key()
    }

    /// A lock says whose it is: a `Provisioned` or a `Done(Transfer)`.
    pub fn ownership(&mut self, lock: LockId, statement: &[u8]) -> Outcome<()> {
        for slot in (0..u8::try_from(SLOTS)?).map(SlotId::new) {
            match self.store.get(lock, slot) {
                Ok(mut record) => {
                    self.service.reopen(&mut record, statement)?.commit(|next| self.store.swap(next))?;
                }
                Err(_) => self.store.swap(&self.service.open(statement, slot)?)?,
            }
        }
        Ok(())
    }

    pub fn publish(&mut self, lock: LockId, slot: SlotId, grant: &[u8]) -> Outcome<()> {
        Ok(self.update(lock, slot, |service, record| Ok(service.publish(record, grant)?))??)
    }

    pub fn withdraw(&mut self, lock: LockId, slot: SlotId, withdraw: &[u8]) -> Outcome<Vec<u8>> {
        let answer = self.update(lock, slot, |service, record| Ok(service.withdraw(record, withdraw)?))?;
        Ok(answer.to_vec())
    }

    /// A guest asks, by its key, what was shared with it.
    pub fn find(&self, subject: &PublicKey) -> Outcome<Vec<u8>> {
        // A real store keeps an index over the subject.
        let record = self.store.0.values().find(|record| record.subject() == Some(*subject));
        let grant = record.and_then(ShareRecord::grant).ok_or("nothing is shared with you")?;
        Ok(grant.to_vec())
    }

    pub fn release(&mut self, lock: LockId, slot: SlotId, claim: &[u8], install: &[u8]) -> Outcome<Vec<u8>> {
        let release = self.update(lock, slot, |service, record| Ok(service.release(record, claim, install)?))?;
        Ok(release.to_vec())
    }

    pub fn receipt(&mut self, lock: LockId, slot: SlotId, receipt: &[u8]) -> Outcome<()> {
        self.update(lock, slot, |service, record| Ok(service.confirm(record, receipt)?))?;
        Ok(())
    }

    pub fn done(&mut self, lock: LockId, slot: SlotId, done: &[u8]) -> Outcome<()> {
        self.update(lock, slot, |service, record| Ok(service.done(record, done)?))?;
        Ok(())
    }

    /// What the owner's app may know: the record's version, and the signed messages behind it.
    pub fn report(&self, lock: LockId, slot: SlotId) -> Outcome<(u64, Vec<Vec<u8>>)> {
        let record = self.store.get(lock, slot)?;
        Ok((record.version(), self.service.messages(&record)?))
    }

    /// Decides, stores, and only then has something to send.
    fn update<T>(
        &mut self,
        lock: LockId,
        slot: SlotId,
        decide: impl for<'r> FnOnce(&Service<Ring>, &'r mut ShareRecord) -> Outcome<Staged<'r, ShareRecord, T>>,
    ) -> Outcome<T> {
        let mut record = self.store.get(lock, slot)?;
        Ok(decide(&self.service, &mut record)?.commit(|next| self.store.swap(next))?)
    }
}
