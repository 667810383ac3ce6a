//! The cloud: the service role around a store with compare-and-swap.

use std::collections::HashMap;

use sharekey::crypto::{PublicKey, Ring};
use sharekey::id::{LockId, SlotId};
use sharekey::lock::SLOTS;
use sharekey::message::{Completed, Done};
use sharekey::secret::Seed;
use sharekey::service::{Service, ShareRecord, place_of};
use sharekey::slot::State;
use sharekey::staged::Staged;
use sharekey::wire::{Kind, Unverified};

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

    /// Takes in what owner, guest or lock sends; gives the message to send back, if there is one.
    pub fn take(&mut self, message: &[u8]) -> Outcome<Vec<u8>> {
        match (place_of(message)?, Kind::of(message)?) {
            ((lock, Some(slot)), Kind::Grant) => {
                self.update(lock, slot, |service, record| Ok(service.publish(record, message)?))??;
            }
            ((lock, Some(slot)), Kind::Withdraw) => {
                let answer = self.update(lock, slot, |service, record| Ok(service.withdraw(record, message)?))?;
                return Ok(answer.to_vec());
            }
            ((lock, Some(slot)), Kind::Receipt) => {
                self.update(lock, slot, |service, record| Ok(service.confirm(record, message)?))?;
            }
            ((lock, Some(slot)), _) => {
                self.update(lock, slot, |service, record| Ok(service.done(record, message)?))?;
            }
            ((lock, None), _) => self.ownership(lock, message)?,
        }
        Ok(Vec::new())
    }

    /// A lock says whose it is: a `Provisioned` or a `Done(Transfer)`.
    fn ownership(&mut self, lock: LockId, statement: &[u8]) -> Outcome<()> {
        if Unverified::<Done>::parse(statement)
            .is_ok_and(|done| !matches!(done.claims().completed, Completed::Transfer { .. }))
        {
            return Ok(());
        }
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

    /// What the owner's app may know: the record's version, its state, and the signed messages behind it.
    pub fn report(&self, lock: LockId, slot: SlotId) -> Outcome<(u64, State, Vec<Vec<u8>>)> {
        let record = self.store.get(lock, slot)?;
        Ok((record.version(), record.slot().state(), self.service.messages(&record)?))
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
