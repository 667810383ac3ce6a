//! The service: the library's service role around a store with compare-and-swap, one file a record.

use std::fmt;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use sharekey::crypto::{PublicKey, Ring};
use sharekey::error::{Fault, Retry, ServiceError};
use sharekey::id::{LockId, SlotId};
use sharekey::message::{Claim, Done, Grant, Provisioned, Receipt, Withdraw};
use sharekey::service::{Service, ShareRecord};
use sharekey::slot::State;
use sharekey::staged::Staged;
use sharekey::wire::{Kind, Unverified};

use crate::files;
use crate::home::{CRYPTO, Home};
use crate::refusal::{By as _, Refusal};
use crate::wire::Wire;

const NAME: &str = "the service";
/// The slot whose record is there for every lock that the service knows.
const ANCHOR: SlotId = SlotId::new(0);
/// How often a decision is made again because somebody else's came first.
const ATTEMPTS: usize = 100;

pub struct Cloud {
    service: Service<Ring>,
    store: Store,
    wire: Wire,
}

type Decided<'r, T> = Result<Staged<'r, ShareRecord, T>, ServiceError>;

impl Cloud {
    pub fn open(home: &Home) -> anyhow::Result<Self> {
        let folder = home.service_folder();
        files::make_folder(&folder)?;
        let service = Service::new(CRYPTO, &home.seed(&folder.join("seed"))?)?;
        Ok(Self { service, store: Store(folder.join("records")), wire: home.wire() })
    }

    pub fn key(&self) -> PublicKey {
        *self.service.key()
    }

    /// The lock says whose it is: a `Provisioned` or a `Done(Transfer)`.
    pub fn ownership(&self, who: &str, statement: &[u8]) -> anyhow::Result<()> {
        self.wire.record(who, "service", statement)?;
        self.take_ownership(statement)
    }

    pub fn take_ownership(&self, statement: &[u8]) -> anyhow::Result<()> {
        let lock = speaker(statement).by(NAME)?;
        let known = self.store.slots(&lock)?;
        if known.is_empty() {
            return self.store.swap(&self.service.open(statement, ANCHOR).by(NAME)?);
        }
        for slot in known {
            self.update(&lock, slot, |service, record| service.reopen(record, statement))?;
        }
        Ok(())
    }

    pub fn publish(&self, who: &str, grant: &[u8]) -> anyhow::Result<()> {
        self.wire.record(who, "service", grant)?;
        self.take_grant(grant)
    }

    pub fn take_grant(&self, grant: &[u8]) -> anyhow::Result<()> {
        let Grant { lock, slot, .. } = *Unverified::<Grant>::parse(grant).by(NAME)?.claims();
        self.update(&lock, slot, |service, record| service.publish(record, grant))?.by(NAME)
    }

    pub fn withdraw(&self, who: &str, withdraw: &[u8]) -> anyhow::Result<Vec<u8>> {
        self.wire.record(who, "service", withdraw)?;
        self.take_withdraw(who, withdraw)
    }

    pub fn take_withdraw(&self, who: &str, withdraw: &[u8]) -> anyhow::Result<Vec<u8>> {
        let Withdraw { lock, slot, .. } = *Unverified::<Withdraw>::parse(withdraw).by(NAME)?.claims();
        let answer = self.update(&lock, slot, |service, record| service.withdraw(record, withdraw))?;
        self.wire.record("service", who, &answer)?;
        Ok(answer.to_vec())
    }

    /// What is shared with whoever has this key. A real service keeps an index.
    pub fn find(&self, who: &str, subject: &PublicKey) -> anyhow::Result<Vec<Vec<u8>>> {
        let mut grants = Vec::new();
        for record in self.store.all()? {
            if let (Some(grant), true) = (record.grant(), record.subject() == Some(*subject)) {
                self.wire.record_once("service", who, grant)?;
                grants.push(grant.to_vec());
            }
        }
        Ok(grants)
    }

    pub fn release(&self, who: &str, place: (LockId, SlotId), claim: &[u8], install: &[u8]) -> anyhow::Result<Vec<u8>> {
        self.wire.record(who, "service", claim)?;
        self.wire.record(who, "service", install)?;
        let release = self.update(&place.0, place.1, |service, record| service.release(record, claim, install))?;
        self.wire.record("service", who, &release)?;
        Ok(release.to_vec())
    }

    /// As [`release`](Self::release), for a claim whose slot the sender does not say.
    pub fn take_claim(&self, who: &str, claim: &[u8], install: &[u8]) -> anyhow::Result<Vec<u8>> {
        let named = Unverified::<Claim>::parse(claim).by(NAME)?.claims().grant;
        let shared = |record: &ShareRecord| record.slot().shared().is_some_and(|key| key.grant == named);
        let record = self.store.all()?.into_iter().find(shared);
        let record = record.ok_or(ServiceError::NothingShared).by(NAME)?;
        let (lock, slot) = (record.lock(), record.slot_id());
        let release = self.update(&lock, slot, |service, record| service.release(record, claim, install))?;
        self.wire.record("service", who, &release)?;
        Ok(release.to_vec())
    }

    pub fn receipt(&self, who: &str, receipt: &[u8]) -> anyhow::Result<State> {
        self.wire.record(who, "service", receipt)?;
        self.take_receipt(receipt)
    }

    pub fn take_receipt(&self, receipt: &[u8]) -> anyhow::Result<State> {
        let Receipt { lock, slot, .. } = *Unverified::<Receipt>::parse(receipt).by(NAME)?.claims();
        self.update(&lock, slot, |service, record| service.confirm(record, receipt))
    }

    pub fn done(&self, who: &str, slot: SlotId, done: &[u8]) -> anyhow::Result<State> {
        self.wire.record(who, "service", done)?;
        self.take_done(slot, done)
    }

    pub fn take_done(&self, slot: SlotId, done: &[u8]) -> anyhow::Result<State> {
        let lock = speaker(done).by(NAME)?;
        self.update(&lock, slot, |service, record| service.done(record, done))
    }

    /// What the owner's app may know of a slot: the record's version, and the signed messages behind
    /// it. `None` where the service knows nothing of it.
    pub fn report(&self, who: &str, lock: &LockId, slot: SlotId) -> anyhow::Result<Option<(u64, Vec<Vec<u8>>)>> {
        let Some(record) = self.store.get(lock, slot)? else { return Ok(None) };
        let (report, evidence) = (record.report(), record.evidence());
        let messages = [report.grant, evidence.done(), evidence.inspected(), evidence.receipt()];
        let messages: Vec<Vec<u8>> = messages.into_iter().flatten().map(<[u8]>::to_vec).collect();
        for message in &messages {
            self.wire.record_once("service", who, message)?;
        }
        Ok(Some((report.version, messages)))
    }

    /// Every record, without its version: to see whether anything changed.
    pub fn snapshot(&self) -> anyhow::Result<Vec<String>> {
        let all = self.store.all()?;
        Ok(all.iter().map(|record| format!("{:?}{:?}{:?}", record.slot(), record.grant(), record.epoch())).collect())
    }

    /// Decides, stores, and only then has something to send. Where another process stored first, the
    /// record is read again and decided on again.
    fn update<T>(
        &self,
        lock: &LockId,
        slot: SlotId,
        decide: impl for<'r> Fn(&Service<Ring>, &'r mut ShareRecord) -> Decided<'r, T>,
    ) -> anyhow::Result<T> {
        for _ in 0..ATTEMPTS {
            let mut record = self.load(lock, slot)?;
            match decide(&self.service, &mut record).by(NAME)?.commit(|next| self.store.swap(next)) {
                Err(error) if error.is::<Conflict>() => {}
                decided => return decided,
            }
        }
        Err(Conflict.into())
    }

    fn load(&self, lock: &LockId, slot: SlotId) -> anyhow::Result<ShareRecord> {
        if let Some(record) = self.store.get(lock, slot)? {
            return Ok(record);
        }
        let Some(anchor) = self.store.get(lock, ANCHOR)? else {
            let what = "the service does not know this lock";
            return Err(Refusal::own(NAME, what, Fault::Owner, Retry::TellService).into());
        };
        let record = self.service.open(anchor.evidence().ownership(), slot).by(NAME)?;
        match self.store.swap(&record) {
            Err(error) if !error.is::<Conflict>() => Err(error),
            _ => self.store.get(lock, slot)?.context("a record is gone"),
        }
    }
}

/// Which lock made a statement, as it claims.
fn speaker(statement: &[u8]) -> Result<LockId, ServiceError> {
    match Kind::of(statement)? {
        Kind::Done => Ok(Unverified::<Done>::parse(statement)?.claims().lock),
        _ => Ok(Unverified::<Provisioned>::parse(statement)?.claims().lock),
    }
}

/// One file for each lock and slot.
struct Store(PathBuf);

/// Somebody else stored the record meanwhile.
#[derive(Debug)]
struct Conflict;

impl std::error::Error for Conflict {}

impl fmt::Display for Conflict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the record changed meanwhile")
    }
}

impl Store {
    fn path(&self, lock: &LockId, slot: SlotId) -> PathBuf {
        self.0.join(format!("{}-{slot}.json", lock.key()))
    }

    fn get(&self, lock: &LockId, slot: SlotId) -> anyhow::Result<Option<ShareRecord>> {
        files::read_json(&self.path(lock, slot))
    }

    /// Compare and swap: takes the record only in place of the version before.
    fn swap(&self, next: &ShareRecord) -> anyhow::Result<()> {
        let _held = files::hold(&self.0)?;
        let (lock, slot) = (next.lock(), next.slot_id());
        let current = self.get(&lock, slot)?.map_or(0, |record| record.version());
        if current.checked_add(1) != Some(next.version()) {
            return Err(Conflict.into());
        }
        files::write_json(&self.path(&lock, slot), next)
    }

    fn all(&self) -> anyhow::Result<Vec<ShareRecord>> {
        let paths = files::list(&self.0)?;
        let records = paths.iter().filter(|path| is_record(path)).map(|path| files::read_json(path));
        Ok(records.collect::<anyhow::Result<Vec<_>>>()?.into_iter().flatten().collect())
    }

    fn slots(&self, lock: &LockId) -> anyhow::Result<Vec<SlotId>> {
        Ok(self.all()?.iter().filter(|record| record.lock() == *lock).map(ShareRecord::slot_id).collect())
    }
}

fn is_record(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "json")
}
