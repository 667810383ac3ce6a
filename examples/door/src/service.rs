//! The service: the library's service role around a store with compare-and-swap, one file a record: one a lock, and one
//! a slot.

mod there;

use std::fmt;
use std::path::{Path, PathBuf};

use sharekey::crypto::{PublicKey, Ring};
use sharekey::error::ServiceError;
use sharekey::id::{LockId, SlotId};
use sharekey::limits::Timestamp;
use sharekey::message::{Claim, ReportAnswer};
use sharekey::service::{Key, Place, Put, Request, Service, ShareRecord, Write};
use sharekey::wire::Unverified;

use self::there::There;
use crate::files;
use crate::home::{CRYPTO, Home};
use crate::refusal::{By as _, Refusal};
use crate::wire::Wire;

const NAME: &str = "the service";
/// The ending of a record's file.
const RECORD: &str = "record";
/// How often a decision is made again because somebody else's came first.
const ATTEMPTS: usize = 100;

pub struct Cloud {
    service: Service<Ring>,
    store: Store,
    wire: Wire,
    now: Timestamp,
    reached: bool,
    /// A service elsewhere, in place of the one in this home.
    there: Option<There>,
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
        let there = home.service().map(|url| There::open(home, url)).transpose()?;
        Ok(Self { service, store, wire: home.wire(), now: home.now(), reached, there })
    }

    pub fn key(&self) -> PublicKey {
        *self.there.as_ref().map_or(self.service.key(), There::key)
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
        self.answer(who, message)
    }

    /// What is shared with whoever asks. A real service keeps an index.
    pub fn find(&self, who: &str, request: &[u8]) -> anyhow::Result<Vec<Vec<u8>>> {
        self.reach()?;
        self.wire.record_once(who, "service", request)?;
        if let Some(there) = &self.there {
            let grants = there.find(request)?;
            grants.iter().try_for_each(|grant| self.wire.record_once("service", who, grant))?;
            return Ok(grants);
        }
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
        self.answer(who, (place, claim, install))
    }

    /// As [`release`](Self::release), of what is on the wire already, and whose slot the sender does not say.
    pub fn release_claimed(&self, who: &str, claim: &[u8], install: &[u8]) -> anyhow::Result<Vec<u8>> {
        let named = Unverified::<Claim>::parse(claim).by(NAME)?.claims().grant;
        let shared = |record: &ShareRecord| record.slot().shared().is_some_and(|key| key.grant == named);
        let record = self.store.all()?.into_iter().find(shared);
        let place = record.ok_or(ServiceError::NothingShared).by(NAME)?.place();
        self.answer(who, (place, claim, install))
    }

    /// Answers an owner who asks what became of a slot, by the record as it is after the request came.
    pub fn report(&self, who: &str, request: &[u8]) -> anyhow::Result<Vec<u8>> {
        self.reach()?;
        self.wire.record(who, "service", request)?;
        let answer = self.decide((request, self.now))?;
        let parts = ReportAnswer::parse(&answer).by(NAME)?;
        self.wire.record("service", who, parts.report)?;
        for message in parts.messages() {
            self.wire.record_once("service", who, message)?;
        }
        Ok(answer)
    }

    /// Whether the records are out of this program's sight.
    pub const fn is_elsewhere(&self) -> bool {
        self.there.is_some()
    }

    /// Every record as it is stored: to see whether anything changed.
    pub fn snapshot(&self) -> anyhow::Result<Vec<Option<Vec<u8>>>> {
        files::list(&self.store.0)?.iter().map(|path| files::read(path)).collect()
    }

    /// As [`decide`](Self::decide), of what is one message to send back, or none.
    fn answer<'a>(&self, who: &str, request: impl Into<Request<'a>>) -> anyhow::Result<Vec<u8>> {
        let answer = self.decide(request)?;
        if !answer.is_empty() {
            self.wire.record("service", who, &answer)?;
        }
        Ok(answer)
    }

    /// Reads, decides, stores, and only then has something to send. Where another process stored first, all of it again.
    fn decide<'a>(&self, request: impl Into<Request<'a>>) -> anyhow::Result<Vec<u8>> {
        let request = request.into();
        if let Some(there) = &self.there {
            return there.ask(request);
        }
        for _ in 0..ATTEMPTS {
            let decided = self.service.serve(request, |key| self.store.get(key).map_err(Stop));
            match decided.map_err(|Stop(error)| error)?.commit(|write| self.store.put(write)) {
                Err(error) if error.is::<Conflict>() => {}
                taken => return taken?.answer().by(NAME),
            }
        }
        Err(Conflict.into())
    }
}

/// Why nothing was read or decided: the store's error, or the service's refusal.
struct Stop(anyhow::Error);

impl From<ServiceError> for Stop {
    fn from(error: ServiceError) -> Self {
        Self(Refusal::new(NAME, error).into())
    }
}

/// One file for each lock, and for each of its slots.
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
    fn path(&self, (lock, slot): Key) -> PathBuf {
        let lock = lock.key();
        self.0.join(slot.map_or_else(|| format!("{lock}.{RECORD}"), |slot| format!("{lock}-{slot}.{RECORD}")))
    }

    fn get(&self, key: Key) -> anyhow::Result<Option<Vec<u8>>> {
        files::read(&self.path(key))
    }

    /// Compare and swap: takes a record only in place of the one that was decided on, a new one in place of none.
    fn put(&self, write: &Write) -> anyhow::Result<()> {
        let _held = files::hold(&self.0)?;
        let (before, next) = match write.put() {
            Put::New(next) => (None, next),
            Put::InPlaceOf { before, next } => (Some(before), next),
        };
        if self.get(write.key())?.as_deref() != before {
            return Err(Conflict.into());
        }
        files::write(&self.path(write.key()), next)
    }

    fn all(&self) -> anyhow::Result<Vec<ShareRecord>> {
        let places = files::list(&self.0)?.into_iter().filter_map(|path| place_at(&path));
        let read = |place| ShareRecord::load(place, |key| self.get(key).map_err(Stop)).map_err(|Stop(error)| error);
        places.map(read).collect()
    }
}

/// Of which slot the record in a file is; `None` for a lock's own.
fn place_at(path: &Path) -> Option<Place> {
    let name = path.file_name()?.to_str()?.strip_suffix(RECORD)?.strip_suffix('.')?;
    let (lock, slot) = name.split_once('-')?;
    Some((LockId::new(lock.parse().ok()?), SlotId::new(slot.parse().ok()?)))
}
