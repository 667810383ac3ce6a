//! The front door: a request, what the store holds of it, and one write before there is an answer.

use alloc::vec::Vec;

use super::taken::Taken;
use super::{Changed, Key, LockRecord, Request, Service, ShareRecord, place_of};
use crate::crypto::{Crypto, PublicKey};
use crate::error::ServiceError;
use crate::slot::State;

/// What the store is to do: one write of one record, and what goes with it into the same transaction.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Write {
    key: Key,
    before: Option<Vec<u8>>,
    next: Vec<u8>,
    version: u64,
    state: Option<State>,
    changed: Changed,
    subjects: [Option<PublicKey>; 2],
}

/// How a record is put: two statements of a database, of which each has to fail where the store holds anything else.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Put<'w> {
    /// The record is new: only where none is stored under the key.
    New(&'w [u8]),
    /// Only in place of the record that was decided on.
    InPlaceOf {
        /// Those bytes are stored still.
        before: &'w [u8],
        /// These take their place.
        next: &'w [u8],
    },
}

impl Write {
    /// Under which key the record is stored.
    #[must_use]
    pub const fn key(&self) -> Key {
        self.key
    }

    /// How it is put there.
    #[must_use]
    pub fn put(&self) -> Put<'_> {
        let next = self.next.as_slice();
        //= spec/protocol.md#the-service-s-store
        //# SVS-4. A new record MUST be stored only where there is none under its key, in one step.
        //= spec/protocol.md#the-service-s-store
        //# SVS-5. A record MUST be replaced only in place of the very bytes that were decided on, or of their version and digest.
        self.before.as_deref().map_or(Put::New(next), |before| Put::InPlaceOf { before, next })
    }

    /// The record's version as it is stored now; with a digest of the record it is what a later swap compares.
    #[must_use]
    pub const fn version(&self) -> u64 {
        self.version
    }

    /// The slot's state as it is stored now; `None` for the lock's own record.
    #[must_use]
    pub const fn state(&self) -> Option<State> {
        self.state
    }

    /// What changed, for an outbox.
    #[must_use]
    pub const fn changed(&self) -> Changed {
        self.changed
    }

    /// For an index over the subjects: who may claim what is shared in the record, as it was stored.
    #[must_use]
    pub const fn subject_before(&self) -> Option<PublicKey> {
        self.subjects[0]
    }

    /// … and as it is stored now.
    #[must_use]
    pub const fn subject(&self) -> Option<PublicKey> {
        self.subjects[1]
    }
}

/// A request that was decided on: what is to be stored, if anything is, and what is known once it was.
///
/// Dropped before [`commit`](Self::commit): nothing happened. A store that calls back keeps it until then, and commits
/// to what it has stored.
#[must_use = "nothing happens until it is committed"]
#[derive(Debug)]
pub struct Decided {
    write: Option<Write>,
    taken: Taken,
}

impl Decided {
    /// What the store is to do; `None` where nothing changed.
    #[must_use]
    pub const fn write(&self) -> Option<&Write> {
        self.write.as_ref()
    }

    /// Stores through `put`, which is not called where nothing changed; then gives what came of the request. Where `put`
    /// fails, nothing did: serve the request again, which reads anew.
    ///
    /// # Errors
    /// Whatever `put` fails with.
    pub fn commit<E>(self, put: impl FnOnce(&Write) -> Result<(), E>) -> Result<Taken, E> {
        //= spec/protocol.md#service
        //# SVC-4. The service MUST NOT give out a Release or a Withdrawn before the store accepted the record that it belongs to.
        self.write.as_ref().map_or(Ok(()), put)?;
        Ok(self.taken)
    }

    /// [`commit`](Self::commit) for an asynchronous store. Cancelled half-way, the request is served again.
    ///
    /// # Errors
    /// Whatever `put` fails with.
    pub async fn commit_async<E>(self, put: impl AsyncFnOnce(&Write) -> Result<(), E>) -> Result<Taken, E> {
        if let Some(write) = &self.write {
            //= spec/protocol.md#service
            //# SVC-4. The service MUST NOT give out a Release or a Withdrawn before the store accepted the record that it belongs to.
            put(write).await?;
        }
        Ok(self.taken)
    }
}

impl<C: Crypto> Service<C> {
    /// Decides on whatever message is sent. `load` gives what the store holds under a key: as it is when asked, from no
    /// cache, and from no replica that lags behind. It is asked for what the message is for, once the message is there:
    /// the lock's record alone for a statement of ownership (which opens it, where there is none and the lock names this
    /// service), else the slot's and then the lock's.
    ///
    /// # Errors
    /// Whatever `load` fails with; those of [`place_of`], [`open`](Self::open), [`reopen`](Self::reopen),
    /// [`ShareRecord::load`] and [`take`](Self::take). Nothing changed then.
    pub fn serve<'a, E: From<ServiceError>>(
        &self,
        request: impl Into<Request<'a>>,
        mut load: impl FnMut(Key) -> Result<Option<Vec<u8>>, E>,
    ) -> Result<Decided, E> {
        let request = request.into();
        let key = request.key()?;
        //= spec/protocol.md#the-service-s-store
        //# SVS-7. Both records MUST be read after the request came, the slot's before the lock's.
        let stored = load(key)?;
        let lock = if key.1.is_some() { load((key.0, None))? } else { None };
        Ok(self.decide(key, request, stored, lock)?)
    }

    /// [`serve`](Self::serve) for an asynchronous store.
    ///
    /// # Errors
    /// As [`serve`](Self::serve).
    pub async fn serve_async<'a, E: From<ServiceError>>(
        &self,
        request: impl Into<Request<'a>>,
        mut load: impl AsyncFnMut(Key) -> Result<Option<Vec<u8>>, E>,
    ) -> Result<Decided, E> {
        let request = request.into();
        let key = request.key()?;
        let stored = load(key).await?;
        let lock = if key.1.is_some() { load((key.0, None)).await? } else { None };
        Ok(self.decide(key, request, stored, lock)?)
    }

    /// `stored` is what is under the key, and `lock` what is under the lock's where that is another.
    fn decide(
        &self,
        key: Key,
        request: Request<'_>,
        stored: Option<Vec<u8>>,
        lock: Option<Vec<u8>>,
    ) -> Result<Decided, ServiceError> {
        let Some(slot) = key.1 else { return self.decide_ownership(key, request, stored) };
        //= spec/protocol.md#service
        //# SVC-31. The service MUST open a slot's record only where none is stored, and under the lock's record.
        let (mut record, indexed) = ShareRecord::read((key.0, slot), lock.as_deref(), stored.as_deref())?;
        let staged = self.take(&mut record, request)?;
        let write = staged.writes().then(|| Write {
            key,
            before: stored,
            next: staged.next().of_slot().to_bytes(),
            version: staged.next().version(),
            state: Some(staged.next().slot().state()),
            changed: staged.changed(),
            subjects: [indexed, staged.next().subject()],
        });
        Ok(Decided { write, taken: staged.into_output() })
    }

    fn decide_ownership(
        &self,
        key: Key,
        request: Request<'_>,
        stored: Option<Vec<u8>>,
    ) -> Result<Decided, ServiceError> {
        let Request::Message(statement) = request else { return Err(ServiceError::NotOfASlot) };
        let write = |before, record: &LockRecord, changed| Write {
            key,
            before,
            next: record.to_bytes(),
            version: record.version(),
            state: None,
            changed,
            subjects: [None; 2],
        };
        let Some(bytes) = stored else {
            let new = self.open(statement)?;
            let changed = Changed::Opened { epoch: new.record().epoch() };
            return Ok(Decided { write: Some(write(None, new.record(), changed)), taken: Taken::new(changed) });
        };
        let mut record = LockRecord::from_bytes(&bytes)?;
        let staged = self.reopen(&mut record, statement)?;
        let write = staged.writes().then(|| write(Some(bytes), staged.next(), staged.changed()));
        Ok(Decided { write, taken: staged.into_output() })
    }
}

impl Request<'_> {
    /// Which record it is for, for a store that reads before it [serves](Service::serve).
    ///
    /// # Errors
    /// Those of [`place_of`]; [`ServiceError::NotOfASlot`] for a claim and an install without their place, which they do
    /// not say by themselves.
    pub fn key(&self) -> Result<Key, ServiceError> {
        match self {
            Self::Message(message) | Self::Report { request: message, .. } => place_of(message),
            Self::Release { place, .. } => place.map(|(lock, slot)| (lock, Some(slot))).ok_or(ServiceError::NotOfASlot),
        }
    }
}
