//! The service: the library's service role around a store with compare-and-swap, one file a record.

use std::fmt;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use sharekey::crypto::{PublicKey, Ring};
use sharekey::error::{Fault, Retry, ServiceError};
use sharekey::id::{LockId, SlotId};
use sharekey::limits::Timestamp;
use sharekey::message::{Claim, ReportAnswer, ReportRequest};
use sharekey::service::{NewRecord, Request, Service, ShareRecord, place_of};
use sharekey::wire::Unverified;

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
    now: Timestamp,
    reached: bool,
}

/// The service cannot be reached: nothing was sent.
#[derive(Debug)]
pub struct Unreachable;

impl std::error::Error for Unreachable {}

impl fmt::Display for Unreachable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the service cannot be reached")
    }
}

impl Cloud {
    pub fn open(home: &Home) -> anyhow::Result<Self> {
        let folder = home.service_folder();
        files::make_folder(&folder)?;
        let service = Service::new(CRYPTO, &home.seed(&folder.join("seed"))?)?;
        let (store, reached) = (Store(folder.join("records")), !home.is_offline());
        Ok(Self { service, store, wire: home.wire(), now: home.now(), reached })
    }

    pub fn key(&self) -> PublicKey {
        *self.service.key()
    }

    /// Takes in what owner, guest or lock sends; gives the message to send back, if there is one.
    pub fn take(&self, who: &str, message: &[u8]) -> anyhow::Result<Vec<u8>> {
        self.reach()?;
        self.wire.record(who, "service", message)?;
        self.take_in(who, message)
    }

    /// As [`take`](Self::take), of what may be sent again and again until it is known to be there.
    pub fn take_again(&self, who: &str, message: &[u8]) -> anyhow::Result<Vec<u8>> {
        self.reach()?;
        self.wire.record_once(who, "service", message)?;
        self.take_in(who, message)
    }

    fn reach(&self) -> anyhow::Result<()> {
        if self.reached { Ok(()) } else { Err(Unreachable.into()) }
    }

    /// As [`take`](Self::take), of what is on the wire already.
    pub fn take_in(&self, who: &str, message: &[u8]) -> anyhow::Result<Vec<u8>> {
        let (lock, slot) = place_of(message).by(NAME)?;
        if let Some(slot) = slot {
            return self.answer(who, &lock, slot, message);
        }
        // The lock says whose it is.
        let known = self.store.slots(&lock)?;
        if known.is_empty() {
            self.service.open(message, ANCHOR).by(NAME)?.put_new(|new| self.store.create(new))?;
        }
        for slot in known {
            self.answer(who, &lock, slot, message)?;
        }
        Ok(Vec::new())
    }

    /// What is shared with whoever asks. A real service keeps an index.
    pub fn find(&self, who: &str, request: &[u8]) -> anyhow::Result<Vec<Vec<u8>>> {
        self.reach()?;
        self.wire.record_once(who, "service", request)?;
        let subject = self.service.find(request, self.now).by(NAME)?;
        let mut grants = Vec::new();
        for record in self.store.all()? {
            if let (Some(grant), true) = (record.grant(), record.subject() == Some(subject)) {
                self.wire.record_once("service", who, grant)?;
                grants.push(grant.to_vec());
            }
        }
        Ok(grants)
    }

    pub fn release(&self, who: &str, place: (LockId, SlotId), claim: &[u8], install: &[u8]) -> anyhow::Result<Vec<u8>> {
        self.reach()?;
        self.wire.record(who, "service", claim)?;
        self.wire.record(who, "service", install)?;
        self.answer(who, &place.0, place.1, (claim, install))
    }

    /// As [`release`](Self::release), of what is on the wire already, and whose slot the sender does not say.
    pub fn release_claimed(&self, who: &str, claim: &[u8], install: &[u8]) -> anyhow::Result<Vec<u8>> {
        let named = Unverified::<Claim>::parse(claim).by(NAME)?.claims().grant;
        let shared = |record: &ShareRecord| record.slot().shared().is_some_and(|key| key.grant == named);
        let record = self.store.all()?.into_iter().find(shared);
        let (lock, slot) = record.ok_or(ServiceError::NothingShared).by(NAME)?.place();
        self.answer(who, &lock, slot, (claim, install))
    }

    /// Answers an owner who asks what became of a slot, by the record as it is after the request came.
    pub fn report(&self, who: &str, request: &[u8]) -> anyhow::Result<Vec<u8>> {
        self.reach()?;
        self.wire.record(who, "service", request)?;
        let asked = *Unverified::<ReportRequest>::parse(request).by(NAME)?.claims();
        let record = self.load(&asked.lock, asked.slot)?;
        let answer = self.service.report(&record, request, self.now).by(NAME)?;
        let parts = ReportAnswer::parse(&answer).by(NAME)?;
        self.wire.record("service", who, parts.report)?;
        for message in parts.messages() {
            self.wire.record_once("service", who, message)?;
        }
        Ok(answer)
    }

    /// Every record, without its version: to see whether anything changed.
    pub fn snapshot(&self) -> anyhow::Result<Vec<String>> {
        let all = self.store.all()?;
        Ok(all.iter().map(|record| format!("{:?}{:?}{:?}", record.slot(), record.grant(), record.epoch())).collect())
    }

    /// Decides, stores, and only then has something to send. Where another process stored first, the
    /// record is read again and decided on again.
    fn answer<'a>(
        &self,
        who: &str,
        lock: &LockId,
        slot: SlotId,
        request: impl Into<Request<'a>>,
    ) -> anyhow::Result<Vec<u8>> {
        let request = request.into();
        for _ in 0..ATTEMPTS {
            let mut record = self.load(lock, slot)?;
            match self.service.take(&mut record, request).by(NAME)?.commit(|next| self.store.swap(next)) {
                Err(error) if error.is::<Conflict>() => {}
                taken => {
                    let answer = taken?.answer().by(NAME)?;
                    if !answer.is_empty() {
                        self.wire.record("service", who, &answer)?;
                    }
                    return Ok(answer);
                }
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
        let new = self.service.open(anchor.evidence().ownership(), slot).by(NAME)?;
        match new.put_new(|new| self.store.create(new)) {
            Err(error) if error.is::<Conflict>() => self.store.get(lock, slot)?.context("a record is gone"),
            opened => opened,
        }
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

    /// Takes the record only where there is none.
    fn create(&self, new: &NewRecord) -> anyhow::Result<()> {
        self.swap(new.record())
    }

    /// Compare and swap: takes the record only in place of the version before, the first in place of none.
    fn swap(&self, next: &ShareRecord) -> anyhow::Result<()> {
        let _held = files::hold(&self.0)?;
        let (lock, slot) = next.place();
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
